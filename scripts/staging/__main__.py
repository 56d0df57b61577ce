"""Makes the passwords of docker-compose.yml in .env, once, and starts its PostgreSQL server where an engine is.

What stands in .env stays as it is: a server keeps the passwords that it was made with. Prints nothing that is secret.

Example: make staging
"""

import sys
from pathlib import Path
from typing import Final

from scripts.staging.engine import start
from scripts.staging.env_file import UnusableError
from scripts.staging.mounts import open_for_containers, tell_of_agents
from scripts.staging.passwords import IN_URIS, NAMES, fill, overruled, require_tokens, require_unreserved

ROOT: Final = Path(__file__).resolve().parents[2]


def main(root: Path = ROOT) -> int:
    """Make what is missing, then start the server or say what will.

    Returns:
        The exit code: 0 done, 2 a file or a password in it cannot be used, else that of docker compose.
    """
    try:
        made = fill(root / ".env")
        require_unreserved(root / ".env")
        require_tokens(root / ".env")
        print(f".env: made {', '.join(made)}" if made else ".env: every password is there, nothing is changed")
        for name in NAMES:
            overruled(root, name)
        open_for_containers(root)
        tell_of_agents(root)
    except UnusableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return start(root, fresh=set(IN_URIS) <= set(made))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped as asked; to go on, run the same command again", file=sys.stderr)
        sys.exit(130)
