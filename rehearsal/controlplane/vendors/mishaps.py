"""Faults of the vendors' own HTTP: a request is refused, begins what then fails, or is done and never answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rehearsal.controlplane.faults import Faults, doomed
from rehearsal.errors import CloudRefusalError

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Words:
    """How a vendor says something.

    Attributes:
        code: Its code.
        message: Its words.
        status: Of HTTP.
    """

    code: str
    message: str
    status: int

    def error(self) -> CloudRefusalError:
        """What is raised; a new one each time, since it remembers where."""
        return CloudRefusalError(self.code, self.message, self.status)


@dataclass(frozen=True)
class Mishaps:
    """What one vendor says.

    Attributes:
        cloud: Which.
        throttled: To who asks too often.
        failed: Of an operation that began and failed, and to a request that begins none.
        late: To who has waited too long for an answer; what was asked is done.
    """

    cloud: str
    throttled: Words
    failed: Words
    late: Words

    def through(self, faults: Faults, name: str, act: Callable[[], _Answer]) -> _Answer:
        """Answer a request, through the fault that awaits it.

        Args:
            faults: Those to come.
            name: The request's, for example "RebootDBInstance".
            act: Answers it.

        Raises:
            CloudRefusalError: Of the fault, or of the cloud.
        """
        fault = faults.take(self.cloud, "api", name)
        if fault == "throttle":
            raise self.throttled.error()
        if fault == "fail-half-way":
            return self._failing(act)
        answer = act()
        if fault is not None:  # Nobody here can kill who asks; that nobody hears is the same to the cloud.
            raise self.late.error()
        return answer

    def _failing(self, act: Callable[[], _Answer]) -> _Answer:
        with doomed(self.failed.error()) as doom:
            answer = act()
        if not doom.met:
            raise self.failed.error()
        return answer
