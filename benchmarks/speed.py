"""The table of what is not gas: time, memory, ratios, out of benchmarks/results/; a file is a row or some.

A bench of another size than its goal's keeps its figures as NAME_small: its rows say the size and are held to no goal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.chain.requests import GAS_CAP

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One line: what is done, what we take, the goal, whether it is met, what else was measured in the same run."""

    job: str
    ours: str
    goal: str = ""
    verdict: str = ""
    beside: str = ""


def least(value: float, limit: float) -> str:
    """Whether a figure that has to reach a limit does, and by how much it misses it."""
    return "met" if value >= limit else f"missed by {100 * (limit - value) / limit:.0f} %"


def most(value: float, limit: float) -> str:
    """Whether a figure that has to stay below a limit does, and by how much it misses it."""
    return "met" if value <= limit else f"missed by {100 * (value - limit) / limit:.0f} %"


def _all(*verdicts: str) -> str:
    return verdicts[0] if len(set(verdicts)) == 1 else " / ".join(verdicts)


def send(one: Figures, goals: Figures) -> Iterator[Row]:
    """Reports imported."""
    ratio = goals["ratio"]
    yield Row(
        f"{one['what']}, one a transaction",
        f"{one['single_seconds']:.1f} s, {one['single_ratio']:.1f} ×",
        f"≥ {ratio:.0f} ×",
        least(one["single_ratio"], ratio),
        f"a web3.py loop of the same: {one['single_loop_seconds']:.0f} s",
    )
    yield Row(
        f"as it is by default, {one['grouped_transactions']} transactions",
        f"{one['grouped_seconds']:.1f} s, {one['ratio']:.1f} × the loop above",
        beside=f"a web3.py loop of the same: {one['grouped_loop_seconds']:.0f} s, {one['grouped_ratio']:.1f} ×",
    )


def tree(one: Figures, goals: Figures) -> Iterator[Row]:
    """The tree, with all that has to be loaded."""
    cpu, peak = goals["cpu_seconds"], goals["peak_gb"]
    yield Row(
        f"tree of {one['payees']:,} payees, a process of its own",
        f"{one['cpu_seconds']:.2f} s CPU, {one['peak_gb']:.2f} GB",
        f"≤ {cpu:.0f} s, {peak:.0f} GB",
        _all(most(one["cpu_seconds"], cpu), most(one["peak_gb"], peak)),
    )


def tree_limits(one: Figures, goals: Figures) -> Iterator[Row]:
    """The tree beside JavaScript and C, a larger one, all proofs."""
    yield Row(
        f"the same, the building alone, {one['payees']:,} payees",
        f"{one['cpu_seconds']:.2f} s CPU, {one['times_faster_than_openzeppelin']:,} ×",
        f"≥ {goals['times_faster_than_openzeppelin']} ×",
        least(one["times_faster_than_openzeppelin"], goals["times_faster_than_openzeppelin"]),
        f"OpenZeppelin's merkle-tree (JS): {one['openzeppelin_cpu_seconds']:.0f} s",
    )
    yield Row(
        "leaves in order: the hashing, against the same in C",
        f"{one['times_c']:.2f} × its time",
        f"≤ {goals['times_c']:.0f} ×",
        most(one["times_c"], goals["times_c"]),
        f"C, -O3 -march=native: {one['c_cpu_seconds']:.2f} s",
    )
    yield Row(
        "memory of that process",
        f"{one['peak_mb']:,} MB",
        f"≤ {goals['peak_mb']} MB",
        most(one["peak_mb"], goals["peak_mb"]),
    )
    times, peak = goals["times_for_ten_times_as_many"], goals["large_peak_gb"]
    yield Row(
        f"{one['large_payees']:,} payees",
        f"{one['large_cpu_seconds']:.2f} s CPU, {one['times_for_ten_times_as_many']:.1f} × the time, "
        f"{one['large_peak_gb']:.2f} GB",
        f"≤ {times} ×, {peak:.0f} GB",
        _all(most(one["times_for_ten_times_as_many"], times), most(one["large_peak_gb"], peak)),
    )
    yield Row(
        f"proofs of all {one['payees']:,}, one Parquet file",
        f"{one['proofs_per_second']:,} a second, {one['proofs_mb']} MB",
        f"≥ {goals['proofs_per_second']:,} a second",
        least(one["proofs_per_second"], goals["proofs_per_second"]),
    )


