"""The usage-weighted year: its figures worked out again from the files that it leaves, by other means."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from _played import Played

from ledger.demo.datasets import manifest_document, payee_of, read_datasets
from ledger.demo.stage import data
from ledger.demo.usage_report import CREDIT_PPM
from ledger.operations import usage_files

ROOT = Path(__file__).parents[2]
#: Folder of each period's first distribution that stood, and the day on which its report was written.
STOOD = {0: ("4-0", "20251019"), 1: ("4-1", "20260105"), 2: ("4-2", "20260405"), 3: ("4-3", "20260705")}


def usage_lines(home: Path, day: str) -> list[dict[str, Any]]:
    """Work, summary, output, tokens or downloads and weight of every usage line of the report of a day."""
    (path,) = (home / "sent").glob(f"*_{day}T*.tsv.gz")
    works: dict[tuple[str, str], str] = {}
    found = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        cells = line.split("\t")
        if cells[0] == "ASAI.01":
            works[cells[1], cells[2]] = cells[3]
        elif cells[0] == "SUAI.01":
            work = works[cells[1], cells[4]]
            found.append(
                {
                    "work": work,
                    "summary": cells[2],
                    "output": cells[3],
                    "usages": int(cells[6]),
                    "ppm": cells[7],
                }
            )
    return found


def largest_remainder(amount: int, weights: dict[str, int]) -> dict[str, int]:
    """The amount in the weights' proportions; what rounding leaves goes to the largest remainders, lowest id first."""
    whole = sum(weights.values())
    parts = {key: amount * weight // whole for key, weight in weights.items()}
    left = amount - sum(parts.values())
    order = sorted(weights, key=lambda key: (-(amount * weights[key] % whole), key.encode()))
    for key in order[:left]:
        parts[key] += 1
    return parts


def rows_of(home: Path, name: str) -> list[dict[str, Any]]:
    return pq.read_table(home / "distributions" / name / "works.parquet").to_pylist()


def units_of(home: Path, name: str) -> dict[str, int]:
    table = pq.read_table(home / "distributions" / name / "allocation.parquet").to_pylist()
    return {"0x" + row["payee"].hex(): int(row["units"]) for row in table}


@pytest.mark.parametrize("period", STOOD)
def test_each_work_gets_its_use_to_the_unit(played: Played, period: int) -> None:
    """P-02: works by use, shares within works, payees as sums; all of it is the amount, exactly."""
    name, day = STOOD[period]
    told = played.data["usage_year"]["periods"][period]
    amount = int(told["rounds"][0]["of"])
    weights: Counter[str] = Counter()
    for line in usage_lines(played.home, day):
        weights[line["work"]] += line["usages"]
    expected = largest_remainder(amount, weights)
    rows = rows_of(played.home, name)
    found: Counter[str] = Counter()
    payees: Counter[str] = Counter()
    for row in rows:
        found[row["work"]] += int(row["units"])
        if row["state"] == "paid":
            payees["0x" + row["payee"].hex()] += int(row["units"])
    assert {work: units for work, units in found.items() if units} == {
        work: units for work, units in expected.items() if units
    }
    # Creators of a work share equally; a remainder is less than one unit for each part per million that 1/n lacks.
    for row in rows:
        if row["state"] != "unmatched":
            exact = int(row["right_units"]) * row["share_ppm"] // 1_000_000
            assert exact <= int(row["units"]) <= exact + 1
    assert units_of(played.home, name) == {payee: units for payee, units in payees.items() if units}
    held = sum(int(row["units"]) for row in rows if row["state"] != "paid")
    assert int(told["rounds"][0]["to_payees"]) == sum(payees.values()) == amount - held
    assert (int(told["usages"]) + int(told["unmatched_usages"])) == sum(weights.values())


def test_every_account_is_moved_or_waits(played: Played) -> None:
    """P-02, P-08: paid = moved + waits; late money takes the way of the rest, in the same proportions."""
    for told in played.data["usage_year"]["periods"]:
        assert int(told["paid"]) == int(told["moved"]) + int(told["waits"])
        left = int(told["paid"])
        for one in told["rounds"]:
            moved = left * int(one["to_payees"]) // int(one["of"])
            assert int(one["moved"]) == moved
            left -= moved
        assert left == int(told["waits"])
    first = played.data["usage_year"]["periods"][0]["rounds"]
    assert [int(one["moved"]) > int(one["to_payees"]) for one in first] == [True, True]


def test_the_objection_was_worth_it(played: Played) -> None:
    """The first report lacks the training; who objects gets more by the whole one, and its bond of 1 % back."""
    usage = played.data["usage_year"]
    assert {one["summary"] for one in usage_lines(played.home, "20251005")} == {"2"}
    (bond,) = usage["bonds"]
    amount = int(usage["periods"][0]["rounds"][0]["of"])
    assert (int(bond["amount"]), bond["upheld"]) == (-(-amount // 100), True)
    objector = bond["objector"].lower()
    assert units_of(played.home, "4-0")[objector] > units_of(played.home, "4-0-first")[objector]
    ways = [one["rounds"][0]["how"] for one in usage["periods"]]
    assert ways == ["the arbiter chose the counter-split", *["nobody objected"] * 3]
    assert usage["periods"][2]["rounds"][0]["posted_by"] == "licensee"


def test_what_was_held_for_names_goes_to_them_alone(played: Played) -> None:
    """Unmatched creators are paid by the supplement to the unit; works in no catalogue stay held."""
    before = [row for row in rows_of(played.home, "4-0") if row["state"] == "held"]
    names = {row["holder"] for row in before}
    assert names <= {
        name
        for group in (
            ("Meta", "Facebook AI Research"),
            ("Google", "Google Research"),
            ("Microsoft", "Microsoft Research"),
        )
        for name in group
    }
    after = units_of(played.home, "4-0-supplement")
    assert set(after) == {payee_of(name) for name in ("Google", "Meta", "Microsoft")}
    left = [row for row in rows_of(played.home, "4-0-supplement") if row["state"] != "paid" and row["units"]]
    works = read_datasets(data("catalogue", "ai_datasets.csv")).works
    # One work had both names of Google: its share is under the common name now, and the other name's part waits.
    (both,) = (work.id for work in works if {"Google", "Google Research"} <= work.creators)
    waits = [row for row in left if row["work"] in {work.id for work in works}]
    assert [row["work"] for row in waits] == [both]
    assert len(left) > 10
    matched = sum(int(row["units"]) for row in before) - int(waits[0]["units"])
    assert sum(after.values()) == matched > 0


def test_the_figures_of_the_reports_are_the_real_ones(played: Played) -> None:
    """Downloads of a work count once, however many rows name it; every token of the trace is in one quarter."""
    downloads: dict[str, int] = {}
    works = read_datasets(data("catalogue", "ai_datasets.csv"))
    for work in (*works.works, *works.outside):
        downloads[work.id] = work.downloads
    tokens = 0
    for _, day in STOOD.values():
        lines = usage_lines(played.home, day)
        training = {one["work"]: one["usages"] for one in lines if one["summary"] == "1"}
        assert training == {work: count // 4 for work, count in downloads.items() if count >= 4}
        inference = [one for one in lines if one["summary"] == "2"]
        tokens += sum(one["usages"] for one in inference)
        weights: Counter[str] = Counter()
        for one in inference:
            weights[one["output"]] += int(one["ppm"])
        assert set(weights.values()) == {sum(CREDIT_PPM)} == {1_000_000}
    trace = csv.DictReader(data("usage", "AzureLLMInferenceTrace_conv.csv").splitlines())
    assert tokens == sum(int(row["ContextTokens"]) + int(row["GeneratedTokens"]) for row in trace)


def test_the_reports_come_back_byte_for_byte(played: Played, tmp_path: Path) -> None:
    """P-15: what was imported is written back as it came; the sample of another format is not ours to write."""
    store = played.home / "files" / "usage"
    sent = {path.name: path.read_bytes() for path in (played.home / "sent").glob("*.tsv.gz")}
    assert len(sent) == 5
    for folder in store.iterdir():
        described = usage_files.verify_folder(folder)
        (file,) = described["files"]
        if file["name"] in sent:
            (path,) = usage_files.export(folder, tmp_path)
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(sent.pop(file["name"]))
        else:
            assert file["name"] == played.data["usage_year"]["sample"]["file"]
    assert not sent


def test_the_sample_goes_in_with_every_flaw(played: Played) -> None:
    snapshot = csv.DictReader((ROOT / "tests/usage/snapshots/youtube.csv").read_text().splitlines())
    kinds = Counter(row["kind"] for row in snapshot)
    assert played.data["usage_year"]["sample"]["flaws"] == dict(sorted(kinds.items()))
    assert f"{sum(kinds.values())} flaws: " in played.talk


def test_records_are_kept_and_proved(played: Played) -> None:
    """P-11: a training run, a batch of credits for each quarter, and proofs that the contract's views hold."""
    assert played.data["usage_year"]["attribution"] == {"records": 5, "flaws": 0, "proofs": 4}
    assert "Proved on chain: squad_v2 was trained on; output request-00001 owes credit to" in played.talk
    for word in ("assumption", "assumed"):
        assert word in played.talk


def test_the_explanation_tells_only_what_was_so_then(played: Played) -> None:
    """Each credit by the bookings before it; parts, bond and payouts sum to what the holder got."""
    usage = played.data["usage_year"]
    told = usage["explained"]
    names = [[step["what"] for step in one["steps"]] for one in told["credits"]]
    assert [one.count("gross revenue") for one in names] == [1, 0, 2]
    assert [{"settled", "bond", "late money"} & set(one) for one in names] == [
        {"settled"},
        {"bond"},
        {"late money"},
    ]
    first = {step["what"]: step["figure"] for step in told["credits"][0]["steps"]}
    round_ = usage["periods"][0]["rounds"][0]
    assert first["distribution"]["units"] == round_["of"]
    assert int(first["held"]["units"]) == int(round_["to_payees"]) - int(round_["of"])
    own = units_of(played.home, "4-0")[told["payee"].lower()]
    parts = [int(one["part"]["units"]) for one in told["credits"]]
    late = int(round_["moved"]) * own // int(round_["to_payees"]) - own
    assert parts == [own, int(usage["bonds"][0]["amount"]), late]
    assert sum(parts) == int(told["tokens"][0]["earned"]["units"]) == int(told["tokens"][0]["paid"]["units"])
    assert sum(int(one["amount"]["units"]) for one in told["payouts"]) == sum(parts)


def test_a_share_of_no_creator_is_in_no_catalogue() -> None:
    """Repositories without a creator are used and valued, and the manifest does not have them."""
    held = read_datasets(data("catalogue", "ai_datasets.csv"))
    named = {work["id"] for work in manifest_document(held.works)["works"]}
    assert held.outside
    assert not any(work.creators or work.id in named for work in held.outside)
