"""The exported record is readable for a person, and its commands can be copied."""

from infra import record

RUNBOOK = {
    "connect": "PGPASSWORD=\"$(vault read x)\" psql 'host=h user=u'",
    "restore": "make up STACK=prod  # a second server; look at it",
}


def test_a_command_stands_alone_on_its_line() -> None:
    """As it is, so that a line that is copied runs; what is said about it is a comment below."""
    assert list(record.lines({"runbook": RUNBOOK})) == [
        "runbook",
        "  connect",
        f"    {RUNBOOK['connect']}",
        "  restore",
        "    make up STACK=prod",
        "    # a second server; look at it",
    ]


def test_maps_in_maps_are_indented() -> None:
    """The servers, for whoever compares two of them."""
    servers = {"g1": {"active": True, "host": "h1"}, "g2": {"active": False, "host": "h2"}}

    assert [line.split() for line in record.lines({"servers": servers})] == [
        ["servers"],
        *(["g1"], ["active", "true"], ["host", "h1"]),
        *(["g2"], ["active", "false"], ["host", "h2"]),
    ]


def test_a_certificate_is_left_as_it_is() -> None:
    """With blanks before its lines it would be none."""
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    assert "\n".join(record.lines({"ca_certificate": pem, "port": 5432})) == (
        f"ca_certificate\n{pem}port             5432"
    )


def test_what_is_empty_says_so_without_blanks_at_its_end() -> None:
    """A map has none; a word is left out."""
    assert list(record.lines({"waivers": {}, "host": ""})) == ["waivers          none", "host"]
