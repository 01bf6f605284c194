"""``python -m cli``: the command ``triage``."""

from cli.main import main

main()
