"""Parties that lie in their files, or about them: each lie is found and named; a gap is told as a gap (P-14)."""

from __future__ import annotations

import functools
import json
import shutil
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _weighted_pool import ANN, BOB, CY, DEE, LICENSEE, LICENSOR, OPEN_MONTH, STRANGER, Pool, step

from ledger.chain.distributions import Distributions
from ledger.domain.attribution_book import Batch, Training
from ledger.domain.canonical import canonical_json, keccak256
from ledger.domain.distribution_types import Posting
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run
from ledger.operations import distribution_build, usage_files
from ledger.operations.files import FileStore


def found(verdict: dict, check: str) -> list[dict]:
    return [one for one in verdict["findings"] if one["check"] == check]


def duties(verdict: dict, kind: str) -> list[dict]:
    return [one for one in verdict["duties"] if one["kind"] == kind]


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


def honest(pool: Pool) -> tuple[Path, dict[str, int]]:
    folder = pool.build(OPEN_MONTH, pool.open_month(), "open")
    return folder, dict(distribution_build.open_distribution(folder).units())


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


# ---- manifests


def replace_manifest(pool: Pool, works_root: bytes, file_hash: bytes) -> None:
    with pool._sender(0) as sender:
        arguments = (1, works_root, file_hash, "")
        sender.send_one(pool.ledger.catalogues.request("replaceManifest", *arguments, note="replace"))


def test_a_work_in_two_catalogues_is_a_fact(pool):
    """Told once, by what is the same; catalogue 2 calls the work otherwise."""
    assert duties(pool.audit()[1], "work in two catalogues") == []
    works = pool.folder / "publishing.csv"
    works.write_text(
        f"work,title,holder,payee,share,right,isrc\nharbour,H,Ann,{ANN},1/1,composition,GBAYE0601498\n"
    )
    pool.do("catalogue", "create", works, "--title", "Publishing", account=STRANGER)
    code, verdict = pool.audit()
    (fact,) = duties(verdict, "work in two catalogues")
    assert (code, fact["where"]) == (0, "catalogues 2 and 1")
    assert fact["what"] == "'harbour' is 'song-1' there (isrc GBAYE0601498)"


def test_a_manifest_that_has_another_works_root(pool):
    replace_manifest(pool, b"\6" * 32, pool.manifest()[1])
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["where"]) == (4, "manifest", "catalogue 1")
    assert "on chain is 0x0606" in finding["what"]


def test_a_manifest_that_is_none(pool):
    replace_manifest(pool, pool.manifest()[0], pool.keep(b"works? none."))
    _, verdict = pool.audit()
    assert ["is no manifest" in one["what"] for one in verdict["findings"]] == [True]


def test_a_manifest_whose_shares_differ_from_the_split(pool):
    """A list of units may stand for a manifest, so it is a fact; payees and both parts are named."""
    units = pool.folder / "units.csv"
    units.write_text(f"payee,units\n{ANN},1\n{DEE},1\n")
    assert duties(pool.audit()[1], "split differs from manifest") == []
    pool.do("catalogue", "announce", 1, "--units", units, account=LICENSOR)
    code, verdict = pool.audit()
    (fact,) = duties(verdict, "split differs from manifest")
    assert (code, fact["split"] is not None) == (0, True)
    assert f"{ANN} gets 50.0000 %, by the manifest 8.3333 %" in fact["what"]
    assert f"{CY} gets 0.0000 %, by the manifest 33.3333 %" in fact["what"]
    assert "1 pay otherwise" in step(verdict, "files of manifests")["detail"]


# ---- attribution


def record(pool: Pool, what: Batch | Training) -> None:
    with pool._sender(1) as sender:
        contract, terms = pool.ledger.attributions, pool.books().licences.grants[1].terms.encode()
        send = contract.record_outputs if isinstance(what, Batch) else contract.record_training
        sender.send_one(send(1, terms, what))


def recorded(pool: Pool, kind: type) -> Batch | Training:
    held = pool.books().attributions.records.values()
    return next(one.what for one in held if isinstance(one.what, kind))


def test_a_batch_whose_leaves_are_not_those_of_its_file(pool):
    """The root of other leaves beside the hash of the honest file."""
    record(pool, replace(recorded(pool, Batch), root=b"\6" * 32))
    code, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert (code, finding["check"], finding["licence"]) == (4, "attribution", 1)
    assert "leaves are missing, added or changed" in finding["what"]
    assert step(verdict, "files of attributions")["status"] == "FAIL"


