"""Divides one random pool on local Spark and on DuckDB; prints both split ids. Run in a process of its own."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from random import Random

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "usage")]
# Spark, pandas and Ibis warn of each other.
warnings.simplefilter("ignore")


def main(folder: Path) -> None:
    import ibis
    import pyarrow.parquet as pq
    from _pools import payee, share_table, usage_table
    from pyspark.sql import SparkSession

    from ledger.domain.allocation import HolderShare, UsageLine
    from ledger.domain.allocation_rule import AllocationRule
    from ledger.domain.merkle_sum import MerkleSumTree
    from ledger.domain.terms_fields import Allocation
    from ledger.usage.allocation import allocate
    from ledger.usage.allocation_holders import holders_of
    from ledger.usage.engine import duckdb_engine, usage_of

    rng = Random(11)
    works = [f"w{i:03}" for i in range(300)]
    lines = [
        UsageLine(
            rng.choice([*works, "unknown", None]),
            rng.getrandbits(96),
            rng.choice([None, None, "rec", "sync"]),
            rng.choice([None, rng.randrange(10**6)]),
            rng.choice([None, 4000, 6000]),
            rng.choice([None, rng.randrange(1000)]),
            rng.random() < 0.9,
        )
        for _ in range(20_000)
    ]
    shares = [
        HolderShare(work, f"{right}{i}", 500_000, rng.choice([None, payee(rng.randrange(1, 200))]), right)
        for work in works
        for right in ("pub", "rec")
        for i in range(2)
    ]
    pq.write_table(usage_table(lines), folder / "usage.parquet")
    holders = holders_of(share_table(shares))
    thirds = ((Allocation.USAGE, 400_000), (Allocation.ATTRIBUTION, 400_000), (Allocation.EQUAL, 200_000))
    rule = AllocationRule(Allocation.BLEND, thirds, 10**12, 5000)
    amount = 2**95 - 1

    with duckdb_engine(threads=1) as engine:
        embedded = allocate(usage_of(engine, [folder / "usage.parquet"]), holders, rule, amount)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("allocation")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )
    try:
        spark = ibis.pyspark.connect(session)
        usage = spark.read_parquet(str(folder / "usage.parquet"))
        elsewhere = allocate(usage, holders, rule, amount)
    finally:
        session.stop()
    for found in (embedded, elsewhere):
        print(MerkleSumTree(found.leaf_words).id.hex(), found.total, found.held)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
