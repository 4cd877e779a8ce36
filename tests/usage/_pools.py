"""Pools to divide: lines and shares as tables, random ones with every edge, and both ways of dividing them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pyarrow as pa

from ledger.domain.allocation import HolderShare, UsageLine
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy
from ledger.usage.allocation import Allotment, allocate
from ledger.usage.allocation_holders import holders_of

KEYS = [Allocation.EQUAL, Allocation.SIZE, Allocation.USAGE, Allocation.ATTRIBUTION]


def payee(number: int) -> bytes:
    return number.to_bytes(20, "big")


def usage_table(lines: Sequence[UsageLine]) -> pa.Table:
    def column(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(line, name) for line in lines], kind)

    return pa.table(
        {
            "work": column("work", pa.string()),
            "use_type": pa.array(["AiTraining"] * len(lines), pa.string()),
            "right_type": column("right_type", pa.string()),
            "usages": column("usages", pa.decimal128(38, 0)),
            "weight_ppm": column("weight_ppm", pa.int64()),
            "confidence_bps": column("confidence_bps", pa.int32()),
            "outputs": column("outputs", pa.int64()),
            "royalty_bearing": column("royalty_bearing", pa.bool_()),
            "record": pa.array(range(len(lines)), pa.int64()),
            "file": pa.array([0] * len(lines), pa.int32()),
        }
    )


def share_table(shares: Sequence[HolderShare]) -> pa.Table:
    def column(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(share, name) for share in shares], kind)

    return pa.table(
        {
            "work": column("work", pa.string()),
            "holder": column("holder", pa.string()),
            "payee": column("payee", pa.binary(20)),
            "share_ppm": column("share_ppm", pa.int64()),
            "right_type": column("right_type", pa.string()),
            "size": column("size", pa.int64()),
        }
    )


def relation(engine, table: pa.Table):
    """An Arrow table as a table of the engine."""
    engine.con.register("usage_lines", table)
    return engine.table("usage_lines")


def fast(
    engine, lines: Sequence[UsageLine], shares: Sequence[HolderShare], rule: AllocationRule, amount: int
) -> Allotment:
    """The engine's answer."""
    return allocate(relation(engine, usage_table(lines)), holders_of(share_table(shares)), rule, amount)


def units_of(found: Allotment) -> dict[bytes, int]:
    return {
        bytes(row): found.payee_units[i] for i, row in enumerate(found.holders.payees) if found.payee_units[i]
    }


def random_shares(rng: Random) -> list[HolderShare]:
    payees = [payee(rng.randrange(1, 9)) for _ in range(4)] + [None]
    shares = []
    for work in rng.sample("abcdefgé", rng.randint(1, 6)):
        size = rng.choice([None, 0, 1, 5, 2**40])
        for right in rng.choice([[None], ["work"], ["rec"], ["pub", "rec"], [None, "rec"]]):
            parts = [rng.choice([0, 1, 5]) for _ in range(rng.choice([1, 1, 2, 3, 30]))]
            parts[0] += 1
            ppm = [10**6 * part // sum(parts) for part in parts]
            ppm[-1] += 10**6 - sum(ppm)
            shares += [
                HolderShare(work, f"h{rng.randrange(5)}", one, rng.choice(payees), right, size) for one in ppm
            ]
    rng.shuffle(shares)
    return shares


def random_lines(rng: Random) -> list[UsageLine]:
    bits = rng.choice([1, 4, 40, 96])
    return [
        UsageLine(
            rng.choice([*"aabbccddé", "Z", "b2", None, "", "~"]),
            rng.choice([0, 1, rng.getrandbits(bits)]),
            rng.choice([None, None, "rec", "pub", "sync", "work", ""]),
            rng.choice([None, 0, 1, 500_000, 10**6]),
            rng.choice([None, 0, 5000, 10_000]),
            rng.choice([None, 0, 1, 1000]),
            rng.random() < 0.9,
        )
        for _ in range(rng.choice([0, 1, 5, 30]))
    ]


def random_rule(rng: Random, amount: int) -> AllocationRule:
    key = rng.choice(list(Allocation))
    blend = ()
    if key is Allocation.BLEND:
        chosen = rng.sample(KEYS, rng.randint(1, 4))
        ppm = [10**6 // len(chosen)] * len(chosen)
        ppm[0] += 10**6 - sum(ppm)
        blend = tuple(zip(chosen, ppm, strict=True))
    return AllocationRule(
        key,
        blend,
        rng.choice([0, 0, 1, amount // 10, amount // 3, amount]),
        rng.choice([0, 1, 5000, 10_000]),
        rng.choice(KEYS[:3]),
        rng.choice(list(UnmatchedPolicy)),
        rng.choice([(), (("pub", 2), ("rec", 3))]),
    )
