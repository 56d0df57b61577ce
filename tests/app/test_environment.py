"""Settings: the process environment, else `.env.local`, else `.env`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app import environment
from app.errors import InvalidSettingError
from tests.app.conftest import nobody

NAME = environment.SESSION_DB_URI
NAMES = [environment.SESSION_DB_URI, environment.ADMIN_DB_URI]


def write(root: Path, name: str = NAME, **values: str) -> None:
    """Set a variable in `.env` and `.env_local`, whichever is named."""
    files = {"env": ".env", "env_local": ".env.local"}
    for key, value in values.items():
        (root / files[key]).write_text(f"{name}={value}\n")


@pytest.mark.parametrize("name", NAMES)
def test_the_process_wins_over_the_files(name: str, tmp_path: Path) -> None:
    """What is exported for one command is for this command."""
    write(tmp_path, name, env="third", env_local="second")

    assert environment.setting(name, environ={name: "first"}, root=tmp_path) == "first"


@pytest.mark.parametrize("name", NAMES)
def test_the_local_file_wins_over_the_shared_one(name: str, tmp_path: Path) -> None:
    """`.env.local` is the developer's own."""
    write(tmp_path, name, env="third", env_local="second")

    assert environment.setting(name, environ={}, root=tmp_path) == "second"


@pytest.mark.parametrize("name", NAMES)
def test_the_shared_file_is_the_last(name: str, tmp_path: Path) -> None:
    """`.env` is what the whole team starts from."""
    write(tmp_path, name, env="third")

    assert environment.setting(name, environ={}, root=tmp_path) == "third"


def test_one_variable_says_nothing_of_another(tmp_path: Path) -> None:
    """The URI of the owner is never taken for that of the app, nor the other way round."""
    write(tmp_path, "ADMIN_DB_URI", env="postgresql://owner@h/db")

    assert environment.setting(NAME, environ={"ADMIN_DB_URI": "x"}, root=tmp_path) is None


def test_the_docstring_names_every_setting() -> None:
    """It is where a reader of the code looks first."""
    for name in (*NAMES, "AGENTS_DIR", "ENVIRONMENT"):
        assert f"\n{name} " in (environment.__doc__ or "")


def test_nothing_set_is_none(tmp_path: Path) -> None:
    """Neither file need be there."""
    assert environment.setting(NAME, environ={}, root=tmp_path) is None


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    """`SESSION_DB_URI=` in one place leaves the word to the next."""
    write(tmp_path, env="third", env_local="")

    assert environment.setting(NAME, environ={NAME: " "}, root=tmp_path) == "third"


def test_a_password_is_not_interpolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated one may contain `${`."""
    monkeypatch.setenv("HOME", "/wrong")
    write(tmp_path, env="postgresql://u:a${HOME}$b@h/db")

    assert environment.setting(NAME, environ={}, root=tmp_path) == "postgresql://u:a${HOME}$b@h/db"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors put one in front of the first name."""
    (tmp_path / ".env").write_text(f"{NAME}=first", encoding="utf-8-sig")

    assert environment.setting(NAME, environ={}, root=tmp_path) == "first"


def test_a_file_that_is_no_text_is_one_error(tmp_path: Path) -> None:
    """It names the file and what to do, and shows nothing of what is in it."""
    (tmp_path / ".env").write_bytes(b"SECRET=s3cret\xff\n")

    with pytest.raises(InvalidSettingError) as caught:
        environment.setting(NAME, environ={}, root=tmp_path)

    expected = f"expected {tmp_path}/.env to be readable UTF-8 text of NAME=value lines. Mend or remove it."
    assert str(caught.value) == expected


