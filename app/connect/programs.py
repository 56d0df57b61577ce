"""The programs of others that are run here, and how to come by one that is missing."""

import shutil
from collections.abc import Iterable
from typing import Final

from app.errors import InvalidSettingError

_INSTALL: Final = {
    "psql": "apt-get install postgresql-client, dnf install postgresql, or brew install libpq",
    "sqlite3": "apt-get install sqlite3, dnf install sqlite, or brew install sqlite",
    "ssh": "apt-get install openssh-client, or dnf install openssh-clients",
    "cloud-sql-proxy": "https://cloud.google.com/sql/docs/postgres/sql-proxy, or brew install cloud-sql-proxy",
    "gcloud": "https://cloud.google.com/sdk/docs/install",
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html",
    "az": "https://learn.microsoft.com/cli/azure/install-azure-cli",
}


def require(names: Iterable[str]) -> None:
    """Look for programs before the first of them is started; read-only.

    Args:
        names: For example `psql`.

    Raises:
        InvalidSettingError: One is not on PATH.
    """
    for name in names:
        if shutil.which(name) is None:
            message = f"expected the program {name} on PATH. To install it: {_INSTALL[name]}"
            raise InvalidSettingError(message)
