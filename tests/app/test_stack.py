"""The record of a stack, asked of a stand-in for the provisioning half; the real one is asked in tests/e2e."""

from pathlib import Path

import pytest

from app import stack
from app.errors import InvalidSettingError, StackUnavailableError


@pytest.fixture
def infra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that speaks for `python -m infra` in a project of its own."""
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "__init__.py").touch()
    return tmp_path / "infra" / "__main__.py"


def test_the_exported_record_is_returned(infra: Path) -> None:
    """The stack is named as it was asked for; no secret is in what a log would show."""
    infra.write_text(
        "import json, sys\n"
        "assert sys.argv[1:] == ['outputs', '--stack', 'dev', '--json', '--show-secrets']\n"
        "outputs = {'admin_db_uri': 'postgresql://owner@h/d', 'session_db_uri': 'postgresql://app@h/d', 'port': 5432}\n"
        "print(json.dumps({'outputs': outputs}))\n"
    )

    record = stack.record_of("dev")

    assert (record.text(stack.APP), record.text(stack.OWNER)) == ("postgresql://app@h/d", "postgresql://owner@h/d")
    assert (record.text("port"), record.text("instance")) == ("5432", "")
    assert (record.rehearsal, record.reach) == (False, None)
    assert "postgresql" not in repr(record)


def test_a_rehearsal_tells_where_its_control_plane_and_hosts_are(infra: Path) -> None:
    """Beside the record, which is a cloud's."""
    infra.write_text(
        "import json, sys\n"
        "assert sys.argv[1:] == ['outputs', '--stack', 'prod', '--json', '--show-secrets', '--rehearse']\n"
        "outputs = {'admin_db_uri': 'postgresql://owner@h/d', 'session_db_uri': 'postgresql://app@h/d'}\n"
        "extra = {'control_plane': 'http://127.0.0.1:1/t', 'reach': '/ground/reach.json'}\n"
        "print(json.dumps({'outputs': outputs} | extra))\n"
    )

    record = stack.record_of("prod", rehearse=True)

    assert (record.control_plane, record.reach) == ("http://127.0.0.1:1/t", Path("/ground/reach.json"))
    assert record.rehearsal


def test_where_no_stack_can_be_asked_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the image, which has the app alone."""
    monkeypatch.setattr(stack, "ROOT", tmp_path)

    with pytest.raises(InvalidSettingError, match=r"as in the image.*Set SESSION_DB_URI"):
        stack.record_of("dev")


def test_a_failure_is_passed_on_in_one_line(infra: Path) -> None:
    """The program's own words say what helps."""
    infra.write_text("import sys\nsys.exit('[1/2] looking\\nerror: expected a stack\\nerror:   - found none')\n")

    with pytest.raises(StackUnavailableError) as caught:
        stack.record_of("prod")

    expected = "expected the outputs of stack prod, but: expected a stack   - found none"
    assert str(caught.value) == expected


def test_a_wrong_stack_file_has_the_code_that_it_has_there(infra: Path) -> None:
    """For example a name that is misspelt: the same mistake, whichever half finds it first."""
    infra.write_text(
        "import sys\nprint('error: expected a stack file Pulumi.prd.yaml', file=sys.stderr)\nsys.exit(2)\n"
    )

    with pytest.raises(InvalidSettingError) as caught:
        stack.record_of("prd")

    assert str(caught.value) == "expected a stack file Pulumi.prd.yaml"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"outputs": null}',
        '{"outputs": {}}',
        '{"outputs": {"session_db_uri": "sqlite:////srv/s.db"}}',
        '{"outputs": {"admin_db_uri": "sqlite:////srv/s.db"}}',
    ],
)
def test_an_answer_without_both_uris_is_one_error(answer: str, infra: Path) -> None:
    """For example of a stack that an older version of the project made."""
    infra.write_text(f"print({answer!r})")

    words = "it exports no session_db_uri and admin_db_uri. To make them: make up STACK=dev"
    with pytest.raises(StackUnavailableError, match=words):
        stack.record_of("dev")


def test_no_answer_is_one_error(infra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up is bounded."""
    infra.write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setattr(stack, "_SECONDS", 0.2)

    with pytest.raises(StackUnavailableError, match="no answer within"):
        stack.record_of("dev")
