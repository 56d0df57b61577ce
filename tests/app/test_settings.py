"""Settings of the environment: typed, refused in one line each, and silent about secrets."""

from collections.abc import Mapping
from typing import Literal, Self

import pytest
from pydantic import SecretStr, model_validator

from app import serve
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


class Bounded(Settings):
    """Settings of every kind of bound."""

    both: int = variable("BOUNDED_BOTH", 5, "how many", ge=1, le=20)
    least: float = variable("BOUNDED_LEAST", 5, "seconds", ge=0)
    over: float = variable("BOUNDED_OVER", 5, "seconds", gt=0, le=300)
    one_of: Literal["none", "some"] = variable("BOUNDED_ONE_OF", "none", "which")
    free: str | None = variable("BOUNDED_FREE", None, "what")


def test_what_a_setting_may_be_is_documented_from_its_class() -> None:
    """So that nobody has to find it out by a refusal."""
    assert [each[3] for each in Bounded.documented()] == [
        "1 to 20",
        "0 or more",
        "over 0, to 300",
        "`none`, `some`",
        "",
    ]


@pytest.mark.parametrize("group", serve.GROUPS, ids=lambda group: group.__name__)
def test_no_number_of_a_server_is_without_end(group: type[Settings]) -> None:
    """With API_GRACE=inf a server that is told to end never would."""
    endless = {
        str(field.validation_alias): bounds
        for field, (_, _, _, bounds) in zip(group.model_fields.values(), group.documented(), strict=True)
        if field.annotation in (int, float) and " to " not in bounds
    }

    assert endless == {}


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is named."""
    monkeypatch.setenv("EXAMPLE_SIZE", "3")

    assert Example.read().size == 3
