"""Manifests and records of attribution that are not what was named, or that contradict themselves (P-14)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from _weighted_pool import (
    ANN,
    CY,
    DEE,
    LICENSEE,
    LICENSOR,
    OPEN_MONTH,
    STRANGER,
    Pool,
    duties,
    step,
)

from ledger.domain.attribution_book import Batch, Training

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
