"""The API for plugins: a verb, a JSON object, and an answer when the work is done."""

from collections.abc import Callable
from typing import Any, Final

from rehearsal.controlplane.contents import Content
from rehearsal.controlplane.ledger import Document
from rehearsal.controlplane.operations import Operation
from rehearsal.controlplane.plane import ControlPlane
from rehearsal.controlplane.request import ServerChange, ServerRequest
from rehearsal.controlplane.things import Need, Thing
from rehearsal.errors import CloudRefusalError

Verb = Callable[[Document], Document | None]
"""What only does something answers nothing."""


class Internal:
    """The verbs.

    Args:
        plane: What is asked.
        stop: Ends the control plane after the answer.
    """

    def __init__(self, plane: ControlPlane, stop: Callable[[], None]) -> None:
        """A table of contents."""
        self._plane = plane
        self._verbs: dict[str, Verb] = {
            "ping": lambda _: {},
            "stop": lambda _: stop(),
            "authority": lambda _: {"ca": plane.authority},
            **self._of_servers(),
            **self._of_contents(),
            **self._of_things(),
            **self._of_faults(),
        }

    def answer(self, verb: str, asked: Document) -> Document:
        """Do what a verb says, and wait for its end.

        Args:
            verb: For example "servers.create".
            asked: Its arguments.

        Raises:
            CloudRefusalError: The cloud refuses, or the arguments are none of the verb's.
        """
        if verb not in self._verbs:
            message = f"expected one of {', '.join(sorted(self._verbs))}, got {verb!r}"
            raise CloudRefusalError(code="InvalidVerb", message=message, status=404)
        try:
            return self._verbs[verb](asked) or {}
        except (KeyError, TypeError) as error:
            message = f"{verb}: expected other arguments: {error}"
            raise CloudRefusalError(code="InvalidArguments", message=message) from error

    def _of_servers(self) -> dict[str, Verb]:
        return {
            "servers.create": self._create,
            "servers.modify": self._modify,
            "servers.failover": self._fail_over,
            "servers.delete": self._delete,
            "servers.describe": lambda asked: self._describe(asked["cloud"], asked["name"]),
            "servers.list": self._list,
            "backups.list": self._backups,
            "backups.create": self._back_up,
        }

    def _create(self, asked: Document) -> Document:
        request = ServerRequest(**asked)
        self._wait(self._plane.servers.create(request))
        return self._describe(request.cloud, request.name)

    def _modify(self, asked: Document) -> Document:
        cloud, name, change = _named(asked)
        self._wait(self._plane.servers.modify(cloud, name, ServerChange(**change), wait=True))
        return self._describe(cloud, name)

    def _fail_over(self, asked: Document) -> Document:
        cloud, name, how = _named(asked)
        self._wait(self._plane.servers.fail_over(cloud, name, **how))
        return self._describe(cloud, name)

    def _delete(self, asked: Document) -> None:
        cloud, name, how = _named(asked)
        self._wait(self._plane.servers.delete(cloud, name, wait=True, **how))

    def _describe(self, cloud: str, name: str) -> Document:
        record = self._plane.servers.get(cloud, name, fresh=True)
        contents = self._plane.contents
        return {
            **record.answer(),
            "users": contents.users(record),
            "databases": contents.databases(record),
        }

    def _list(self, asked: Document) -> Document:
        register = self._plane.servers.register
        cloud = asked.get("cloud")
        return {
            "servers": [record.answer() for record in self._plane.servers.all(cloud)],
            "retained": [record.answer() for record in register.retained(cloud)],
        }

    def _back_up(self, asked: Document) -> None:
        self._wait(self._plane.servers.back_up(asked["cloud"], asked["server"], asked["label"]))

    def _backups(self, asked: Document) -> Document:
        backups = self._plane.servers.register.backups(asked["cloud"], asked.get("server"))
        return {"backups": [vars(each) for each in backups]}

    def _of_contents(self) -> dict[str, Verb]:
        contents = self._plane.contents

        def password(asked: Document) -> str:
            return asked.get("password") or ""

        work: dict[str, Callable[[Document], Operation]] = {
            "users.create": lambda asked: contents.create_user(
                _content(asked), password(asked), iam=asked.get("iam", False)
            ),
            "users.modify": lambda asked: contents.modify_user(_content(asked), password(asked)),
            "users.delete": lambda asked: contents.delete_user(_content(asked)),
            "databases.create": lambda asked: contents.create_database(_content(asked), asked.get("owner") or ""),
            "databases.delete": lambda asked: contents.delete_database(_content(asked)),
        }

        def waiting(begin: Callable[[Document], Operation]) -> Verb:
            return lambda asked: self._wait(begin(asked))

        return {verb: waiting(begin) for verb, begin in work.items()}

    def _of_things(self) -> dict[str, Verb]:
        things, names = self._plane.things, self._plane.names

        def put(asked: Document) -> None:
            needs = [Need.of(each) for each in asked.get("needs", [])]
            thing = Thing(asked["cloud"], asked["type"], asked["id"], needs, asked.get("config", {}))
            things.put(thing, missing=asked.get("missing"))

        def remove(asked: Document) -> None:
            things.remove(asked["cloud"], asked["id"], in_use=asked.get("in_use"))

        def get(asked: Document) -> Document:
            thing = things.get(asked["cloud"], asked["id"])
            return {"thing": None if thing is None else {"type": thing.type, "id": thing.id, "config": thing.config}}

        def listed(asked: Document) -> Document:
            chosen = [each for each in things.all() if asked.get("cloud") in (None, each.cloud)]
            return {"things": [{"cloud": each.cloud, "type": each.type, "id": each.id} for each in chosen]}

        return {
            "things.put": put,
            "things.remove": remove,
            "things.get": get,
            "things.list": listed,
            "names.take": lambda asked: names.take(**asked),
            "names.release": lambda asked: names.release(**asked),
        }

    def _of_faults(self) -> dict[str, Verb]:
        faults = self._plane.faults

        def add(asked: Document) -> None:
            rest = {key: value for key, value in asked.items() if key in _FAULT_OPTIONS}
            faults.add(asked["type"], asked["operation"], asked["fault"], **rest)

        return {
            "faults.add": add,
            "faults.take": lambda asked: {"fault": faults.take(asked["cloud"], asked["type"], asked["operation"])},
            "faults.list": lambda _: {"faults": faults.all()},
            "faults.clear": lambda _: faults.clear(),
        }

    def _wait(self, operation: Operation) -> None:
        self._plane.servers.operations.wait(operation)


_FAULT_OPTIONS: Final = frozenset({"cloud", "times"})


def _named(asked: Document) -> tuple[str, str, dict[str, Any]]:
    """The server's cloud and name, and the other arguments."""
    rest = {key: value for key, value in asked.items() if key not in ("cloud", "name")}
    return asked["cloud"], asked["name"], rest


def _content(asked: Document) -> Content:
    return Content(asked["cloud"], asked["server"], asked["name"])
