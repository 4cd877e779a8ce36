"""Parties that lie in their usage and report files, or about them: each lie is found and named (P-14)."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _weighted_pool import (
    ANN,
    BOB,
    CY,
    DEE,
    OPEN_MONTH,
    Pool,
    found,
    honest,
    step,
)

from ledger.chain.distributions import Distributions
from ledger.domain.canonical import canonical_json, keccak256
from ledger.domain.distribution_types import Posting
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run
from ledger.operations import distribution_build, usage_files
from ledger.operations.files import FileStore

# ---- files that are not the ones named


@pytest.mark.parametrize("what", ["report", "manifest", "terms", "training", "outputs", "usage file"])
def test_a_file_whose_bytes_differ_from_its_hash(pool, tmp_path, what):
    """One byte more: the finding names the file; nothing else is accused."""
    store = pool.store(tmp_path / "files")
    if what == "report":
        digest = pool.report_hash(3)
    elif what == "manifest":
        digest = pool.manifest()[1]
    elif what == "terms":
        digest = pool.books().licences.grants[1].terms.document
    elif what == "usage file":
        digest = keccak256(pool.usage_file(0, {"song-1": 60, "song-2": 10, "song-3": 30}).read_bytes())
    else:
        digest = keccak256(
            (pool.folder / ("training.csv" if what == "training" else "outputs.csv")).read_bytes()
        )
    with (store / digest.hex()).open("ab") as file:
        file.write(b"\n")
    code, verdict = pool.audit("--files", store)
    assert code == 4
    changed = found(verdict, "changed file")
    assert changed == verdict["findings"]
    assert len(changed) == 1
    named = digest.hex()
    if what == "usage file":  # its report names it by its SHA-256
        named = next(one for one in changed[0]["what"].split() if one.startswith("0x"))[2:]
    assert f"0x{named}" in changed[0]["what"]
    assert "other bytes than its hash says" in changed[0]["what"]


@pytest.mark.parametrize("name", ["usage.parquet", "report.json", "flaws.csv"])
def test_a_usage_report_that_differs_from_its_hash(pool, tmp_path, name):
    store = pool.store(tmp_path / "files")
    folder = store / "usage" / pool.entries("Distributions", "Posted")[0]["usageHash"].hex()
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))
    code, verdict = pool.audit("--files", store)
    (finding,) = found(verdict, "changed file")
    assert (code, finding["licence"], finding["period"] is not None) == (4, 1, True)
    assert f"{folder.name}/{name}" in finding["what"]
    assert step(verdict, "files of distributions")["status"] == "FAIL"


def test_a_usage_table_that_is_not_what_its_file_says(pool):
    """The description names the honest file, and a table in which uses went from one work to another."""
    honest = pool.open_month()
    table = pq.read_table(honest / "usage.parquet")
    uses = table["usages"].to_pylist()
    uses[0], uses[2] = uses[2], uses[0]
    forged = table.set_column(
        table.schema.get_field_index("usages"), "usages", pa.array(uses, table["usages"].type)
    )
    work = pool.folder / "forged"
    shutil.copytree(honest, work)
    pq.write_table(forged, work / "usage.parquet")
    held = json.loads((work / "report.json").read_bytes())
    held["tables"]["usage.parquet"] = usage_files.sha256_of(work / "usage.parquet").hex()
    content = canonical_json(held)
    (work / "report.json").write_bytes(content)
    folder = work.rename(pool.files / "usage" / keccak256(content).hex())
    pool.post(OPEN_MONTH, folder, "forged")
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["period"]) == (4, "usage report", OPEN_MONTH)
    assert "read again make another table" in finding["what"]


def test_who_lacks_the_manifest_accuses_nobody_of_another_table(pool, tmp_path):
    """A work that the file names by its ISRC is named by the manifest: without it the table cannot be compared."""
    pool.open_month()
    folder = pool.imported(OPEN_MONTH, {"GBAYE0601498": 1, "song-3": 1}, "by-isrc")
    assert pq.read_table(folder / "usage.parquet")["work"].to_pylist() == ["song-1", "song-3"]
    pool.post(OPEN_MONTH, folder, "by-isrc")
    assert pool.audit()[1]["findings"] == []
    store = pool.store(tmp_path / "files")
    (store / pool.manifest()[1].hex()).unlink()
    _, verdict = pool.audit("--files", store)
    assert found(verdict, "usage report") == []
    assert verdict["missing"]


# ---- distributions that are not what the files give


def test_a_distribution_by_the_files_passes(pool):
    folder, units = honest(pool)
    pool.post_split(folder, list(units.items()))
    code, verdict = pool.audit("--require-files")
    assert (code, step(verdict, "files of distributions")["compared"]) == (0, 6)


def test_one_unit_moved_between_two_payees(pool):
    """P-02: payee, amount, split, period and entry are named."""
    folder, units = honest(pool)
    ann, dee = ANN.lower(), DEE.lower()
    units[ann] += 1
    units[dee] -= 1
    tree = pool.post_split(folder, list(units.items()))
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["licence"], finding["period"]) == (
        4,
        "distribution",
        1,
        OPEN_MONTH,
    )
    assert finding["split"] == "0x" + tree.id.hex()
    assert {(finding["payee"], finding["amount"])} <= {(ann, "1"), (dee, "-1")}
    assert f"{ANN} gets {units[ann]:,}, by the file {units[ann] - 1:,}" in finding["what"]
    assert f"{DEE} gets {units[dee]:,}, by the file {units[dee] + 1:,}" in finding["what"]
    assert finding["entry"].startswith("Distributions ")
    told = step(verdict, "files of distributions")
    assert (told["status"], told["expected"] != told["found"]) == ("FAIL", True)


def test_a_payee_that_the_files_do_not_name(pool):
    folder, units = honest(pool)
    stranger = "0x" + "66" * 20
    units[stranger] = units.pop(BOB.lower())
    pool.post_split(folder, list(units.items()))
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert f"{stranger} gets" in finding["what"].lower()
    assert f"{BOB} gets 0, by the file" in finding["what"]


def test_less_to_payees_than_the_files_give(pool):
    """The rest would be held."""
    folder, units = honest(pool)
    units[CY.lower()] -= 5
    pool.post_split(folder, list(units.items()))
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (finding["payee"], finding["amount"]) == (CY.lower(), "-5")


def test_a_rule_that_is_not_the_terms(pool):
    folder, units = honest(pool)
    pool.post_split(folder, list(units.items()), rule_hash=b"\6" * 32)
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert finding["what"].startswith("the rule posted is 0x0606")


def test_a_works_root_that_no_catalogue_named(pool):
    """Nobody can work it out: a gap, and with --require-files a finding."""
    folder, units = honest(pool)
    pool.post_split(folder, list(units.items()), manifest_root=b"\6" * 32)
    code, verdict = pool.audit()
    assert (code, [one["kind"] for one in verdict["missing"]]) == (0, ["works manifest"])
    assert "no catalogue names a file" in verdict["missing"][0]["why"]
    assert pool.audit("--require-files")[0] == 4


def test_a_supplement_with_one_unit_moved(pool):
    """What was held for Cy alone goes to another as well."""
    built = distribution_build.open_distribution(pool.folder / "built" / "0")
    later = MerkleSumTree.build([(CY.lower(), built.held - 1), (ANN.lower(), 1)])
    contract = Distributions("Distributions", pool.ledger.addresses["Distributions"], pool.ledger.reader)
    books = pool.books()
    posting = Posting(
        later.split,
        built.held,
        built.source.usage_hash,
        pool.manifest()[0],
        built.rule_hash,
    )
    with pool._sender(0) as sender:
        page = Run(0, later.page_words(0), later.page_proof(0))
        sender.send_one(pool.ledger.splits.publish(later.split, [page]))
        settled = books.distributions.settled(1, 0)
        terms = books.licences.grants[1].terms.encode()
        sender.send_one(contract.post(1, terms, 0, settled, posting))
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (finding["where"], abs(int(finding["amount"]))) == ("licence 1, period 0, distribution 1", 1)


# ---- reports below what the files show


def test_a_report_below_what_its_usage_report_shows(pool):
    """600 are shown, 500 were reported: 100 are missing."""
    path = pool.open_month(gross="500")
    pool.post(OPEN_MONTH, path, "below")
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"]) == (4, "report below its usage file")
    assert (finding["licence"], finding["period"], finding["amount"]) == (1, OPEN_MONTH, str(100 * 10**6))
    assert finding["token"] == pool.dollar.address
    assert finding["entry"].startswith("Licences ")


def book(pool: Pool, gross: int, deductions: int, digest: bytes) -> None:
    """Books month 5 by the contract itself."""
    with pool._sender(1) as sender:
        terms = pool.books().licences.grants[1].terms.encode()
        figures = Figures(5, gross, deductions, version=0, report_hash=digest)
        sender.send_one(pool.ledger.licences.report(1, terms, figures, pay_now=False))


def kept_report(pool: Pool, **changes: object) -> bytes:
    """A report file of month 5 with 10.00 of gross revenue, changed, in the store; its hash."""
    held = json.loads(FileStore(pool.files).get(pool.report_hash(4)))
    held["period"] = {"number": 5, "start": "2024-06-01T00:00:00Z", "end": "2024-07-01T00:00:00Z"}
    held["reporting"]["gross"] = "10.00"
    held["transaction"]["gross"] = "10.000000"
    for name, value in changes.items():
        place, _, inner = name.partition("__")
        if inner:
            held[place][inner] = value
        else:
            held[place] = value
    return pool.keep(canonical_json(held))


def test_an_honest_report_file_passes(pool):
    book(pool, 10 * 10**6, 0, kept_report(pool))
    code, verdict = pool.audit()
    assert (code, step(verdict, "files of reports")["compared"]) == (0, 7)


def test_books_below_what_the_report_file_shows(pool):
    """P-18: the file bound to the entry shows 10.00, booked are 9.00."""
    book(pool, 9 * 10**6, 0, kept_report(pool))
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["period"], finding["amount"]) == (4, "report file", 5, "1000000")
    assert "1,000,000 of revenue are missing in the books" in finding["what"]
    told = step(verdict, "files of reports")
    assert (told["status"], told["expected"] != told["found"]) == ("FAIL", True)


def test_deductions_that_the_report_file_does_not_show(pool):
    book(pool, 10 * 10**6, 10**6, kept_report(pool))
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (finding["amount"], "deductions of 0" in finding["what"]) == ("1000000", True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"licence": 7}, "of another report"),
        ({"period__number": 4}, "of another report"),
        ({"replaces_version": 3}, "of another report"),
        ({"chain_id": 1}, "of another report"),
        ({"reporting__gross": "12.00"}, "its own figures and rate give 12,000,000"),
        ({"reporting": "nothing"}, "is no report file"),
        ({"report_version": "9"}, "is no report file"),
    ],
)
def test_a_report_file_that_does_not_fit(pool, changes, why):
    book(pool, 10 * 10**6, 0, kept_report(pool, **changes))
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["period"]) == (4, "report file", 5)
    assert why in finding["what"]
