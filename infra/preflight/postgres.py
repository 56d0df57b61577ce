"""What would not work with a server that somebody else runs."""

from collections.abc import Iterator

from infra.settings.postgres import ENCRYPTED, SYSTEM, PostgresSettings
from infra.settings.refusals import Refusal


def check(settings: PostgresSettings) -> Iterator[Refusal]:
    """What is wrong with the `postgres` section; read-only and offline."""
    if settings.sslmode not in ENCRYPTED and not settings.on_this_machine:
        yield Refusal(
            "postgres.sslmode",
            f"require, verify-ca or verify-full, since {settings.host} is not this machine",
            "{sslmode: verify-full}",
        )
    if settings.sslrootcert == SYSTEM and settings.sslmode != "verify-full":
        # libpq takes no weaker word beside it (PostgreSQL, "SSL Support").
        yield Refusal(
            "postgres.sslmode", "verify-full beside sslrootcert: system", "{sslmode: verify-full, sslrootcert: system}"
        )
    if settings.admin_password is not None and settings.one_role:
        yield Refusal(
            "postgres.admin_password",
            f"none, since {settings.user} is the administrator too",
            "{admin_user: postgres}",
        )
