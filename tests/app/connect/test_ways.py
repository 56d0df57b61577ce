"""Each way to a server, by the commands that are run and by psql's own answer at its end."""

import shlex
import shutil
import subprocess
from typing import Any

import pytest

VM = "/subscriptions/s-1/resourceGroups/net/providers/Microsoft.Compute/virtualMachines/jump"
SSH = ["-N", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=30", "-L"]
NEW = "StrictHostKeyChecking=accept-new"
TUNNEL = "aws ec2-instance-connect open-tunnel --region eu-central-1 --instance-id i-0123456789abcdef0"
ENCRYPTED = ("--", "--no-psqlrc", "-Atc", "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
FORWARD = "127.0.0.1:PORT:db.example.org:5432"

WAYS: dict[str, tuple[str, list[str], list[list[str]]]] = {
    "Session Manager": (
        "aws",
        ["--through", "i-0123456789abcdef0"],
        [
            [
                *("aws", "ssm", "start-session", "--region", "eu-central-1", "--target", "i-0123456789abcdef0"),
                *("--document-name", "AWS-StartPortForwardingSessionToRemoteHost", "--parameters"),
                '{"host": ["db.example.org"], "portNumber": ["5432"], "localPortNumber": ["PORT"]}',
            ]
        ],
    ),
    "EC2 Instance Connect": (
        "aws",
        ["--through", "ec2-user@i-0123456789abcdef0"],
        [["ssh", "-o", f"ProxyCommand={TUNNEL}", "-o", NEW, *SSH, FORWARD, "--", "ec2-user@i-0123456789abcdef0"]],
    ),
    "Identity-Aware Proxy": (
        "gcp",
        ["--through", "europe-west3-a/jump"],
        [
            [
                *("gcloud", "compute", "ssh", "jump", "--project=example-project", "--zone=europe-west3-a"),
                *("--tunnel-through-iap", "--", *SSH, FORWARD),
            ]
        ],
    ),
    "Bastion": (
        "azure",
        ["--bastion", "hub", "--through", f"azureuser@{VM}"],
        [
            [
                *("az", "network", "bastion", "tunnel", "--subscription", "s-1", "--resource-group", "net"),
                *("--name", "hub", "--target-resource-id", VM, "--resource-port", "22", "--port", "PORT"),
            ],
            [
                *("ssh", "-p", "PORT", "-o", "HostKeyAlias=jump", "-o", NEW, *SSH),
                *(FORWARD, "--", "azureuser@127.0.0.1"),
            ],
        ],
    ),
    "ssh": (
        "postgres",
        ["--through", "ada@jump.example.org"],
        [["ssh", *SSH, FORWARD, "--", "ada@jump.example.org"]],
    ),
}


def described(argv: list[str]) -> str:
    """A command line with a word for each port that was chosen."""
    known = ("5432", "22")
    words = []
    for word in argv:
        for part in word.replace('"', " ").replace("=", " ").replace(":", " ").split():
            if part.isdigit() and len(part) > 3 and part not in known:
                word = word.replace(part, "PORT")  # noqa: PLW2901  # Each of them.
        words.append(word)
    return shlex.join(words)


@pytest.mark.parametrize("way", list(WAYS))
def test_a_tunnel_is_opened_and_the_server_s_certificate_is_checked_at_its_end(way: str, place: Any) -> None:
    """The command that is told is the command that is run, and nothing of it is left."""
    backend, options, expected = WAYS[way]
    place.record |= {"backend": backend, "instance": "example-project:europe-west3:sessions"}

    done = place.run(*options, *ENCRYPTED)

    assert (done.returncode, done.stdout) == (0, "master|t\n"), done.stderr
    assert [described(call) for call in place.calls()] == [shlex.join(each) for each in expected]
    *tunnels, psql = done.stderr.splitlines()
    assert tunnels == [shlex.join(call) for call in place.calls()]
    assert "host=db.example.org port=" in psql
    assert "sslmode=verify-full" in psql
    assert "hostaddr=127.0.0.1" in psql
    assert place.running() == []


def test_the_proxy_of_cloud_sql_is_used_as_the_runbook_says(place: Any) -> None:
    """Where the server does not answer here; what goes through it is encrypted by the proxy, not by psql."""
    place.record |= {"backend": "gcp", "instance": "example-project:europe-west3:sessions"}
    place.record["runbook"] = {"connect": "cloud-sql-proxy --private-ip --auto-iam-authn --port=6543 x & psql"}
    place.uri(port=1, sslmode="verify-full", hostaddr="127.0.0.1")

    done = place.run("--", "--no-psqlrc", "-Atc", "SELECT current_user")

    assert (done.returncode, done.stdout) == (0, "master\n"), done.stderr
    (call,) = place.calls()
    assert described(call) == "cloud-sql-proxy --private-ip --port=PORT example-project:europe-west3:sessions"
    assert "'--dbname=host=127.0.0.1 port=" in done.stderr
    assert "dbname=sessions user=master sslmode=disable'" in done.stderr
    assert place.running() == []


def test_the_runbook_of_cloud_sql_names_the_ways_that_are_looked_for() -> None:
    """The two halves meet at these words alone."""
    from app.connect.ways import gcp  # noqa: PLC0415  # Both halves in one module.
    from infra.backends.gcp import runbook  # noqa: PLC0415  # As above.

    assert {flag.strip() for flag in runbook.PROXY.values() if flag} == set(gcp._REACHES)  # noqa: SLF001


def test_a_server_that_answers_here_is_reached_directly(place: Any) -> None:
    """No program of the cloud is started."""
    place.uri(port=place.port, sslmode="verify-full", hostaddr="127.0.0.1")

    done = place.run(*ENCRYPTED)

    assert (done.returncode, done.stdout) == (0, "master|t\n"), done.stderr
    assert place.calls() == []


def test_a_rehearsal_s_server_is_reached_directly(place: Any) -> None:
    """Its URI leads to it."""
    place.uri(port=place.port, sslmode="verify-full", hostaddr="127.0.0.1")
    place.extra |= {"control_plane": "http://127.0.0.1:1/t", "reach": "/nowhere"}

    done = place.run("--rehearse", *ENCRYPTED)

    assert (done.returncode, done.stdout) == (0, "master|t\n"), done.stderr
    assert place.run("--rehearse", "--through", "i-0123456789abcdef0").returncode == 2


def test_another_server_at_the_end_of_a_tunnel_gets_no_password(place: Any) -> None:
    """Its certificate is of another name; psql's exit code and what the tunnel said last are passed on."""
    place.uri(host="other.example.org", sslmode="verify-full")

    done = place.run("--through", "i-0123456789abcdef0", *ENCRYPTED)

    assert done.returncode == 2
    assert 'does not match host name "other.example.org"' in done.stderr
    assert done.stderr.endswith("Waiting for connections...\n")
    assert place.running() == []


@pytest.mark.parametrize(
    ("backend", "example"),
    [
        ("aws", "--through i-0123456789abcdef0 (an instance in its VPC, through Session Manager)"),
        ("azure", "--bastion hub --through azureuser@/subscriptions/"),
        ("postgres", "--through ada@jump.example.org"),
    ],
)
def test_a_server_out_of_reach_is_one_line_with_the_way(backend: str, example: str, place: Any) -> None:
    """And the exit code of a server that does not answer."""
    place.record["backend"] = backend
    place.uri(port=1, hostaddr="127.0.0.1")

    done = place.run()

    assert done.returncode == 11
    assert done.stderr.startswith("error: expected db.example.org:1 to answer here. Run this in its network")
    assert example in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_host_that_nobody_knows_has_its_own_code(place: Any) -> None:
    """As for the other commands."""
    place.record["backend"] = "postgres"
    place.uri(host="db.invalid", port=1)

    done = place.run()

    assert done.returncode == 10
    assert "That host is unknown here" in done.stderr


@pytest.mark.parametrize(
    ("backend", "options", "expected"),
    [
        ("aws", ["--through", "-oProxyCommand=touch x"], "expected --through to name a machine"),
        ("aws", ["--through", "jump; touch x"], "expected --through to name a machine"),
        ("aws", ["--through", "jump", "--bastion", "hub"], "expected no --bastion, which is Azure's"),
        ("azure", ["--through", f"azureuser@{VM}"], "expected a bastion and the resource id"),
        ("azure", ["--through", "jump", "--bastion", "hub"], "expected a bastion and the resource id"),
        ("azure", ["--bastion", "hub"], "expected the machine behind the bastion"),
    ],
)
def test_what_is_no_way_is_refused_before_anything_runs(
    backend: str, options: list[str], expected: str, place: Any
) -> None:
    """One line, and the exit code of a wrong setting."""
    place.record["backend"] = backend

    done = place.run(*options)

    assert done.returncode == 2
    assert f"error: {expected}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert place.calls() == []


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's client")
@pytest.mark.parametrize("way", ["EC2 Instance Connect", "Bastion", "ssh"])
def test_openssh_reads_the_command_as_it_is_meant(way: str, place: Any) -> None:
    """By its own account of it (ssh(1), -G)."""
    backend, options, _expected = WAYS[way]
    place.record["backend"] = backend
    *_, command, _psql = place.run("--print", *options).stdout.splitlines()
    argv = shlex.split(command.removesuffix(" &"))

    told = subprocess.run(["ssh", "-F", "none", "-G", *argv[1:]], check=True, capture_output=True, text=True).stdout

    assert "localforward [127.0.0.1]:" in told
    assert " [db.example.org]:5432" in told
    assert "batchmode yes" in told
    assert "exitonforwardfailure yes" in told
    if way == "EC2 Instance Connect":
        assert f"proxycommand {TUNNEL}\n" in told
