"""The stack is taken down, and nothing is left of it: no server, no password in clear."""

from typing import Final

from rehearsal.report.findings import Remains
from rehearsal.run import layout, passwords
from rehearsal.run.life import Life, counted, expect
from rehearsal.run.steps import generations

_FINAL: Final = {"gcp": 2, "aws": 2, "azure": 0}
"""Final backups of two generations, where the cloud takes any (docs/clouds.md, "Where the clouds differ")."""

_KEPT: Final = {
    "aws:kms/key:Key": "the key of what is copied to another region",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "the bucket of the logs",
    "gcp:projects/service:Service": "services of the project",
}
"""What no `destroy` takes along: without the key the copies of backups would be lost, Google keeps a deleted bucket for
a week, and a service that is switched off takes others with it.
"""


def unprotect(life: Life) -> str:
    """Destroy is refused while anything is protected; the protection is lifted, with a reason."""
    life.findings.refused["destroy"] = life.protects("destroy")
    life.file.set(deletion_protection=False)
    life.file.waive("deletion-protection", "the rehearsal is over, and the stack goes")
    return f"refused while protected, then {counted(life.commands.infra('up', '--no-bootstrap')['changes'])}"


def destroy(life: Life) -> str:
    """All of it."""
    life.close()
    generations.logs(life)
    changes = life.commands.infra("destroy")["changes"]
    expect(set(changes) == {"delete"}, f"expected everything to be deleted, got {counted(changes)}")
    return counted(changes)


def search(life: Life) -> str:
    """For every generated password: in the state and all its versions, in what was printed, in command lines."""
    ground, found = life.commands.ground, life.passwords
    state = (path for path in layout.STATE.rglob("*") if path.is_file())
    found.search("state", passwords.files(sorted(state), layout.STATE))
    found.search("printed text", [(life.commands.stack, "\n".join(life.commands.printed).encode())])
    found.search("command lines", [(line.split(" ")[0], line.encode()) for line in sorted(life.watch.seen)])
    found.search("logs", passwords.files([life.log], life.commands.folder))
    found.search("logs", passwords.files(sorted(ground.glob("*.log")), ground))
    life.findings.scan = scan = found.scan()
    return f"{len(scan.found)} found of {scan.passwords} passwords"


def left(life: Life) -> str:
    """What the cloud still has of it, by its own account."""
    plane = life.plane
    servers = [f"server {each['name']}" for each in plane.call("servers.list", cloud=life.cloud)["servers"]]
    things = plane.call("things.list", cloud=life.cloud)["things"]
    others = [f"{each['type']} {each['id']}" for each in things if each["type"] not in _KEPT]
    kept = tuple(dict.fromkeys(_KEPT[each["type"]] for each in things if each["type"] in _KEPT))
    backups = plane.call("backups.list", cloud=life.cloud)["backups"]
    final = tuple(each["label"] for each in backups if each["kind"] == "final")
    life.findings.remains = Remains((*servers, *others), kept, final, _FINAL[life.cloud])
    return f"{len(servers) + len(others)} left, and {len(final)} final backups"
