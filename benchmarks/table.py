"""The tables that the documents show, out of snapshots/gas.json and benchmarks/results/.

Figures marked as recorded were taken earlier on anvil 1.7.1 (prague), each project at its own compiler
settings and with the same kind of token; no package carries those contracts, so they are not measured here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import RESULTS
from ledger.chain.requests import GAS_CAP

Gas = Mapping[str, Mapping[str, int]]

#: Storage, log, call and hash of an ERC-20 transfer to a new and to a known holder: nobody can pay for less.
LIMIT = (24_240, 7_140)
RECORDED = "recorded"


def each(total: int, count: int) -> int:
    """Gas per payee, rounded up."""
    return -(-total // count)


def pair(figures: Mapping[str, int], name: str, count: int = 1) -> tuple[int, int]:
    """First and second payout of a job, per `count` payees."""
    joint = ": " if f"{name}: first" in figures else ", "
    return each(figures[f"{name}{joint}first"], count), each(figures[f"{name}{joint}second"], count)


@dataclass(frozen=True)
class Goal:
    """One line of the goals: what is measured, how much gas it may take, what the peers take."""

    job: str
    ours: Callable[[Gas], tuple[int, ...]]
    limits: tuple[int, ...]
    measured: Callable[[Gas], str] = lambda gas: ""
    recorded: str = ""


def _peers_paying(count: int, per: int) -> Callable[[Gas], str]:
    def text(gas: Gas) -> str:
        peers = gas["peers"]
        names = ("thirdweb Split", "OpenZeppelin PaymentSplitter")
        return "; ".join(f"{name} {slashed(pair(peers, f'{name}: pay {count}', per))}" for name in names)

    return text


def _creating(gas: Gas) -> str:
    names = ("thirdweb Split", "OpenZeppelin PaymentSplitter")
    return "; ".join(f"{name} {gas['peers'][f'{name}: create 100']:,}" for name in names)


def _split_claims(gas: Gas) -> tuple[int, int]:
    held = gas["splits"]
    one, four = held["claim 2^10: later, by anyone"], held["claim 2^10: later, four splits"]
    return one, each(four - one, 3)


def _named(gas: Gas, section: str, start: str) -> tuple[int, ...]:
    """The largest figure of a section whose name starts so, but for those of first entries of all."""
    held = gas[section]
    return (max(held[name] for name in held if name.startswith(start) and "first of all" not in name),)


def _merkle_drop(gas: Gas) -> str:
    claim = gas["peers"]["Uniswap MerkleDistributor: later claim, 2^10 leaves"]
    return f"Uniswap Merkle distributor {claim:,}"


GOALS: Sequence[Goal] = (
    Goal(
        "a page of 128, per payee: first / second payout",
        lambda gas: pair(gas["splits"], "page of 128: pay", 128),
        (25_950, 8_850),
        _peers_paying(128, 128),
        "0xSplits v2.2: 27,558 / 10,458",
    ),
    Goal(
        "pay 100 payees: first / second payout",
        lambda gas: pair(gas["splits"], "pay 100"),
        (2_690_000, 960_000),
        _peers_paying(100, 1),
        "0xSplits v2.2: 2.79M / 1.08M",
    ),
    Goal(
        "split of 100 payees published, announced, in force",
        lambda gas: (gas["splits"]["split of 100: first, in force"],),
        (190_000,),
        _creating,
        "0xSplits v2.2: 440k; v1, without a list: 246k",
    ),
    Goal(
        "replaced by another split of 100, listed too",
        lambda gas: (gas["splits"]["split of 100: later"],),
        (),
        recorded="0xSplits v2.2: 212k; v1, without a list: 158k",
    ),
    Goal(
        "report paid at once: terms checked, due computed, line booked, any number of payees credited",
        lambda gas: (gas["licences"]["report paid at once: later"],),
        (130_000,),
        recorded="Story: 134.8k, the payment only",
    ),
    Goal(
        "`reportMany`: each further report of a licence, paid",
        lambda gas: (each(gas["licences"]["reportMany of 12"] - gas["licences"]["reportMany of 1"], 11),),
        (45_000,),
    ),
    Goal(
        "licence accepted by signature and permit, fee paid and credited",
        lambda gas: (gas["licences"]["accept by signature and permit: later"],),
        (250_000,),
        recorded="Story: 707k",
    ),
    Goal(
        "the same, first licence of a catalogue",
        lambda gas: (gas["licences"]["accept by signature and permit: first of a catalogue"],),
        (),
        recorded="Story: 1,157k",
    ),
    Goal(
        "later claim out of 2^10 leaves; each further split in the same call",
        _split_claims,
        (66_000, 32_000),
        _merkle_drop,
        "1inch 54.4k; Sablier 69.0k",
    ),
    Goal(
        "later claim out of 2^20 leaves",
        lambda gas: (gas["splits"]["claim 2^20: later, by anyone"],),
        (),
        recorded="1inch: 61.2k",
    ),
    Goal(
        "credit any number of payees, transfer included",
        lambda gas: (gas["splits"]["credit: later"],),
        (),
        recorded="Superfluid: 257k; a bare deposit at 0xSplits: 34.3k",
    ),
    Goal(
        "distribution posted, to any number of payees, some held or nothing",
        lambda gas: _named(gas, "distributions", "post: "),
        (110_000,),
    ),
    Goal(
        "distribution settled likewise",
        lambda gas: _named(gas, "distributions", "settle: "),
        (90_000,),
    ),
    Goal(
        "distribution published, per payee of 1,000 / of 1,000,000",
        lambda gas: tuple(
            gas["distributions"][f"publish: per payee of {one}"] for one in ("1,000", "1,000,000")
        ),
        (1_100, 1_100),
    ),
    Goal(
        "outputs or training recorded, a batch of any size",
        lambda gas: _named(gas, "attributions", "record "),
        (60_000,),
    ),
    Goal(
        "1,000,000 payees in one split: the costliest call",
        lambda gas: (max(value for name, value in gas["splits"].items() if name.startswith("million:")),),
        (GAS_CAP - 1,),
        recorded="0xSplits: about 597 payees at most",
    ),
)


def slashed(values: Sequence[int]) -> str:
    """Several figures in one cell."""
    return " / ".join(f"{value:,}" for value in values)


def verdict(values: Sequence[int], limits: Sequence[int]) -> str:
    """Whether each goal is met, and by how much it is missed."""
    words = []
    for value, limit in zip(values, limits, strict=False):
        words.append("met" if value <= limit else f"missed by {100 * (value - limit) / limit:.1f} %")
    return words[0] if len(set(words)) == 1 else " / ".join(words)


def goals(gas: Gas) -> str:
    """The goals, what we take, what the peers take."""
    rows = ["| gas | ours | goal | | measured in the same run | recorded, not measured here |"]
    rows.append("|---|---:|---:|---|---|---|")
    for goal in GOALS:
        values = goal.ours(gas)
        limits = f"≤ {slashed(goal.limits)}" if goal.limits else ""
        told = verdict(values, goal.limits) if goal.limits else ""
        cells = [goal.job, slashed(values), limits, told, goal.measured(gas), goal.recorded]
        rows.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    return "\n".join(rows)


def per_payee(gas: Gas) -> str:
    """Gas per payee of everybody, beside the limit."""
    peers = gas["peers"]
    lines: list[tuple[str, tuple[int, int]]] = [
        ("the limit of an ERC-20 transfer", LIMIT),
        ("a bare batch, no safety at all", pair(peers, "bare batch: pay 128", 128)),
        ("**Splits, a page of 128**", pair(gas["splits"], "page of 128: pay", 128)),
        (f"0xSplits v2.2 push ({RECORDED})", (27_558, 10_458)),
        ("thirdweb Split 3.15.0", pair(peers, "thirdweb Split: pay 128", 128)),
        (
            "OpenZeppelin PaymentSplitter 4.9.6",
            pair(peers, "OpenZeppelin PaymentSplitter: pay 128", 128),
        ),
    ]
    rows = ["| gas per payee | first | × limit | second | × limit |", "|---|---:|---:|---:|---:|"]
    for name, (first, second) in lines:
        times = (f"{first / LIMIT[0]:.2f}", f"{second / LIMIT[1]:.2f}")
        rows.append(f"| {name} | {first:,} | {times[0]} | {second:,} | {times[1]} |")
    return "\n".join(rows)


def whole_jobs(gas: Gas) -> str:
    """Creation and payouts of 10, 100 and 500 payees."""
    ours, peers = gas["splits"], gas["peers"]
    counts = (10, 100, 500)
    rows = ["| gas of a whole job | N = 10 | N = 100 | N = 500 |", "|---|---:|---:|---:|"]

    def row(name: str, cell: Callable[[int], str]) -> None:
        rows.append(f"| {name} | {' | '.join(map(cell, counts))} |")

    first = "split of {}: first, in force"
    row("**ours**: split published, announced, in force", lambda n: f"{ours[first.format(n)]:,}")
    row("**ours**: pay all, first / second", lambda n: slashed(pair(ours, f"pay {n}")))
    row("**ours**: another split announced", lambda n: f"{ours[f'split of {n}: later']:,}")
    row("a bare batch: pay all, first / second", lambda n: slashed(pair(peers, f"bare batch: pay {n}")))
    row("thirdweb Split: create", lambda n: _capped([peers[f"thirdweb Split: create {n}"]]))
    row("thirdweb Split: pay all, first / second", lambda n: _capped(pair(peers, f"thirdweb Split: pay {n}")))
    splitter = "OpenZeppelin PaymentSplitter"
    row(f"{splitter}: create", lambda n: _capped([peers[f"{splitter}: create {n}"]]))
    row(f"{splitter}: pay all, first / second", lambda n: slashed(pair(peers, f"{splitter}: pay {n}")))
    rows += [
        f"| 0xSplits v2.2: create ({RECORDED}) | 204k | 440k | 1.50M |",
        f"| 0xSplits v2.2: pay all ({RECORDED}) | 322k / 151k | 2.79M / 1.08M | 13.8M / 5.27M |",
        f"| 0xSplits v2.2: update ({RECORDED}) | 59k | 212k | 903k |",
    ]
    rows.append("")
    rows.append(f"† over the {GAS_CAP:,} gas that one transaction may have (EIP-7825): it cannot be done.")
    return "\n".join(rows)


def _capped(values: Sequence[int]) -> str:
    return " / ".join(f"{value:,}{' †' if value > GAS_CAP else ''}" for value in values)


def results() -> dict[str, Any]:
    """What `make bench` kept, by name."""
    return {file.stem: json.loads(file.read_bytes()) for file in sorted(RESULTS.glob("*.json"))}