def test_the_agents_are_in_the_project_unless_said_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AGENTS_DIR` may be a link."""
    monkeypatch.setattr(environment, "_FILES", ())
    assert environment.agents_dir() == environment.ROOT / "agents"

    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path / "link"))
    assert environment.agents_dir() == tmp_path.resolve() / "real"


@pytest.mark.parametrize("name", ["missing", "file", "circle"])
def test_agents_that_are_no_folder_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ADK would serve no agent and not say so."""
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path / name))

    with pytest.raises(InvalidSettingError, match="expected AGENTS_DIR to name a folder of ADK agents, for example"):
        environment.agents_dir()


def test_the_server_takes_the_dev_stack_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a newcomer configures nothing."""
    monkeypatch.setattr(environment, "_FILES", ())

    assert environment.served_database().database == str(environment.ROOT / "data" / "sessions" / "sessions.db")


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("data/sessions/sessions.db", True),
        ("./data/sessions/../sessions/sessions.db", True),
        ("data/elsewhere/s.db", False),
        ("/srv/s.db", False),
    ],
)
def test_a_dev_stack_elsewhere_is_to_be_named(
    path: str, *, served: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file would be served in its place, empty, and all sessions would seem lost."""
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text(f"config:\n  session-database:backend: sqlite\n  session-database:sqlite:\n    path: {path}\n")
    monkeypatch.setattr(environment, "_FILES", ())
    monkeypatch.setattr(environment, "_STACK_FILE", stack)

    if served:
        assert environment.served_database().database == str(environment.ROOT / "data" / "sessions" / "sessions.db")
    else:
        with pytest.raises(
            InvalidSettingError, match=f"puts the database at {path}. For example: make serve STACK=dev"
        ):
            environment.served_database()
    monkeypatch.setenv(NAME, "sqlite:////srv/other.db")
    assert environment.served_database().database == "/srv/other.db", "whoever names one gets it"


@pytest.mark.parametrize("content", [None, "", "a: [", "config: 7", "config: {'session-database:sqlite': {path: 7}}"])
def test_a_stack_file_that_says_nothing_leaves_the_default(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the image, or one that somebody is writing."""
    if content is not None:
        (tmp_path / "stack").write_text(content)
    monkeypatch.setattr(environment, "_FILES", ())
    monkeypatch.setattr(environment, "_STACK_FILE", tmp_path / "stack")

    assert environment.served_database().get_backend_name() == "sqlite"


@pytest.mark.parametrize("line", ["git pull please", "SESSION_DB_URI", "A B=1", "'"])
@pytest.mark.parametrize("file", [".env", ".env.local"])
def test_a_line_that_is_none_is_named(line: str, file: str, tmp_path: Path) -> None:
    """It was meant to set something; python-dotenv passes over it. What it says may be secret."""
    (tmp_path / file).write_text(f"# A comment\nONE=1\n{line}\n")

    with pytest.raises(InvalidSettingError, match=rf"^expected line 3 of {tmp_path}/{file} to be NAME=value") as caught:
        environment.setting("ONE", environ={}, root=tmp_path)
    assert line not in str(caught.value)


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    """And is not, dozens of times, where it does not."""
    for value in ("1", "12"):
        (tmp_path / ".env").write_text(f"ONE={value}\n")
        assert environment.setting("ONE", environ={}, root=tmp_path) == value


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=oct)
@pytest.mark.parametrize("inside", ["", "agents"])
def test_agents_that_may_not_be_read_are_refused(mode: int, inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the clone of somebody with a strict umask is in a container: every request would be a 500."""
    with TemporaryDirectory() as name:
        folder = Path(name, inside)
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("AGENTS_DIR", str(folder))
        Path(name).chmod(mode)
        with nobody(), pytest.raises(InvalidSettingError, match="may read: chmod"):
            environment.agents_dir()
        Path(name).chmod(0o700)


def test_a_database_among_the_agents_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link does not get around it."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "agents")
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path / "agents"))
    monkeypatch.setenv(NAME, f"sqlite:///{tmp_path}/link/echo/sessions.db")

    with pytest.raises(InvalidSettingError, match="expected a database outside the agents folder"):
        environment.served_database()


def test_the_server_takes_postgresql_wherever_the_agents_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a file can be among them; the owner's URI is none of the server's business."""
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path))
    monkeypatch.setenv(NAME, f"postgres://app:pw@h/{tmp_path.name}")
    monkeypatch.setenv("ADMIN_DB_URI", "no uri")

    url = environment.served_database()

    assert url.render_as_string(hide_password=False) == f"postgresql+psycopg://app:pw@h/{tmp_path.name}"


def test_the_names_of_all_places_are_known(tmp_path: Path) -> None:
    """Of what is set to something; for whoever looks for typing errors."""
    (tmp_path / ".env").write_text("ONE=1\nEMPTY=\n")
    (tmp_path / ".env.local").write_text("TWO=2\n")

    assert environment.names(environ={"THREE": "3", "BLANK": " "}, root=tmp_path) == {"ONE", "TWO", "THREE"}


@pytest.mark.parametrize("folder", ["x" * 5000, "two\nlines"], ids=["too long", "two lines"])
def test_a_folder_that_can_be_none_is_refused_in_one_line(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes a line of their own into a log by it."""
    monkeypatch.setenv("AGENTS_DIR", folder)

    for look in (environment.agents_dir, environment.served_database):
        with pytest.raises(InvalidSettingError, match="expected AGENTS_DIR to name a folder") as caught:
            look()
        assert len(str(caught.value).splitlines()) == 1
