"""attribution: record, list, prove, check; files that are refused; proofs that anyone verifies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _reporting import after

from ledger.domain.canonical import keccak256

HASH = "ab" * 32
HEADER = "output,content_hash,work,weight_ppm,confidence_bps"
CREDITS = [
    f"out-1,0x{HASH},song-1,600000,9000",
    f"out-1,0x{HASH},song-2,400000,8000",
    "out-2,,song-3,250000,9500",
    "out-2,,,750000,9500",
]
USED = ["song-1", "song-3"]


@pytest.fixture
def works(tmp_path: Path) -> Path:
    path = tmp_path / "used.csv"
    path.write_text("\n".join(["work", *USED]) + "\n")
    return path


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "batch.csv"
    path.write_text("\n".join([HEADER, *CREDITS]) + "\n")
    return path


@pytest.fixture
def term(licence, node) -> int:
    """A licence for training and inference whose term runs: January to December 2024."""
    after(node, "2024-02-01")
    return licence


def record(on, licence, **options):
    return on("attribution", "record", licence, **{"account": LICENSEE, "json": True, **options})


# ---- recorded


def test_a_training_run_is_recorded_listed_and_proved(on, term, works, tmp_path, ledger):
    done = record(on, term, training=works)
    assert (done.code, done.data["sent"], done.data["kind"], done.data["leaves"]) == (0, True, "training", 2)
    assert done.data["model"] == "Muse\n1"
    assert done.data["file_hash"] == "0x" + keccak256(works.read_bytes()).hex()
    [one] = on("attribution", "list", term, json=True).data["records"]
    assert (one["root"], one["by"], one["file_kept"]) == (done.data["root"], ADDRESS[LICENSEE], True)
    proofs = tmp_path / "proof.json"
    [proof] = on("attribution", "prove", term, work="song-3", out=proofs, json=True).data["proofs"]
    leaf = [bytes.fromhex(word[2:]) for word in proof["leaf"].values()]
    root = bytes.fromhex(proof["root"][2:])
    siblings = [bytes.fromhex(word[2:]) for word in proof["siblings"]]
    assert ledger.attributions.view("provesUse", root, leaf, siblings)
    licensed = on("catalogue", "prove", 1, "song-3", json=True).data
    assert licensed["work"]["workId"] == proof["leaf"]["workId"]
    told = on("attribution", "prove", verify=proofs, account=STRANGER)
    assert (told.code, "was used to train" in told.out, "Muse 1" in told.out) == (0, True, True)


def test_a_batch_is_recorded_and_its_credits_are_proved(on, term, batch, tmp_path, ledger):
    done = record(on, term, outputs=batch)
    assert (done.code, done.data["outputs"], done.data["leaves"]) == (0, 2, 4)
    assert done.data["transactions"][0]["gas_used"] <= 80_000
    path = tmp_path / "proofs.json"
    both = on("attribution", "prove", term, output="out-1", out=path, json=True).data["proofs"]
    assert {one["work"]: one["leaf"]["weightPpm"] for one in both} == {"song-1": 600_000, "song-2": 400_000}
    words = [
        value if isinstance(value, int) else bytes.fromhex(value[2:]) for value in both[0]["leaf"].values()
    ]
    siblings = [bytes.fromhex(word[2:]) for word in both[0]["siblings"]]
    root = bytes.fromhex(both[0]["root"][2:])
    assert ledger.attributions.view("provesCredit", root, words, siblings)
    words[3] += 1
    assert not ledger.attributions.view("provesCredit", root, words, siblings)
    [one] = on("attribution", "prove", term, output="out-2", work="song-3", json=True).data["proofs"]
    assert one["leaf"]["confidenceBps"] == 9500
    assert on("attribution", "prove", verify=path, json=True).code == 0
    assert "600,000 parts per million, confidence 90 %" in on("attribution", "prove", verify=path).out


def test_p05_a_record_that_is_sent_again_sends_nothing(on, term, batch, works, unsent):
    """P-05: the same root is recorded once, also from another form of the file."""
    for option, file in (("outputs", batch), ("training", works)):
        assert record(on, term, **{option: file}).data["sent"]
        before = unsent()
        again = record(on, term, **{option: file}).data
        assert (again["sent"], again["recorded_before"], unsent()) == (False, True, before)
        header, *lines = file.read_text().splitlines()
        file.write_text("\n".join([header, *reversed(lines)]) + "\n")
        turned = record(on, term, **{option: file}).data
        assert (turned["recorded_before"], turned["root"], unsent()) == (True, again["root"], before)
    assert len(on("attribution", "list", json=True).data["records"]) == 2


def test_parquet_and_csv_of_the_same_lines_are_the_same_record(on, term, batch, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [line.split(",") for line in CREDITS]
    path = tmp_path / "batch.parquet"
    table = {
        "confidence_bps": pa.array([int(row[4]) for row in rows], pa.int32()),
        "output": [row[0] for row in rows],
        "content_hash": pa.array([bytes.fromhex(row[1][2:]) or None for row in rows], pa.binary()),
        "work": [row[2] or None for row in rows],
        "weight_ppm": pa.array([int(row[3]) for row in rows], pa.int64()),
    }
    pq.write_table(pa.table(table), path)
    done = record(on, term, outputs=path)
    assert done.code == 0, done.error
    assert record(on, term, outputs=batch).data["recorded_before"]
    assert on("attribution", "prove", term, output="out-2", json=True).code == 0


def test_nothing_is_sent_off_the_local_chain_without_yes(on, term, batch, works, monkeypatch, unsent):
    from ledger.chain.rpc import Rpc

    time = 1_706_900_000
    monkeypatch.setattr(Rpc, "is_local", property(lambda self: False))
    monkeypatch.setattr("ledger.chain.simulation.chain_time", lambda rpc: time)
    monkeypatch.setattr("ledger.operations.session.chain_time", lambda rpc: time)
    before = unsent()
    for option, file, what in (
        ("outputs", batch, "2 outputs with 4 credits"),
        ("training", works, "training on 2 works"),
    ):
        ran = record(on, term, account=ADDRESS[LICENSEE], **{option: file})
        assert (ran.code, ran.data.get("sent")) == (0, False), ran.error
        assert ran.data["plan"][0]["what"] == what
        assert 40_000 < ran.data["gas"] < 100_000
    assert unsent() == before


def test_verify_folds_the_journal_of_records(on, term, batch, works):
    record(on, term, training=works)
    record(on, term, outputs=batch)
    ran = on("verify")
    assert ran.code == 0, ran.out
    assert "PASS  journal of Attributions: 2 entries" in ran.out


# ---- refused


def test_only_the_licensee_records(on, term, batch, works, unsent):
    before = unsent()
    for option, file in (("outputs", batch), ("training", works)):
        ran = record(on, term, account=STRANGER, **{option: file})
        assert (ran.code, ran.error["revert"]) == (5, "Attributions_MayNotRecord")
    assert unsent() == before


def test_use_term_and_model_are_those_of_the_licence(on, term, batch, works, node, unsent):
    assert record(on, term, training=works, fine_tuning=True).error["revert"] == "Attributions_OutsideScope"
    ran = record(on, term, training=works, model="Muse", model_version="2")
    assert ran.error["revert"] == "Attributions_WrongModel"
    after(node, "2025-01-01")
    before = unsent()
    assert record(on, term, training=works).error["revert"] == "Attributions_OutsideTerm"
    assert unsent() == before
    assert record(on, term, outputs=batch).code == 0
    after(node, "2025-01-12")
    assert record(on, term, outputs=batch).data["recorded_before"]


def test_works_that_are_not_licensed_are_refused(on, term, works, unsent):
    before = unsent()
    works.write_text("work\nsong-1\nsong-9\n")
    ran = record(on, term, training=works)
    assert (ran.code, "'song-9'" in ran.error["what"], unsent()) == (2, True, before)


#: What is wrong: the good text, the bad one, the place that is named, what is said of it.
BAD = {
    "a weight of zero": (",600000,", ",0,", "line 2", "weight_ppm"),
    "a weight above the whole": (",600000,", ",1000001,", "line 2", "weight_ppm"),
    "a weight with a point": (",600000,", ",0.6,", "line 2", "weight_ppm"),
    "a confidence above the whole": (",8000", ",10001", "line 3", "confidence_bps"),
    "no confidence": (",8000", ",", "line 3", "confidence_bps"),
    "no output": ("out-2,,song-3", ",,song-3", "line 4", "output is empty"),
    "half a hash": (f"0x{HASH},song-1", "0xabab,song-1", "line 2", "content_hash"),
    "a cell too few": ("out-2,,,750000,9500", "out-2,,750000,9500", "line 5", "4 cells"),
    "a control character": ("song-3", "song\x073", "line 4", "control characters"),
    "a work twice": ("song-2", "song-1", "output out-1", "more than once"),
}


@pytest.mark.parametrize("flaw", BAD)
def test_a_bad_batch_is_refused_whole(on, term, batch, unsent, flaw, tmp_path):
    good, bad, where, said = BAD[flaw]
    text = batch.read_text()
    assert good in text
    batch.write_text(text.replace(good, bad, 1))
    before = unsent()
    ran = record(on, term, outputs=batch, flawed=True)
    assert ran.code == 2
    assert any(one["where"] == where and said in one["what"] for one in ran.error["findings"]), ran.error
    assert unsent() == before
    digest = keccak256(batch.read_bytes()).hex()
    assert not (tmp_path / "home" / "files" / digest).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "columns"),
        (b"output,work\n", "columns"),
        (HEADER.encode() + b",more\n", "columns"),
        (HEADER.encode() + b"\n", "no credit"),
        (b"\xff\xfe", "not UTF-8"),
        (b"PAR1 and no more", "no Parquet"),
        (HEADER.encode() + b'\n"out', "no CSV"),
    ],
)
def test_files_that_are_no_batch(on, term, batch, content, said):
    batch.write_bytes(content)
    ran = record(on, term, outputs=batch)
    assert (ran.code, said in json.dumps(ran.error)) == (2, True), ran.error


def test_a_training_file_names_each_work_once(on, term, works):
    works.write_text("work\nsong-1\nsong-1\n\nsong-3,x\n")
    ran = record(on, term, training=works)
    assert [one["where"] for one in ran.error["findings"]] == ["line 3", "line 5"]
    both = on("attribution", "record", term, training=works, outputs=works, account=LICENSEE, json=True)
    assert both.code == on("attribution", "record", term, account=LICENSEE, json=True).code == 2


# ---- checked


def flaws(ran) -> list[tuple[str, str]]:
    return [(one["where"], one["what"].split(":")[0]) for one in ran.error["findings"]]


def test_a_good_batch_passes_its_check(on, term, batch):
    alone = on("attribution", "check", batch, json=True).data
    assert (alone["credits"], alone["outputs"], alone["recorded"]) == (4, 2, False)
    named = ("attribution", "check", batch, "--licence", term)
    assert on(*named, json=True).data["recorded"] is False
    record(on, term, outputs=batch)
    assert on(*named, json=True).data["recorded"] is True
    assert on("attribution", "check", "--licence", term, json=True).data["records"] == 1


def test_what_a_root_cannot_show_is_found(on, term, batch, unsent):
    text = batch.read_text().replace(",600000,", ",500000,").replace("song-3", "song-9")
    batch.write_text(text)
    ran = on("attribution", "check", batch, "--licence", term, json=True)
    assert (ran.code, flaws(ran)) == (2, [("output out-1", "weights"), ("work song-9", "unknown-work")])
    before = unsent()
    refused = record(on, term, outputs=batch)
    assert (refused.code, flaws(refused), unsent()) == (2, flaws(ran), before)
    done = record(on, term, outputs=batch, flawed=True)
    assert (done.code, [one["kind"] for one in done.data["flaws"]]) == (0, ["weights", "unknown-work"])
    assert flaws(on("attribution", "check", "--licence", term, json=True)) == flaws(ran)


def test_an_output_in_two_batches_and_a_missing_file_are_found(on, term, batch, tmp_path):
    first = record(on, term, outputs=batch).data
    batch.write_text("\n".join([HEADER, "out-2,,song-3,1000000,9500"]) + "\n")
    ran = on("attribution", "check", batch, "--licence", term, json=True)
    assert flaws(ran) == [("output out-2", "repeated-output")]
    assert record(on, term, outputs=batch).code == 0
    assert flaws(on("attribution", "check", "--licence", term, json=True)) == flaws(ran)
    (tmp_path / "home" / "files" / first["file_hash"][2:]).unlink()
    [(where, kind)] = flaws(on("attribution", "check", "--licence", term, json=True))
    assert (kind, first["root"][:18] in where) == ("missing-file", True)
    assert on("attribution", "prove", term, output="out-1", json=True).code == 2
    listed = on("attribution", "list", term, json=True).data["records"]
    assert [one["file_kept"] for one in listed] == [False, True]


# ---- proofs that do not hold


@pytest.fixture
def proofs(on, term, batch, tmp_path) -> Path:
    record(on, term, outputs=batch)
    path = tmp_path / "proofs.json"
    assert on("attribution", "prove", term, output="out-1", work="song-1", out=path, json=True).code == 0
    return path


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda one: one["leaf"].update(weightPpm=600_001), 4, "does not lead"),
        (lambda one: one["siblings"].pop(), 4, "does not lead"),
        (lambda one: one.update(work="song-2"), 4, "ids"),
        (lambda one: one.update(root="0x" + "11" * 32), 4, "No such root"),
        (lambda one: one.update(licence=7), 4, "No such root"),
        (lambda one: one.update(chain_id=1), 2, "chain 1"),
        (lambda one: one.update(contract=ADDRESS[LICENSOR]), 2, "contract"),
        (lambda one: one.update(kind="other"), 2, "no proofs"),
        (lambda one: one.pop("leaf"), 2, "no proofs"),
        (lambda one: one["leaf"].update(work="0xzz"), 2, "not a 32-byte hash"),
    ],
)
def test_a_changed_proof_does_not_hold(on, proofs, change, code, said):
    held = json.loads(proofs.read_text())
    change(held["proofs"][0])
    proofs.write_text(json.dumps(held))
    ran = on("attribution", "prove", verify=proofs, json=True)
    assert (ran.code, said in ran.error["what"]) == (code, True), ran.error


def test_proofs_of_what_is_not_recorded(on, proofs, term):
    for options in ({"output": "out-9"}, {"work": "song-1"}, {"output": "out-1", "work": "song-3"}, {}):
        assert on("attribution", "prove", term, json=True, **options).code == 2
    assert on("attribution", "prove", json=True).code == 2
    assert on("attribution", "prove", 9, work="song-1", json=True).code == 2
    proofs.write_text("{}")
    assert on("attribution", "prove", verify=proofs, json=True).code == 2


def test_text_of_the_chain_that_is_no_utf_8_is_shown_all_the_same():
    from ledger.cli.output import clean, jsonable

    odd = b"ipfs://\xff".decode("utf-8", "surrogateescape")
    assert json.dumps(jsonable({"uri": odd}), ensure_ascii=False).encode() == b'{"uri": "ipfs://\\\\udcff"}'
    assert clean(odd).encode() == b"ipfs://\\udcff"
