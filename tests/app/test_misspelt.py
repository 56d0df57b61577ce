"""A typing error in the name of a setting is told of, and what others set is left alone."""

import re

import pytest

from app import misspelt, serve
from app.environment import ROOT

KNOWN = [each[0] for group in serve.GROUPS for each in group.documented()]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SESSION_DB_POOLSIZE", "SESSION_DB_POOL_SIZE"),
        ("SESSION_DB_PASSWORDFILE", "SESSION_DB_PASSWORD_FILE"),
        ("session_db_wait", "SESSION_DB_WAIT"),
        ("API_TOKEN_FLIE", "API_TOKEN_FILE"),
        ("API_TOKENS", "API_TOKEN"),
        ("API_ACESS", "API_ACCESS"),
        ("API_GRCAE", "API_GRACE"),
        ("SESSION_DB_URL", "SESSION_DB_URI"),
        ("SESSION_DATABASE_URL", "SESSION_DB_URI"),
        ("session_db_uri", "SESSION_DB_URI"),
        ("ADMIN_DB_URL", "ADMIN_DB_URI"),
        ("ADMIN_DATABASE_URI", "ADMIN_DB_URI"),
        ("AGENT_DIR", "AGENTS_DIR"),
        ("AGENTS_DIRS", "AGENTS_DIR"),
    ],
)
def test_a_near_miss_is_told_with_the_nearest_name(name: str, meant: str) -> None:
    """One line each."""
    assert list(misspelt.lines([name, "PATH"], KNOWN)) == [f"{name} is no setting. {meant} is one"]


def test_what_is_far_from_every_name_is_told_where_the_prefix_is_ours_alone() -> None:
    """API_ may be another program's."""
    assert list(misspelt.lines(["SESSION_DB_COLOUR", "API_COLOUR"], KNOWN)) == [
        "SESSION_DB_COLOUR is no setting. docs/api.md has all of them"
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("API_KEY", "API_KEYS", "API_URL", "API_BASE_URL", "API_HOST", "API_VERSION", "API_TIMEOUT", "API_SECRET"),
        *("API_SERVICE_HOST", "API_SERVICE_PORT_HTTP", "API_PORT", "API_PORT_8000_TCP_ADDR"),
        *("SESSION_DB_SERVICE_HOST", "SESSION_DB_PORT", "SESSION_DB_PORT_5432_TCP", "SESSION_DB_POSTGRES_SERVICE_PORT"),
        *("ADMIN_DB", "ADMIN_DASHBOARD_URL", "AGENTS", "AGENT_NAME", "SESSION_DIR", "SESSION_DATABASE"),
        *("GOOGLE_API_KEY", "SESSION_DB", "MY_SESSION_DB_URI"),
    ],
)
def test_what_others_set_is_left_alone(name: str) -> None:
    """Other programs, and Kubernetes for every service by its name."""
    assert list(misspelt.lines([name], KNOWN)) == []


def test_what_this_project_sets_is_left_alone() -> None:
    """Every variable of docker-compose.yml, of the template of `.env`, and of a rehearsal."""
    files = [ROOT / "docker-compose.yml", ROOT / ".env.example", ROOT / "Makefile", *(ROOT / "rehearsal").rglob("*.py")]
    text = "\n".join(file.read_text() for file in files)
    names = set(re.findall(r"\b(?:SESSION_DB|API)_[A-Z_]+\b", text))

    assert len(names) > 20
    assert list(misspelt.lines(names, KNOWN)) == []
