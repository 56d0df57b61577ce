"""The instance class: whether PostgreSQL runs on it, and whether it has the memory for the app's connections."""

from collections.abc import Iterator
from typing import Final

from infra.preflight.aws.machines import CLUSTERS_ONLY, FAMILIES, RETIRED, max_connections
from infra.settings.aws import AwsSettings
from infra.settings.refusals import Refusal

_KEY: Final = "aws.instance_class"
_FIX: Final = "{instance_class: db.m7g.large}"

_PER_PROCESS: Final = 15
"""What one of ADK's processes opens at most: SQLAlchemy's pool of 5 and its overflow of 10."""

_SPARE: Final = 15
"""For a bootstrap, for people, and for those that PostgreSQL and RDS keep for themselves."""


def check(settings: AwsSettings) -> Iterator[Refusal]:
    """What is wrong with the instance class; read-only."""
    _db, family, size = settings.instance_class.split(".")
    if family in RETIRED:
        yield Refusal(_KEY, f"a family that PostgreSQL {settings.version} runs on, which {family} is not", _FIX)
    elif family in CLUSTERS_ONLY:
        yield Refusal(_KEY, f"a family for instances; {family} is one for Multi-AZ clusters alone", _FIX)
    elif family not in FAMILIES:
        yield Refusal(_KEY, f"a class of one of the families {', '.join(FAMILIES)}", _FIX)
    elif size not in FAMILIES[family].sizes:
        sizes = FAMILIES[family].sizes
        fix = f"{{instance_class: db.{family}.{sizes[0]}}}"
        yield Refusal(_KEY, f"one of the sizes of {family}: {', '.join(sizes)}", fix)
    else:
        yield from _connections(settings)


def _connections(settings: AwsSettings) -> Iterator[Refusal]:
    most = max_connections(settings.instance_class)
    wanted = settings.api_processes * _PER_PROCESS + _SPARE
    if wanted > most:
        fits = max((most - _SPARE) // _PER_PROCESS, 1)
        yield Refusal(
            "aws.api_processes",
            f"up to {fits} processes: {settings.instance_class} allows about {most} connections, and "
            f"{settings.api_processes} processes of {_PER_PROCESS} each need {wanted}",
            f"{{instance_class: {_enough(settings.instance_class, wanted)}}}",
        )


def _enough(instance_class: str, wanted: int) -> str:
    """The smallest size of the same family with so many connections, or else a large one of another."""
    family = instance_class.split(".")[1]
    bigger = (f"db.{family}.{size}" for size in FAMILIES[family].sizes)
    return next((each for each in bigger if max_connections(each) >= wanted), "db.r8g.4xlarge")
