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


def tables() -> None:
    """The tables in the documents."""
    from benchmarks.render import main

    main()


PARTS = {"gas": gas, "send": send, "tree": tree, "million": million, "help": help_, "tables": tables}


def main(arguments: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*PARTS, "gas-snapshot"]
    parser.add_argument("parts", nargs="*", choices=names, metavar="PART", help=", ".join(names))
    chosen = parser.parse_args(arguments).parts or list(PARTS)
    for part in chosen:
        gas_snapshot() if part == "gas-snapshot" else PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
