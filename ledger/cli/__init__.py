"""The command line `licence-ledger`: one module per noun; only parsing, confirmation and printing."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Whatever is heavy is imported only once a command needs
    it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in ([], ["-h"], ["--help"], ["help"]):
        from ledger.cli.registry import overview

        sys.stdout.write(overview())
        return 0 if given else 2
    from ledger.cli.run import run

    return run(given)
