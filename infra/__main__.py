"""`python -m infra`: answers Ctrl-C from the start, and hands over to the command line."""

from infra import ctrl_c


def main() -> None:
    """Run the command line; importing it takes a second, in which Ctrl-C is no traceback either."""
    ctrl_c.answered_at_once()
    from infra.command_line import cli  # noqa: PLC0415  # Ctrl-C is answered before Pulumi is imported.

    cli(prog_name="python -m infra")


if __name__ == "__main__":
    main()
