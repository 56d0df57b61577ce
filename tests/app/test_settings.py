"""Settings of the environment: typed, refused in one line each, and silent about secrets."""

from collections.abc import Mapping
from typing import Self

import pytest
from pydantic import SecretStr, model_validator

from app.errors import InvalidSettingError
from app.settings import Settings, variable


class Example(Settings):
    """Some settings."""

    size: int = variable("EXAMPLE_SIZE", 5, "how many", ge=1, le=20)
    word: SecretStr | None = variable("EXAMPLE_WORD", None, "a secret", example="change-me", min_length=8)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.size == 13 and self.word:
            message = "expected no EXAMPLE_WORD with EXAMPLE_SIZE=13"
            raise ValueError(message)
        return self


def read(variables: Mapping[str, str]) -> Example:
    """As from an environment that holds the variables."""
    return Example.read(variables.get)


def test_what_is_unset_has_its_default() -> None:
    """And nothing else is looked at."""
    found = read({"OTHER_SIZE": "7"})

    assert (found.size, found.word) == (5, None)


def test_values_are_typed() -> None:
    """A secret is an object that does not show it."""
    found = read({"EXAMPLE_SIZE": "7", "EXAMPLE_WORD": "open-sesame"})

    assert found.size == 7
    assert found.word is not None
    assert found.word.get_secret_value() == "open-sesame"
    assert "sesame" not in repr(found)


@pytest.mark.parametrize("value", ["0", "21", "many", "1.5"])
def test_a_value_that_does_not_fit_is_refused_in_one_line(value: str) -> None:
    """With the variable, an example and the place."""
    with pytest.raises(InvalidSettingError) as caught:
        read({"EXAMPLE_SIZE": value})

    assert str(caught.value).startswith("expected another value of EXAMPLE_SIZE: input should be ")
    assert str(caught.value).endswith(". For example EXAMPLE_SIZE=5. It is set in the environment, .env.local or .env")


def test_a_secret_that_does_not_fit_is_not_shown() -> None:
    """Nor is it in what caused the error."""
    with pytest.raises(InvalidSettingError) as caught:
        read({"EXAMPLE_WORD": "sesame", "EXAMPLE_SIZE": "x"})

    assert len(str(caught.value).splitlines()) == 2
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_that_do_not_go_together_are_refused() -> None:
    """In the words of the rule."""
    with pytest.raises(InvalidSettingError, match=r"^expected no EXAMPLE_WORD with EXAMPLE_SIZE=13\. It is set"):
        read({"EXAMPLE_SIZE": "13", "EXAMPLE_WORD": "open-sesame"})


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is named."""
    monkeypatch.setenv("EXAMPLE_SIZE", "3")

    assert Example.read().size == 3
