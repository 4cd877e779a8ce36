"""licence-ledger doctor: what is installed, what is missing, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.cli.context import command, current, noun
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.operations.health import Part

app = noun("doctor")


@app.command()
def doctor() -> None:
    """Looks at Python, Node, anvil, solc, brownie, the packaged contracts, the disk and the chain.

    Exit code 2 if something is missing without which the ledger does not work.
    """
    from ledger.operations import health

    context = current()
    out = context.out
    parts = health.examine(context.session)
    missing = [one for one in parts if one.state == health.MISSING]
    data = {
        "healthy": not missing,
        "parts": [
            {
                "name": one.name,
                "state": one.state,
                "found": one.found or None,
                "needed_for": one.needed_for,
                "mend": one.mend or None,
            }
            for one in parts
        ],
    }

    def show() -> None:
        rows = [(one.name, one.state, one.found, one.needed_for) for one in parts]
        out.table(("part", "state", "found", "needed for"), rows)
        for one in parts:
            if one.mend:
                out.line(f"{one.name}: {one.mend}")
        if not missing:
            out.line("All is well.")

    if not missing:
        out.result(data, show, after=[command("demo")])
        return
    if not out.as_json:
        show()
    raise Unhealthy(missing, data)


class Unhealthy(LedgerError):
    """Something is missing without which the ledger does not work. With `--json` it carries all parts."""

    def __init__(self, missing: list[Part], data: dict[str, Any]) -> None:
        self.data = data
        names = ", ".join(one.name for one in missing)
        super().__init__(f"Missing: {names}.", remedy=" ".join(one.mend for one in missing))

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`."""
        return {**super().as_dict(), "health": self.data}