@pytest.mark.parametrize(
    ("kind", "change"), [(Batch, {"leaves": 4}), (Batch, {"outputs": 3}), (Training, {"leaves": 3})]
)
def test_a_record_that_is_sent_again_with_other_figures(pool, kind, change):
    record(pool, replace(recorded(pool, kind), **change))
    code, verdict = pool.audit()
    assert (code, [one["check"] for one in verdict["findings"]]) == (4, ["attribution"])
    assert "later records of this root tell other figures" in verdict["findings"][0]["what"]


def test_a_training_run_whose_works_are_not_those_of_its_file(pool):
    record(pool, replace(recorded(pool, Training), root=b"\6" * 32))
    _, verdict = pool.audit()
    (finding,) = verdict["findings"]
    assert "works are missing, added or changed" in finding["what"]


def test_a_file_of_leaves_that_is_none(pool):
    record(pool, replace(recorded(pool, Batch), root=b"\6" * 32, file_hash=pool.keep(b"no,table\n1,2\n")))
    _, verdict = pool.audit()
    assert ["its file cannot be read" in one["what"] for one in verdict["findings"]] == [True]


def test_weights_that_do_not_sum_to_one_million_are_a_fact(pool):
    flawed = pool.folder / "flawed.csv"
    flawed.write_text(
        "output,content_hash,work,weight_ppm,confidence_bps\nout-9,,song-1,999999,9000\nout-1,,song-9,1000000,1\n"
    )
    pool.do("attribution", "record", 1, "--outputs", flawed, "--flawed", account=LICENSEE)
    code, verdict = pool.audit()
    assert code == 0
    (weights,) = duties(verdict, "weights of an output")
    assert "sum to 999,999 parts per million" in weights["what"]
    assert len(duties(verdict, "credit to an unknown work")) == 1
    assert len(duties(verdict, "output credited twice")) == 1


def test_credits_that_are_missing(pool):
    """Outputs by the usage reports, against the outputs that batches credit."""
    code, verdict = pool.audit()
    missing = duties(verdict, "missing credits")
    assert (code, [one["period"] for one in missing]) == (0, [0, 1, 2, 4])
    assert "credits of 2 are recorded: those of 8 are missing" in missing[-1]["what"]


def test_training_that_nobody_recorded(pool):
    """A usage report tells of fine-tuning; no run of it is recorded."""
    pool.open_month()
    path = pool.usage_file(OPEN_MONTH, {"song-1": 1, "song-3": 1}, "tuned")
    path.write_text(path.read_text().replace("aill::AiInference", "aill::AiFineTuning"))
    done = pool.do("usage", "import", path, "--keep")
    pool.post(OPEN_MONTH, Path(done["folder"]), "tuned")
    code, verdict = pool.audit()
    (fact,) = duties(verdict, "missing training record")
    assert (code, fact["period"], "AiFineTuning is reported" in fact["what"]) == (0, OPEN_MONTH, True)


# ---- what nobody paid


