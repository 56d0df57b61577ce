"""Artifacts and memories are kept where the settings say, or are refused: none is acknowledged and lost."""

import resource
from pathlib import Path
from urllib.parse import quote

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
    client.post(f"{USER}/sessions", json={"sessionId": "s"})
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


@pytest.mark.parametrize("place", ["memory://", "file"])
@pytest.mark.parametrize("name", [".", "", " ", "a/../b", "/etc/passwd", "x" * 300, "a//b", "a/.", "x\0y"])
def test_a_name_that_no_file_can_have_is_refused(serve: Serve, tmp_path: Path, place: str, name: str) -> None:
    """The same ones wherever they are kept; a folder would take some for one file, and raise for the others."""
    client = serve(API_ARTIFACTS=tmp_path.as_uri() if place == "file" else place)
    client.post(f"{USER}/sessions", json={"sessionId": "s"})

    answers = [client.post(ARTIFACTS, json=FILE | {"filename": name})]
    if name.strip(" ./") and "/../" not in name and "\0" not in name:  # Else the path is another one.
        answers += [client.request(method, f"{ARTIFACTS}/{quote(name, safe='')}") for method in ("GET", "DELETE")]

    for answer in answers:
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json"), answer.text
    assert client.get(ARTIFACTS).json() == []


@pytest.mark.parametrize("name", ["a.txt", "user:a.txt", "images/photo.png", "x" * 200, "änd.txt"])
def test_other_names_are_kept(serve: Serve, tmp_path: Path, name: str) -> None:
    """As ADK documents them."""
    client = serve(API_ARTIFACTS=tmp_path.as_uri())
    client.post(f"{USER}/sessions", json={"sessionId": "s"})

    assert client.post(ARTIFACTS, json=FILE | {"filename": name}).status_code == 200
    assert client.get(f"{ARTIFACTS}/{quote(name, safe='')}").json()["inlineData"]["data"] == "aGk="


def test_a_folder_that_is_gone_is_not_made_anew(serve: Serve, tmp_path: Path) -> None:
    """As a share that is not mounted for a while: what was written below it would be hidden afterwards."""
    root = tmp_path / "share"
    root.mkdir()
    client = serve(API_ARTIFACTS=root.as_uri())
    client.post(f"{USER}/sessions", json={"sessionId": "s"})
    root.rename(tmp_path / "elsewhere")

    refused = client.post(ARTIFACTS, json=FILE)

    assert (refused.status_code, refused.json()["retry"], refused.headers["Retry-After"]) == (503, True, "5")
    assert not root.exists()
    (tmp_path / "elsewhere").rename(root)
    assert client.post(ARTIFACTS, json=FILE).status_code == 200


def test_a_folder_without_room_is_told(serve: Serve, tmp_path: Path) -> None:
    """As a database without room is; here no file of this process may be larger."""
    client = serve(API_ARTIFACTS=tmp_path.as_uri())
    client.post(f"{USER}/sessions", json={"sessionId": "s"})
    large = {"filename": "a", "artifact": {"inlineData": {"mimeType": "text/plain", "data": "aGlp" * 2**20}}}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        refused = client.post(ARTIFACTS, json=large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (refused.status_code, refused.json()["retry"]) == (507, False), refused.text


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
        ("API_ARTIFACTS", "file:///none/such", "there is no folder /none/such"),
        ("API_ARTIFACTS", "gs://bucket", "google-cloud-storage: docs/containers.md"),
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