def usage_read(one: Figures, goals: Figures) -> Iterator[Row]:
    """A usage file read and checked."""
    yield Row(
        f"usage file of {one['rows']:,.0f} rows ({one['file_mb']:,.0f} MB) read and validated",
        f"{one['seconds']:.1f} s, {one['ratio']:.1f} × ({one['cpu_ratio']:.1f} × by CPU), {one['peak_gb']:.2f} GB",
        f"≥ {goals['ratio']:.0f} ×",
        least(one["ratio"], goals["ratio"]),
        f"line by line in Python: {one['plain_seconds']:.1f} s",
    )


def allocation(one: Figures, goals: Figures) -> Iterator[Row]:
    """Usage rows to the exact allocation."""
    times, peak = goals["times_plain_group_by_cpu"], goals["peak_gb"]
    yield Row(
        f"{one['rows']:,} usage rows to the allocation of {one['payees']:,} payees",
        f"{one['times_plain_group_by_cpu']:.2f} × by CPU ({one['times_plain_group_by']:.2f} × by the clock), "
        f"{one['peak_gb']:.2f} GB",
        f"≤ {times} ×, {peak:.0f} GB",
        _all(most(one["times_plain_group_by_cpu"], times), most(one["peak_gb"], peak)),
        f"DuckDB, the group-by alone: {one['plain_cpu_seconds']:.1f} s CPU, {one['plain_peak_gb']:.2f} GB",
    )


def million(one: Figures, goals: Figures) -> Iterator[Row]:
    """A distribution on the local chain."""
    rate = goals["publish_payees_per_second"]
    yield Row(
        f"distribution to {one['payees']:,} payees published in {one['publish_calls']} calls",
        f"{one['publish_seconds']:.1f} s, {one['publish_payees_per_second']:,} payees a second",
        f"≥ {rate:,} a second",
        least(one["publish_payees_per_second"], rate),
        f"CPU: {one['publish_own_cpu_seconds']:.1f} s ours, {one['publish_node_cpu_seconds']:.1f} s anvil's",
    )
    yield Row(
        f"posted, settled, {one['pages_paid']} random pages paid, {one['claims']} random claims made",
        f"all {one['payees_paid'] + one['claims']:,} balances right; costliest call {one['costliest_call_gas']:,} gas",
        f"every one right, < {GAS_CAP:,} gas",
        most(one["costliest_call_gas"], goals["costliest_call_gas"]),
        f"{one['publish_gas_per_payee']:,.0f} gas a payee published, {one['pay_gas_per_payee']:,.0f} paid",
    )


def audit(one: Figures, goals: Figures) -> Iterator[Row]:
    """The audit against its node's time."""
    times, memory = goals["times_node"], goals["peak_mb"]
    yield Row(
        f"full audit of {one['reports']:,} reports, {one['payees']:,} payees in {one['splits']} splits",
        f"{one['seconds']:.1f} s, {one['times_node']:.2f} × the node's, {one['peak_mb']:,} MB",
        f"≤ {times:.0f} ×, {memory} MB",
        _all(most(one["times_node"], times), most(one["peak_mb"], memory)),
        f"the node serving the same data: {one['node_seconds']:.1f} s; CPU: {one['cpu_seconds']:.1f} s ours, "
        f"{one['node_cpu_seconds']:.1f} s the node's",
    )
    if "second_of_first" in one:
        yield Row(
            f"second audit after {one['new_blocks']:,} new blocks, {one['new_entries']:,} entries",
            f"{one['second_seconds']:.1f} s, {one['second_of_first']:.3f} of the first",
            f"≤ {goals['second_of_first']:.2f}",
            most(one["second_of_first"], goals["second_of_first"]),
            f"the first: {one['seconds']:.1f} s; CPU of the second: {one['second_cpu_seconds']:.1f} s ours, "
            f"{one['second_node_cpu_seconds']:.1f} s the node's",
        )


