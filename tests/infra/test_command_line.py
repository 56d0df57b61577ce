"""What the command line says when something is refused."""

import pytest

from infra import __main__ as command_line
from infra.errors import SettingsError


def test_each_distinct_line_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal of twenty resources is one to mend."""
    refusal = SettingsError("expected a\nexpected b\nexpected a")

    with pytest.raises(SystemExit) as ended, command_line._answering(as_json=False):  # noqa: SLF001  # Around each verb.
        raise refusal

    assert ended.value.code == SettingsError.exit_code
    assert capsys.readouterr().err.splitlines() == ["error: expected a", "error: expected b"]