def test_a_page_that_is_published_and_credited_but_never_paid(pool):
    """Since when, and how much waits for its payees."""
    assert duties(pool.audit()[1], "page never paid") == []
    folder, units = honest(pool)
    tree = pool.post_split(folder, list(units.items()))
    pool.after("2024-09-10")
    pool.settle(OPEN_MONTH)
    since = int(pool.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    pool.after("2024-12-20")
    pool.rpc.call("anvil_mine", "0x1")
    code, verdict = pool.audit()
    (page,) = duties(verdict, "page never paid")
    assert (code, page["split"], page["since"]) == (0, "0x" + tree.id.hex(), since)
    assert int(page["amount"]) == sum(units.values())
    assert "published and credited" in page["what"]


def test_credits_that_nobody_recorded_at_all(pool):
    """A licence whose outputs are to be credited: revenue is booked, and by its report date no output is."""
    terms = pool._terms(
        {"catalogue": 1, "works_root": "0x" + pool.manifest()[0].hex()},
        scope=["COMMERCIAL_OUTPUT"],
        duties={
            "reporting_period": "MONTH",
            "days_to_report": 10,
            "days_to_pay": 20,
            "attribution": "PER_OUTPUT",
        },
    )
    offer = pool.folder / "second.json"
    pool.do("licence", "offer", terms, "--out", offer, account=LICENSOR)
    second = pool.do("licence", "accept", offer, account=LICENSEE)["licence"]
    pool.do("report", "submit", second, "50", "--pay", account=LICENSEE)
    assert not [one for one in duties(pool.audit()[1], "missing credits") if one["licence"] == second]
    pool.after("2024-09-13")
    pool.rpc.call("anvil_mine", "0x1")
    (fact,) = [one for one in duties(pool.audit()[1], "missing credits") if one["licence"] == second]
    assert (fact["period"], fact["who"]) == (0, pool.books().licences.holders[second])
    assert "no output is credited by its report date" in fact["what"]


def test_money_that_waits_for_a_call_that_anyone_may_make(pool):
    """Posted and not settled; not posted at all; held for longer than 730 days: how much waits, and since when."""
    folder, units = honest(pool)
    assert duties(pool.audit()[1], "no distribution posted") != []
    pool.post_split(folder, list(units.items()))
    pool.after("2024-09-10")
    pool.rpc.call("anvil_mine", "0x1")
    verdict = pool.audit()[1]
    (waits,) = duties(verdict, "distribution not settled")
    assert (waits["period"], int(waits["amount"])) == (OPEN_MONTH, sum(units.values()))
    (nothing,) = duties(verdict, "no distribution posted")
    assert (nothing["period"], nothing["who"]) == (5, pool.books().catalogues.owner_of(1))
    pool.after("2027-01-01")
    pool.rpc.call("anvil_mine", "0x1")
    (held,) = duties(pool.audit()[1], "held money not released")
    assert (held["period"], int(held["amount"]) > 0) == (0, True)


# ---- files that nobody gave


def test_files_that_are_missing_are_told_loudly_and_fail_only_where_required(pool, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    code, verdict = pool.audit("--files", empty)
    assert (code, verdict["passed"]) == (0, True)
    kinds = {one["kind"] for one in verdict["missing"]}
    assert kinds == {"report file", "usage report", "works manifest", "terms document", "attribution file"}
    many = len(verdict["missing"])
    assert verdict["verdict"].endswith(f"NOT COVERED: {many} files are missing")
    for name in ("manifests", "reports", "distributions", "attributions"):
        told = step(verdict, f"files of {name}")
        assert (told["status"], told["compared"]) == ("NOTE", 0)
        assert "NOT COVERED for want of files" in told["detail"]
    code, verdict = pool.audit("--files", empty, "--require-files")
    assert (code, len(found(verdict, "missing-file"))) == (4, many)
    assert step(verdict, "files of reports")["status"] == "FAIL"


def test_one_licence_alone_asks_for_its_files_alone(pool, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    pool.do("licence", "offer", pool._terms(
        {"catalogue": 1, "works_root": "0x" + pool.manifest()[0].hex()},
        scope=["INDEX"]), "--out", pool.folder / "second.json", account=LICENSOR)  # fmt: skip
    second = pool.do("licence", "accept", pool.folder / "second.json", account=LICENSEE)["licence"]
    _, verdict = pool.audit("--files", empty, "--licence", second)
    assert {one["kind"] for one in verdict["missing"]} == {"works manifest"}


def test_a_bundle_is_verified_with_the_files_beside_it(pool, tmp_path):
    """The bundle holds entries and proofs; the files lie in the store."""
    bundle, empty = tmp_path / "ledger.bundle", tmp_path / "empty"
    empty.mkdir()
    anchor = pool.anchor()
    assert pool.audit("--bundle", bundle)[0] == 0
    code, envelope = pool.run("audit", "verify", bundle, "--anchor", anchor)
    assert (code, step(envelope["data"], "files of distributions")["status"]) == (0, "PASS")
    code, envelope = pool.run(
        "audit", "verify", bundle, "--anchor", anchor, "--files", empty, "--require-files"
    )
    assert code == 4


def test_a_store_that_is_read_by_url(pool, tmp_path):
    """What DIR holds may be served; the usage report's folder is copied and checked like any other."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(pool.files)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        code, verdict = pool.audit("--files", f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (code, verdict["missing"]) == (0, [])
    told = step(verdict, "files of distributions")
    assert (told["status"], told["compared"]) == ("PASS", 5)
