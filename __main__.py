"""The program of plain `pulumi up`: the same one that `python -m infra` drives."""

from infra.program import main

main()
