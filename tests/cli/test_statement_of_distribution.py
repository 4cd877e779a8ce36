"""statement render for a usage-weighted period: works and usages of the distribution, and what it holds back."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from _command import LICENSOR
from _reporting import after
from test_distribution import WHO, built, paid, pool

ANN, DEE = "dev:3", "dev:6"
__all__ = ["paid", "pool"]


def test_works_usages_and_what_is_held(on, node, paid, tmp_path):
    licence, folder = paid["licence"], tmp_path / "made"
    built(on, paid, folder)
    for verb in (("publish", folder), ("post", licence, 0, folder)):
        assert on("distribution", *verb, account=LICENSOR, json=True).code == 0
    after(node, "2024-02-08")
    assert on("distribution", "settle", licence, 0, account=DEE, json=True).code == 0

    def render(holder, *more):
        path = tmp_path / "statement.csv"
        done = on(
            "statement", "render", "--holder", holder, "--period", "2024", "--out", path, *more, json=True
        )  # fmt: skip
        assert done.code == 0, done.error
        return done.data, list(csv.DictReader(io.StringIO(path.read_text(), newline="")))

    data, rows = render("Ann", "--distribution", folder)
    assert data["sums"][0]["closing"]["units"] == "15000000"
    (row,) = rows
    assert (row["WorkId"], row["Units"], row["UnitType"], row["Earned"]) == (
        "song-1",
        "60",
        "usages",
        "15.000000",
    )
    assert (row["GrossRevenue"], row["ReportId"], row["Status"]) == (
        "1000.000000",
        f"L{licence}-P0-V1",
        "owed",
    )
    assert Decimal(row["SplitShare"]) == Decimal("0.166666666666")
    _, bare = render(WHO[ANN])
    assert [one["Earned"] for one in bare] == ["15.000000"]
    data, rows = render("Cy", "--distribution", folder)
    held = [row for row in rows if row["Status"] == "held"]
    assert [(row["WorkId"], row["Earned"], row["NetPayable"]) for row in held] == [
        ("song-2", "10.000000", "0.000000")
    ]
    assert data["sums"][0]["held"]["units"] == "10000000"
    (folder / "works.parquet").write_bytes(b"changed")
    wrong = on(
        "statement", "render", "--holder", "Ann", "--period", "2024", "--out", tmp_path / "x.csv",
        "--distribution", folder, json=True,
    )  # fmt: skip
    assert (wrong.code, "works.parquet was changed" in wrong.error["what"]) == (4, True)
