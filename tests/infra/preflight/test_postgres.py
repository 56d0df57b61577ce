"""Mixes of the `postgres` section that would not work, and the fix that each one names."""

from typing import Any

import pytest
import yaml

from infra.preflight import check
from infra.settings import Settings
from infra.settings.postgres import PostgresSettings

ELSEWHERE = {"host": "db.example.org"}


def refused(**section: Any) -> list[tuple[str, dict[str, Any]]]:
    """The key and the fix of each refusal."""
    settings = Settings(backend="postgres", postgres=PostgresSettings(**section))
    return [(refusal.key, yaml.safe_load(refusal.fix)) for refusal in check(settings)]


@pytest.mark.parametrize("word", ["disable", "allow", "prefer"])
def test_nothing_goes_over_a_network_in_clear(word: str) -> None:
    """On this machine it may; elsewhere the fix is the safest word."""
    assert refused(sslmode=word) == []
    assert refused(sslmode=word, **ELSEWHERE) == [("postgres.sslmode", {"sslmode": "verify-full"})]
    assert refused(**ELSEWHERE | {"sslmode": "verify-full"}) == []


@pytest.mark.parametrize("word", ["require", "verify-ca", "verify-full"])
def test_every_word_with_encryption_is_taken(word: str) -> None:
    """Not each server has a certificate that can be checked."""
    assert refused(sslmode=word, **ELSEWHERE) == []


@pytest.mark.parametrize("word", ["prefer", "require", "verify-ca"])
def test_the_systems_authorities_go_with_verify_full_alone(word: str) -> None:
    """Anybody can have a certificate of theirs, for a name of his own; libpq refuses it too."""
    ((key, fix),) = refused(sslmode=word, sslrootcert="system")

    assert key == "postgres.sslmode"
    assert refused(**fix) == []


def test_one_role_has_one_password() -> None:
    """The administrator's would be used by nobody."""
    ((key, fix),) = refused(admin_password="change-me")

    assert key == "postgres.admin_password"
    assert refused(admin_password="change-me", **fix) == []