def evidence(one: Figures, goals: Figures) -> Iterator[Row]:
    """Entries and roots of receipts beside the usual libraries."""
    yield Row(
        f"{one['events']:,} entries read, decoded and folded",
        f"{one['seconds']:.1f} s, {one['events_ratio']:.1f} × ({one['events_ratio_cpu']:.1f} × by CPU)",
        f"≥ {goals['events_ratio']:.0f} ×",
        least(one["events_ratio"], goals["events_ratio"]),
        f"web3.py, get_logs and process_log: {one['web3_seconds']:.1f} s",
    )
    yield Row(
        f"roots of {one['receipts']:,} receipts",
        f"{one['roots_seconds']:.2f} s, {one['roots_ratio']:.1f} ×",
        f"≥ {goals['roots_ratio']:.0f} ×",
        least(one["roots_ratio"], goals["roots_ratio"]),
        f"py-trie: {one['py_trie_seconds']:.2f} s",
    )


def page(one: Figures, goals: Figures) -> Iterator[Row]:
    """A rights holder's page in Chromium."""
    yield Row(
        f"page of a holder with {one['lines']:,} lines, first paint",
        f"{one['first_paint_seconds']:.2f} s",
        f"≤ {goals['first_paint_seconds']:.0f} s",
        most(one["first_paint_seconds"], goals["first_paint_seconds"]),
        f"{one['page_mb']:.1f} MB, Chromium {one['chromium']}",
    )
    yield Row(
        f"its {one['figures']:,} figures verified in the browser",
        f"{one['verified_seconds']:.1f} s",
        f"≤ {goals['verified_seconds']:.0f} s",
        most(one["verified_seconds"], goals["verified_seconds"]),
        f"module of {one['module_kb_gzip']:.0f} kB gzip; goal ≤ {goals['module_kb_gzip']} kB",
    )


def help_(one: Figures, goals: Figures) -> Iterator[Row]:
    """The command's own start."""
    yield Row(
        "`licence-ledger --help`",
        f"{one['cpu_seconds']:.3f} s CPU",
        f"≤ {goals['cpu_seconds']} s",
        most(one["cpu_seconds"], goals["cpu_seconds"]),
        f"`brownie --help`: {one['brownie_cpu_seconds']:.2f} s",
    )


ROWS: Mapping[str, Callable[[Figures, Figures], Iterator[Row]]] = {
    "send": send,
    "tree": tree,
    "tree_limits": tree_limits,
    "allocation": allocation,
    "usage_read": usage_read,
    "million": million,
    "audit": audit,
    "evidence": evidence,
    "help": help_,
    "page": page,
}


def rows(kept: Figures, *, small: bool = True) -> Iterator[tuple[Row, Figures]]:
    """Every row with the result that it is from; the full size before the small one."""
    for name, make in ROWS.items():
        if name in kept:
            for row in make(kept[name]["figures"], kept[name]["goals"]):
                yield row, kept[name]
        if small and (other := kept.get(f"{name}_small")):
            for row in make(other["figures"], other["goals"]):
                yield Row(f"{row.job} (small)", row.ours, beside=row.beside), other


def off_chain(kept: Figures) -> str:
    """All rows, when they were taken and under what load, and where."""
    lines = [
        "| off chain | ours | goal | | beside it, in the same run | taken, load |",
        "|---|---:|---:|---|---|---|",
    ]
    for row, result in rows(kept):
        taken = f"{result['date']}, {result['load']}" if "load" in result else str(result["date"])
        cells = (row.job, row.ours, row.goal, row.verdict, row.beside, taken)
        lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    where = {(one["machine"]["cores"], one["machine"]["processor"]) for one in kept.values()}
    lines += [
        f"\nTaken on {cores} cores of {processor}, with other work on them: the load is the mean of the last minute."
        for cores, processor in sorted(where)
    ]
    return "\n".join(lines)


def goals(kept: Figures) -> str:
    """The rows that have a goal, in short."""
    lines = ["| time and memory | ours | goal | |", "|---|---:|---:|---|"]
    lines += [
        f"| {row.job} | {row.ours} | {row.goal} | {row.verdict} |"
        for row, _ in rows(kept, small=False)
        if row.goal
    ]
    dates = sorted({str(one["date"]) for one in kept.values()})
    machines = {f"{one['machine']['cores']} cores of {one['machine']['processor']}" for one in kept.values()}
    when = dates[0] if len(dates) == 1 else f"{', '.join(dates[:-1])} and {dates[-1]}"
    taken = f"Taken on {when}, on {' and on '.join(sorted(machines))}, with other work on them."
    return "\n".join([*lines, "", taken])
