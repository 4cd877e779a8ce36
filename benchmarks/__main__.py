"""`python -m benchmarks [PART …]`: measures, keeps results, renders tables. Without a part: all of them."""

from __future__ import annotations

import argparse
import sys


def gas() -> None:
    """Measures, compares with snapshots/gas.json, and says which goals are missed; it changes no snapshot."""
    from benchmarks.gas import snapshot
    from benchmarks.machine import keep
    from benchmarks.table import GOALS, slashed, verdict

    now = snapshot.measure_all()
    figures = {goal.job: list(goal.ours(now)) for goal in GOALS}
    limits = {goal.job: list(goal.limits) for goal in GOALS if goal.limits}
    keep("gas", figures, limits, "py-solc-x")
    for goal in GOALS:
        values = goal.ours(now)
        if goal.limits:
            told = verdict(values, goal.limits)
            print(f"  {told:<22} {goal.job}: {slashed(values)} of {slashed(goal.limits)}")
    if changed := snapshot.changes(now):
        print("\n".join(["snapshots/gas.json differs:", *changed, snapshot.UPDATE]))


def gas_snapshot() -> None:
    """Measures and writes snapshots/gas.json and the tables."""
    from benchmarks.gas import snapshot

    now = snapshot.measure_all()
    print("\n".join(snapshot.changes(now) or ["snapshots/gas.json is current"]))
    snapshot.write(now)
    tables()


def send() -> None:
    """Reports imported, beside a web3.py loop."""
    from benchmarks.send import main

    main()


def tree() -> None:
    """The tree of a million payees."""
    from benchmarks.tree import main

    main()


def million() -> None:
    """A million payees: published, credited, paid."""
    from benchmarks.million import main

    main()


def help_() -> None:
    """`--help` beside Brownie's."""
    from benchmarks.help import main

    main()


def page() -> None:
    """The page of a rights holder with 10,000 lines, in Chromium."""
    from benchmarks.page import main

    main()


def usage(large: bool) -> None:
    """A usage file of 2 million rows; `--large`: 10 million."""
    from benchmarks.usage_read import main

    main() if large else main(2_000_000, "usage_read_small")


def tree_limits(large: bool) -> None:
    """Trees of 200,000 and 2 million payees beside JavaScript and C; `--large`: 1 and 10 million."""
    from benchmarks.tree_limits import main

    main() if large else main(200_000, 2_000_000, 1, "tree_limits_small")


def allocation(large: bool) -> None:
    """10 million usage rows to 300,000 payees; `--large`: 100 million to 3 million."""
    from benchmarks.allocation import main

    main() if large else main(10_000_000, 300_000, 1, "allocation_small")


def audit(large: bool) -> None:
    """An audit of 10,000 reports and the one after it; `--large`: 100,000."""
    from benchmarks.audit import main

    main() if large else main(10_000, "audit_small")


def evidence(large: bool) -> None:
    """14,600 entries beside web3.py, roots of receipts beside py-trie; `--large`: 200,000 entries."""
    from benchmarks.evidence import main

    main() if large else main(10_000, "evidence_small")


def tables() -> None:
    """The tables in the documents."""
    from benchmarks.render import main

    main()


#: Parts that `--large` makes large, and which are all that it runs unless others are named.
SIZED = {
    "usage": usage,
    "tree-limits": tree_limits,
    "allocation": allocation,
    "audit": audit,
    "evidence": evidence,
}
PARTS = {"gas": gas, "send": send, "tree": tree, "million": million, "help": help_, "page": page}
LAST = {"tables": tables, "gas-snapshot": gas_snapshot}


def main(arguments: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*PARTS, *SIZED, *LAST]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(names))
    parser.add_argument("--large", action="store_true", help=f"full size: {', '.join(SIZED)}")
    given = parser.parse_args(arguments)
    # As `choices` argparse would refuse no part at all.
    if unknown := [one for one in given.parts if one not in names]:
        parser.error(f"there is no part {unknown[0]}: {', '.join(names)}")
    plain = PARTS | LAST
    for part in given.parts or [*([] if given.large else PARTS), *SIZED, "tables"]:
        SIZED[part](given.large) if part in SIZED else plain[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
