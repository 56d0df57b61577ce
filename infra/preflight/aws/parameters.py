"""Further server parameters."""

import re
from collections.abc import Iterator
from typing import Final

from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_NAME: Final = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?\Z")

_FIX: Final = "{parameters: {log_min_duration_statement: '500'}}"


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the parameters; read-only."""
    for name, value in settings.parameters.items():
        if not _NAME.match(name):
            yield Refusal("aws.parameters", "names of parameters in small letters", _FIX)
        elif name == "rds.force_ssl":
            yield Refusal(
                "aws.parameters", "no rds.force_ssl, which the program sets itself: TLS is not optional", _FIX
            )
        elif not value:
            yield Refusal("aws.parameters", f"a value for {name}; to leave it alone leave it out", _FIX)
