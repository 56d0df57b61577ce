"""Settings as environment variables, typed: whatever does not fit is refused in one line that never shows a secret."""

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from app import environment
from app.errors import InvalidSettingError

Look = Callable[[str], str | None]

WHERE: Final = "It is set in the environment, .env.local or .env"
"""The place to change, for messages."""


def variable(name: str, default: Any, meaning: str, *, example: str | None = None, **bounds: Any) -> Any:
    """A setting that one environment variable holds.

    Args:
        name: The variable, for example `SESSION_DB_POOL_SIZE`.
        default: What counts where it is unset.
        meaning: What it decides and in which unit, for the documentation.
        example: A value that is accepted; the default where None.
        bounds: As pydantic's `Field` takes them, for example `ge=1`.
    """
    return Field(default, validation_alias=name, description=meaning, examples=[example or str(default)], **bounds)


class Settings(BaseModel):
    """A group of settings; each field is declared by `variable`, a secret one as `pydantic.SecretStr`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_by_name=True)

    @classmethod
    def read(cls, look: Look = environment.setting) -> Self:
        """The settings of the environment, of `.env.local` and of `.env`; read-only.

        Args:
            look: Gives the value of a variable, or None where it is unset.

        Raises:
            InvalidSettingError: A value does not fit.
        """
        named = {_name(field): field for field in cls.model_fields.values()}
        found = {name: value for name in named if (value := look(name)) is not None}
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            raise InvalidSettingError("\n".join(_refusal(each, named) for each in error.errors())) from None

    @classmethod
    def documented(cls) -> Iterator[tuple[str, str, str, str]]:
        """Each variable with what it decides, its default and what it may be, empty where there is none; read-only."""
        for field in cls.model_fields.values():
            default = "" if field.default is None else str(field.default)
            yield _name(field), field.description or "", default, _range(field)


def _name(field: FieldInfo) -> str:
    return str(field.validation_alias)


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(field.annotation))
    least, over, most = (_bound(field, name) for name in ("ge", "gt", "le"))
    if over is not None:
        return f"over {over}, to {most}"
    return "" if least is None else f"{least} to {most}" if most is not None else f"{least} or more"


def _bound(field: FieldInfo, name: str) -> Any:
    return next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)


def _refusal(error: Any, named: dict[str, FieldInfo]) -> str:
    """One line; pydantic's own words start with a capital letter and tell the bounds."""
    said = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:  # Of several settings together, whose words name them.
        return f"{said}. {WHERE}"
    (name, *_) = error["loc"]
    example = named[name].examples or [""]
    return f"expected another value of {name}: {said[:1].lower()}{said[1:]}. For example {name}={example[0]}. {WHERE}"
