"""What every section of a stack file is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings: frozen, closed to unknown keys, and silent about rejected values, which may be secrets."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_by_name=True, regex_engine="python-re"
    )
