"""What is in a Cloud SQL instance: databases and users."""

import re
from collections.abc import Iterator
from typing import Any, Final

from rehearsal.plugin.behaviour import Call
from rehearsal.plugin.living import Found, Resource
from rehearsal.plugin.plane import Plane
from rehearsal.refusal import Refusal
from rehearsal.values import Inputs
from rehearsal.vendors.declared import says, words
from rehearsal.vendors.gcp.base import NAME, Google, given, text

_SYSTEM: Final = ("cloudsqladmin", "cloudsqlagent", "cloudsqlreplica", "cloudsqlimportexport", "cloudsqlsuperuser")
"""Users of Google's own (Cloud SQL, "About PostgreSQL users and roles")."""

_LONGEST: Final = 63


class Database(Google):
    """A database."""

    token = "gcp:sql/database:Database"  # noqa: S105
    autoname = NAME
    replaces = words("instance name project")
    model = "sqladmin.v1/Database"
    elsewhere = frozenset({"deletionPolicy"})
    form = "projects/{project}/instances/{instance}/databases/{name}"
    fills = says(deletionPolicy="DELETE")
    answers = says(
        charset="UTF8",
        collation="en_US.UTF8",
        selfLink="https://sqladmin.googleapis.com/sql/v1beta4/projects/{project}/instances/{instance}/databases/{name}",
    )

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Names that PostgreSQL or Google has taken."""
        del call
        name = text(inputs.get("name"))
        if name in ("cloudsqladmin", "template0", "template1") or len(name) > _LONGEST:
            yield Refusal("name", f"expected a name of one's own of at most {_LONGEST} characters, got {name!r}")
        if text(inputs.get("deletionPolicy")) not in ("", "ABANDON", "DELETE"):
            yield Refusal("deletionPolicy", f"expected ABANDON or DELETE, got {inputs['deletionPolicy']!r}")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """databases.insert."""
        del half
        behind.ask("databases.create", server=this.inputs["instance"], name=this.inputs["name"])
        return {}

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """Nothing of it changes in place."""
        del behind, this, before
        return {}

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """databases.get."""
        found = behind.server(_place(this, "instance", "instances"))
        name = _place(this, "name", "databases")
        return Found({}, {}) if found is not None and name in found["databases"] else None

    def end(self, behind: Plane, this: Resource) -> None:
        """databases.delete, unless it is abandoned."""
        server, name = this.outputs["instance"], this.outputs["name"]
        if this.outputs.get("deletionPolicy") != "ABANDON" and self.look(behind, this) is not None:
            behind.ask("databases.delete", server=server, name=name)


class User(Google):
    """A login: a password's, or an identity's."""

    token = "gcp:sql/user:User"  # noqa: S105
    autoname = NAME
    replaces = words("instance host name project type")
    secrets = frozenset({"password"})
    model = "sqladmin.v1/User"
    elsewhere = frozenset({"deletionPolicy", "passwordWo", "passwordWoVersion"})
    form = "{name}//{instance}"
    answers = says(host="", sqlServerUserDetails=[])

    def body(self, inputs: dict[str, Any]) -> Inputs:
        """The policy is one block, and the status in it is the server's to say."""
        body = super().body(inputs)
        policy = body.get("passwordPolicy")
        if isinstance(policy, dict):
            body["passwordPolicy"] = {key: value for key, value in policy.items() if key != "statuses"}
        return body

    def rules(self, call: Call, inputs: dict[str, Any]) -> Iterator[Refusal]:
        """Names by kind of login (Cloud SQL, "Users and roles", "IAM authentication")."""
        del call
        name, kind = text(inputs.get("name")), text(inputs.get("type")) or "BUILT_IN"
        if name in _SYSTEM or (kind == "BUILT_IN" and name.startswith(("pg_", "cloudsql"))):
            yield Refusal("name", f"{name} is reserved: expected another name, for example adk_owner")
        if kind == "BUILT_IN" and (len(name) > _LONGEST or "@" in name):
            yield Refusal("name", f"expected at most {_LONGEST} characters and no @, got {name!r}")
        if kind == "CLOUD_IAM_SERVICE_ACCOUNT" and name.endswith(".gserviceaccount.com"):
            reason = "Database username for Cloud IAM service account should be created without"
            yield Refusal("name", f'{reason} ".gserviceaccount.com" suffix')
        if kind != "BUILT_IN":
            if name and not re.fullmatch(r"[^@\s]+@[^@\s]+", name):
                yield Refusal("name", f"expected an e-mail address for {kind}, got {name!r}")
            if given(inputs.get("password")):
                yield Refusal("password", f"a user of type {kind} has no password")
        if text(inputs.get("deletionPolicy")) not in ("", "ABANDON"):
            yield Refusal("deletionPolicy", f"expected ABANDON or nothing, got {inputs['deletionPolicy']!r}")

    def begin(self, behind: Plane, this: Resource, *, half: bool) -> Inputs:
        """users.insert, which gives one that a clone brought along the password."""
        del half
        kind = this.inputs.get("type") or "BUILT_IN"
        behind.ask("users.create", **_login(this), iam=kind != "BUILT_IN")
        return {}

    def change(self, behind: Plane, this: Resource, before: dict[str, Any]) -> Inputs:
        """users.update."""
        if this.inputs.get("password") != before.get("password"):
            behind.ask("users.modify", **_login(this))
        return {}

    def look(self, behind: Plane, this: Resource) -> Found | None:
        """users.get."""
        found = behind.server(_place(this, "instance", "instances"))
        return Found({}, {}) if found is not None and _place(this, "name", "users") in found["users"] else None

    def end(self, behind: Plane, this: Resource) -> None:
        """users.delete, unless it is abandoned; PostgreSQL refuses it of a role that owns something."""
        if this.outputs.get("deletionPolicy") != "ABANDON" and self.look(behind, this) is not None:
            behind.ask("users.delete", server=this.outputs["instance"], name=this.outputs["name"])

    def imported(self, call: Call, identity: str) -> Inputs:
        """`projects/<project>/instances/<instance>/users/<name>`, or `<project>/<instance>/<name>`."""
        del call
        parts = [part for part in identity.split("/") if part not in ("projects", "instances", "users", "")]
        return dict(zip(("project", "instance", "name"), parts[-3:], strict=False))


def _login(this: Resource) -> dict[str, str]:
    return {
        "server": this.inputs["instance"],
        "name": this.inputs["name"],
        "password": this.inputs.get("password") or "",
    }


def _place(this: Resource, key: str, part: str) -> str:
    """The instance, or the name in it; of what is imported as its id says, after the word before it."""
    known = this.outputs.get(key)
    steps = this.identity.split("/")
    return str(known or (steps[steps.index(part) + 1] if part in steps[:-1] else ""))


class SslCert(Google):
    """A client's certificate."""

    token = "gcp:sql/sslCert:SslCert"  # noqa: S105
    replaces = words("commonName instance project")
    form = "projects/{project}/instances/{instance}/sslCerts/{hex}"
    answers = says(sha1Fingerprint="{hex}")
