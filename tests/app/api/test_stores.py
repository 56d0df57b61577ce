"""Artifacts and memories are kept where the settings say, or are refused: none is acknowledged and lost."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from app import server
from app.errors import InvalidSettingError
from tests.app.api.conftest import Serve, running

USER = "/apps/echo/users/ada"
ARTIFACTS = f"{USER}/sessions/s/artifacts"
FILE = {"filename": "a", "artifact": {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}}


def kept(client: httpx.Client) -> object:
    """Make a session with one artifact; returns the artifact as it is read."""
    client.post(f"{USER}/sessions/s")
    saved = client.post(ARTIFACTS, json=FILE)
    assert saved.status_code == 200, saved.text
    return client.get(f"{ARTIFACTS}/a").json()["inlineData"]["data"]


@pytest.mark.parametrize(
    ("method", "path", "variable"),
    [
        ("POST", ARTIFACTS, "API_ARTIFACTS"),
        ("GET", ARTIFACTS, "API_ARTIFACTS"),
        ("GET", f"{ARTIFACTS}/a", "API_ARTIFACTS"),
        ("GET", f"{ARTIFACTS}/a/versions/0/metadata", "API_ARTIFACTS"),
        ("DELETE", f"{ARTIFACTS}/a", "API_ARTIFACTS"),
        ("PATCH", f"{USER}/memory", "API_MEMORIES"),
    ],
)
def test_what_has_no_place_is_not_taken(
    sqlite_url: URL, monkeypatch: pytest.MonkeyPatch, method: str, path: str, variable: str
) -> None:
    """An artifact that is acknowledged and gone after a restart is worse than none."""
    monkeypatch.delenv(variable, raising=False)
    with running(server.adk_app(None, sqlite_url)) as client:
        refused = client.request(method, path, json=FILE if method == "POST" else None)
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/problem+json")
    assert variable in refused.json()["detail"], "the answer names what is to be set"


def test_sessions_need_no_place(sqlite_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the database."""
    for variable in ("API_ARTIFACTS", "API_MEMORIES"):
        monkeypatch.delenv(variable, raising=False)
    with running(server.adk_app(None, sqlite_url)) as client:
        assert client.post(f"{USER}/sessions").status_code == 200


def test_artifacts_in_a_folder_outlive_the_server(serve: Serve, tmp_path: Path) -> None:
    """As a folder that all replicas mount."""
    assert kept(serve(API_ARTIFACTS=tmp_path.as_uri())) == "aGk="
    another = serve(API_ARTIFACTS=tmp_path.as_uri())
    assert another.get(f"{ARTIFACTS}/a").json()["inlineData"]["data"] == "aGk=", "a restart or a replica sees it"


def test_artifacts_in_memory_are_the_process_own(serve: Serve) -> None:
    """Whoever says so knows it."""
    assert kept(serve(API_ARTIFACTS="memory://")) == "aGk="
    assert serve(API_ARTIFACTS="memory://").get(ARTIFACTS).json() == []


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("API_ARTIFACTS", "s3://bucket", "ADK knows no such scheme"),
        ("API_ARTIFACTS", "bucket", "ADK knows no such scheme"),
        ("API_ARTIFACTS", "file://elsewhere/folder", "local filesystem"),
        ("API_ARTIFACTS", "file://", "path"),
        ("API_MEMORIES", "rag://", "corpus"),
        ("API_MEMORIES", "nowhere://x", "ADK knows no such scheme"),
    ],
)
def test_a_place_that_cannot_be_used_ends_the_start(
    sqlite_url: URL, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    """ADK itself would go on with memory, and say so in a log."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettingError, match=f"expected {variable} .*(?i:{reason})") as refused:
        server.adk_app(None, sqlite_url)
    assert "\n" not in str(refused.value)
