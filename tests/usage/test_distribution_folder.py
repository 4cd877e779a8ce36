"""A distribution's folder: the same bytes each time, whole or not there, every payee proved. P-02, P-11, P-15."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _pools import payee, random_lines, random_shares, share_table, usage_table

from ledger.domain.allocation import HolderShare, UsageLine, allocate
from ledger.domain.errors import AuditFailed, IncompleteError, LedgerError, ValueRefused
from ledger.domain.manifest_file import parse_manifest_json
from ledger.domain.merkle_sum import MerkleSumTree, check_leaf
from ledger.domain.terms import TermsDocument, read_terms
from ledger.operations import distribution_build
from ledger.usage import distribution_folder, stages

ROOT = Path(__file__).resolve().parents[2]
AMOUNT = 10**9 + 7
ANN, BOB = payee(1), payee(2)
SHARES = [
    HolderShare("harbour", "Ann", 333_333, ANN),
    HolderShare("harbour", "Bob", 666_667, BOB),
    HolderShare("winter", "Ann", 1_000_000, ANN),
    HolderShare("mist", "Cy", 1_000_000, None),
]
LINES = [UsageLine("harbour", 7), UsageLine("winter", 5), UsageLine("mist", 2), UsageLine("nowhere", 3)]


def terms(**pool) -> TermsDocument:
    return read_terms(
        {
            "terms": "1",
            "catalogue": 1,
            "licensor": "0x" + "1" * 40,
            "works_root": "0x" + "2" * 64,
            "model": {"name": "m", "version": "1"},
            "scope": ["TRAIN"],
            "reach": {"start": "2026-01-01"},
            "money": {"token": "0x" + "3" * 40, "symbol": "T", "decimals": 6, "tiers": [{"rate_ppm": 10}]},
            "pool": {"weighted": True, "distributions": "0x" + "4" * 40, "allocation": "USAGE"} | pool,
            "duties": {"reporting_period": "QUARTER"},
            "control": {"cure_days": 10},
        }
    )


def write_inputs(folder: Path, lines=LINES, shares=SHARES) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    usage, manifest = folder / "usage.parquet", folder / "manifest.parquet"
    pq.write_table(usage_table(lines), usage)
    pq.write_table(share_table(shares), manifest)
    return usage, manifest


def build(folder: Path, inputs: tuple[Path, Path], amount: int = AMOUNT, **options):
    return distribution_build.build_distribution(folder, [inputs[0]], inputs[1], terms(), amount, **options)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_says_what_the_rule_gives(tmp_path: Path) -> None:
    stages: list[str] = []
    made = build(tmp_path / "d", write_inputs(tmp_path), licence=3, period=2, progress=stages.append)
    wanted = allocate(LINES, SHARES, made.rule, AMOUNT)
    assert {bytes.fromhex(one[2:]): units for one, units in made.units()} == wanted.units
    assert (made.total, made.held) == (sum(wanted.units.values()), wanted.held)
    assert made.total + made.held == made.amount == AMOUNT
    assert (made.source.licence, made.source.period) == (3, 2)
    assert made.split_id == MerkleSumTree.build(list(made.units())).id
    assert len(stages) == distribution_build.STAGES
    made.check()
    works = pq.read_table(tmp_path / "d" / "works.parquet").to_pylist()
    assert sum(row["units"] for row in works) == AMOUNT
    assert {(row["work"], row["state"]) for row in works} == {
        ("harbour", "paid"),
        ("winter", "paid"),
        ("mist", "held"),
        ("nowhere", "unmatched"),
    }
    assert {row["work"]: row["work_usages"] for row in works if row["state"] != "unmatched"} == {
        "harbour": 7,
        "winter": 5,
        "mist": 2,
    }


def test_the_same_input_gives_the_same_bytes_in_any_order_and_process(tmp_path: Path) -> None:
    rng = Random(8)
    shares = random_shares(rng)
    lines = random_lines(rng) + [UsageLine(share.work, 5) for share in shares]
    for name in ("one", "two"):
        made = write_inputs(tmp_path / name, lines, shares)
        usage_hash = bytes(32)
        distribution_build.build_distribution(
            tmp_path / name / "d",
            [made[0]],
            tmp_path / "one" / "manifest.parquet",
            terms(),
            AMOUNT,
            usage_hash=usage_hash,
        )
        rng.shuffle(lines)
    assert content(tmp_path / "one" / "d") == content(tmp_path / "two" / "d")
    # Another process, one thread, another zone and language: the same.
    code = (
        "import sys; from pathlib import Path; sys.path[:0] = [sys.argv[2]];"
        "import test_distribution_folder as t; at = Path(sys.argv[1]);"
        "t.distribution_build.build_distribution(at / 'three', [at / 'two/usage.parquet'],"
        " at / 'one/manifest.parquet', t.terms(), t.AMOUNT, usage_hash=bytes(32))"
    )
    variables = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)],
        env=variables,
        cwd=ROOT,
        check=True,
    )
    assert content(tmp_path / "three") == content(tmp_path / "one" / "d")


def test_no_time_and_no_place_stands_in_the_files(tmp_path: Path) -> None:
    build(tmp_path / "d", write_inputs(tmp_path))
    for raw in content(tmp_path / "d").values():
        assert str(tmp_path).encode() not in raw
    for name in ("allocation.parquet", "works.parquet"):
        assert pq.read_schema(tmp_path / "d" / name).metadata is None


def test_building_again_leaves_a_whole_folder_as_it_is(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    build(tmp_path / "d", inputs)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "d").iterdir()}
    build(tmp_path / "d", inputs)
    assert before == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "d").iterdir()}


def test_another_distribution_is_not_overwritten_unless_that_is_said(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    first = build(tmp_path / "d", inputs)
    with pytest.raises(ValueRefused, match="already"):
        build(tmp_path / "d", inputs, AMOUNT + 1)
    assert distribution_build.open_distribution(tmp_path / "d").split_id == first.split_id
    again = build(tmp_path / "d", inputs, AMOUNT + 1, replace=True)
    assert distribution_build.open_distribution(tmp_path / "d").amount == again.amount == AMOUNT + 1


@pytest.mark.parametrize(
    "file", ["sums.arrow", "allocation.parquet", "works.parquet", "manifest.json", ".d.partial"]
)
def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path: Path, file: str, monkeypatch) -> None:
    """Nothing half done is there; finished stages are taken, and the bytes are those of a build that was not killed."""
    inputs = write_inputs(tmp_path)
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{str(Path(__file__).parent)!r}]
import test_distribution_folder as t
from ledger.usage import stages
def die(path):
    late = path.name[0] != "." or (path / "works.parquet").exists()
    if path.name == {file!r} and path.parent.name != "hashes" and late:
        os.kill(os.getpid(), signal.SIGKILL)
stages.flush = die
at = Path({str(tmp_path)!r})
t.build(at / 'd', (at / 'usage.parquet', at / 'manifest.parquet'))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "d").exists()
    taken: list[str] = []
    original = stages.Stages.__init__
    monkeypatch.setattr(
        stages.Stages,
        "__init__",
        lambda self, folder: (original(self, folder), setattr(self, "taken", taken))[0],
    )
    build(tmp_path / "d", inputs).check()
    order = ["sums.arrow", "allocation.parquet", "works.parquet", "manifest.json", ".d.partial"]
    assert taken == order[: min(order.index(file), 3)]
    build(tmp_path / "whole", inputs)
    assert content(tmp_path / "d") == content(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"d", "whole", "usage.parquet", "manifest.parquet"}


def half_built(folder: Path, inputs: tuple[Path, Path], monkeypatch) -> Path:
    """A build stopped after the first table; its hidden folder."""

    def stop(*_args) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(distribution_folder, "_write_works", stop)
        with pytest.raises(KeyboardInterrupt):
            build(folder, inputs)
    return folder.with_name(f".{folder.name}.partial")


def test_stages_of_another_input_or_that_were_changed_are_made_again(tmp_path: Path, monkeypatch) -> None:
    inputs = write_inputs(tmp_path)
    whole = content(build(tmp_path / "whole", inputs).folder)
    partial = half_built(tmp_path / "d", inputs, monkeypatch)
    assert (partial / "allocation.parquet").read_bytes() == whole["allocation.parquet"]
    for name in ("allocation.parquet", "sums.arrow"):
        (partial / name).write_bytes(b"changed")
    assert content(build(tmp_path / "d", inputs).folder) == whole
    half_built(tmp_path / "e", inputs, monkeypatch)
    assert build(tmp_path / "e", inputs, AMOUNT + 1).amount == AMOUNT + 1
    # The tables of the usage changed, though its hash was given.
    half_built(tmp_path / "f", inputs, monkeypatch)
    pq.write_table(usage_table([*LINES, UsageLine("winter", 50)]), inputs[0])
    assert build(tmp_path / "f", inputs).total != build(tmp_path / "whole", inputs, replace=True).amount
    assert content(tmp_path / "f") == content(tmp_path / "whole")


def test_a_build_that_is_refused_leaves_no_stage(tmp_path: Path) -> None:
    with pytest.raises(ValueRefused):
        build(tmp_path / "d", write_inputs(tmp_path, [UsageLine("mist", 1)]))
    assert {path.name for path in tmp_path.iterdir()} == {"usage.parquet", "manifest.parquet"}


def test_two_builds_of_one_folder_do_not_mix(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path)
    with stages.alone(tmp_path / "d"), pytest.raises(IncompleteError):
        build(tmp_path / "d", inputs)
    build(tmp_path / "d", inputs)


def test_nobody_to_be_paid_makes_no_folder(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path, [UsageLine("mist", 1)])
    with pytest.raises(ValueRefused, match="Nobody can be paid"):
        build(tmp_path / "d", inputs)
    assert not (tmp_path / "d").exists()


def test_every_payee_is_proved_one_by_one_and_in_one_file(tmp_path: Path) -> None:
    shares = [HolderShare(f"w{i:04}", "h", 10**6, payee(3 * i + 1)) for i in range(700)]
    made = build(tmp_path / "d", write_inputs(tmp_path, [UsageLine(one.work, 9) for one in shares], shares))
    told: list[int] = []
    assert (
        distribution_build.prove_all(tmp_path / "d", tmp_path / "proofs.parquet", told.append)
        == 700
        == sum(told)
    )
    rows = pq.read_table(tmp_path / "proofs.parquet").to_pylist()
    assert [row["index"] for row in rows] == list(range(700))
    for row in rows:
        words = [row["proof"][at : at + 32] for at in range(0, len(row["proof"]), 32)]
        leaf = row["payee"] + int(row["units"]).to_bytes(12, "big")
        assert check_leaf(made.tree.split, row["index"], leaf, words) == made.split_id
    one = distribution_build.prove_payee(tmp_path / "d", "0x" + payee(31).hex())
    assert check_leaf(made.tree.split, one.index, one.leaf, one.words) == made.split_id
    with pytest.raises(ValueRefused):
        distribution_build.prove_payee(tmp_path / "d", "0x" + payee(32).hex())


def test_one_payee_alone_has_an_empty_proof(tmp_path: Path) -> None:
    made = build(tmp_path / "d", write_inputs(tmp_path, [UsageLine("winter", 1)]))
    assert (made.depth, made.total) == (0, AMOUNT)
    distribution_build.prove_all(tmp_path / "d", tmp_path / "proofs.parquet")
    assert pq.read_table(tmp_path / "proofs.parquet")["proof"].to_pylist() == [b""]


def changed_manifest(folder: Path, **fields) -> None:
    document = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(document | fields))


def changed_units(folder: Path, change) -> None:
    table = pq.read_table(folder / "allocation.parquet")
    units = [change(i, units) for i, units in enumerate(table["units"].to_pylist())]
    pq.write_table(
        table.set_column(1, "units", pa.array(units, pa.decimal128(38, 0))), folder / "allocation.parquet"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda at: changed_manifest(at, total=str(AMOUNT)),
        lambda at: changed_manifest(at, held="0"),
        lambda at: changed_manifest(at, depth=2),
        lambda at: changed_manifest(at, rule_hash="0x" + "0" * 64),
        lambda at: changed_units(at, lambda i, units: units + 1),
        lambda at: changed_units(at, lambda i, units: units + (1 if i else -1)),
        lambda at: changed_units(at, lambda i, units: 2**96),
        lambda at: changed_units(at, lambda i, units: -1),
        lambda at: changed_units(at, lambda i, units: 0 if i else units),
        lambda at: changed_units(at, lambda i, units: None),
        lambda at: (at / "allocation.parquet").write_bytes(b"cut"),
        lambda at: (at / "works.parquet").write_bytes(b"cut"),
    ],
)
def test_a_folder_whose_sums_or_files_are_wrong_is_refused(tmp_path: Path, spoil) -> None:
    build(tmp_path / "d", write_inputs(tmp_path)).check()
    spoil(tmp_path / "d")
    with pytest.raises((AuditFailed, ValueRefused)):
        distribution_build.open_distribution(tmp_path / "d").check()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no distribution"):
        distribution_build.open_distribution(tmp_path)


def test_what_is_held_goes_to_those_who_are_known_later(tmp_path: Path) -> None:
    first = build(tmp_path / "d", write_inputs(tmp_path))
    by_state = {row["work"]: row["units"] for row in pq.read_table(tmp_path / "d/works.parquet").to_pylist()}
    later = [
        *SHARES[:3],
        HolderShare("mist", "Cy", 1_000_000, payee(3)),
        HolderShare("nowhere", "Dee", 500_000, payee(4)),
        HolderShare("nowhere", "Eve", 500_000, None),
    ]
    _, manifest = write_inputs(tmp_path / "later", LINES, later)
    second = distribution_build.build_supplement(tmp_path / "s", tmp_path / "d", manifest, terms())
    nowhere = by_state["nowhere"]
    assert second.amount == first.held == by_state["mist"] + nowhere
    assert dict(second.units()) == {
        "0x" + payee(3).hex(): by_state["mist"],
        "0x" + payee(4).hex(): nowhere - nowhere // 2,
    }
    assert second.held == nowhere // 2
    with pytest.raises(ValueRefused, match="Nobody can be paid"):
        distribution_build.build_supplement(
            tmp_path / "t", tmp_path / "d", tmp_path / "manifest.parquet", terms()
        )


def test_a_works_manifest_gives_the_same_as_its_table(tmp_path: Path) -> None:
    manifest = parse_manifest_json(
        json.dumps(
            {
                "manifest": "1",
                "right_weights": {"recording": "0.75", "publishing": "0.25"},
                "works": [
                    {
                        "id": "harbour",
                        "weight": "2.5",
                        "shares": [
                            {
                                "holder": "Ann",
                                "payee": "0x" + ANN.hex(),
                                "share": 1_000_000,
                                "right": "recording",
                            },
                            {
                                "holder": "Bob",
                                "payee": "0x" + BOB.hex(),
                                "share": "1/3",
                                "right": "publishing",
                            },
                            {"holder": "Cy", "share": "2/3", "right": "publishing"},
                        ],
                    },
                    {
                        "id": "winter",
                        "shares": [{"holder": "Ann", "payee": "0x" + ANN.hex(), "share": 1_000_000}],
                    },
                ],
            }
        )
    )
    usage, _ = write_inputs(tmp_path)
    made = distribution_build.build_distribution(
        tmp_path / "d", [usage], manifest, terms(allocation="SIZE"), 700_000
    )
    # Sizes 5 and 2: 500,000 for harbour, of which a quarter is publishing, and 200,000 for winter, all Ann's;
    # Bob's 333,333 of a million come to 41,666.6, the larger remainder of the two.
    assert dict(made.units()) == {"0x" + ANN.hex(): 575_000, "0x" + BOB.hex(): 41_667}
    assert made.held == 125_000 - 41_667
    assert made.source.works_root == manifest.works_root
    assert made.source.manifest_hash == manifest.file_hash
