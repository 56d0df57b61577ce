"""In a rehearsal nothing but the stand-ins answers, whatever the project says."""

from collections.abc import Callable
from typing import Any


def test_a_plugin_that_the_project_names_is_not_used(rehearse: Callable[[str], Any]) -> None:
    """The engine would take it before anything on PATH: here there is none, so that using it fails."""
    made = rehearse("gcp")
    project = made.project.root / "Pulumi.yaml"
    own = f"{project.read_text()}\nbackend: {{url: 'file:///nowhere'}}\nplugins:\n  providers:\n"
    project.write_text(own + "".join(f"    - {{name: {name}, path: /nowhere}}\n" for name in ("gcp", "random")))

    done = made.run("preview")

    assert done.returncode == 0, done.stderr
    assert "to create  DatabaseInstance adk-sessions-g1" in done.stderr
