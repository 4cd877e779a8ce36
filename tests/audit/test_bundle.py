"""A bundle: deterministic, verified without any node, and no line of it can be changed unseen (P-14, P-16)."""

from __future__ import annotations

import gzip
import json
import socket
from itertools import pairwise
from pathlib import Path

import pytest
from _liar import Liar, Refusal
from _scene import BOB
from jsonschema import Draft202012Validator

from ledger.audit.bundle import BundleSource
from ledger.domain.canonical import keccak256
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.operations import audits

SCHEMA = Path(__file__).parents[2] / "ledger" / "data" / "schemas" / "bundle.schema.json"


@pytest.fixture
def bundle(scene, tmp_path) -> Path:
    path = tmp_path / "ledger.bundle"
    scene.do("audit", "run", "--anchor", scene.anchor(), "--bundle", path)
    return path


@pytest.fixture
def offline(monkeypatch):
    """From here on no connection can be made."""

    def refuse(*arguments, **keywords):
        raise AssertionError("a bundle is verified without any connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def anchor_of(path: Path) -> bytes:
    return bytes.fromhex(lines_of(path)[0]["anchor"][2:])


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, lines: list[dict]) -> Path:
    path.write_text("".join(json.dumps(one, sort_keys=True, separators=(",", ":")) + "\n" for one in lines))
    return path


def caught(path: Path, anchor: bytes) -> bool:
    """Whether the bundle fails: by a finding, or because it makes no sense."""
    try:
        return not audits.verify_bundle(path, anchor).passed
    except AuditFailed:
        return True


def test_it_is_verified_offline_with_the_verdict_of_the_run(scene, bundle, offline, capsys):
    anchor = anchor_of(bundle)
    verdict = audits.verify_bundle(bundle, anchor)
    assert verdict.findings == []
    assert (verdict.passed, verdict.anchored) == (True, True)
    assert {one.name for one in verdict.steps} >= {"anchor", "journal of Splits", "credits", "periods"}
    assert all(one.proved for one in verdict.solvency)
    unanchored = audits.verify_bundle(bundle, None)
    assert unanchored.words == "PASS (internally consistent only: no anchor was given)"
    code, envelope = scene.run("audit", "verify", bundle, "--anchor", "0x" + anchor.hex())
    assert (code, envelope["data"]["passed"]) == (0, True)


def test_the_run_and_the_bundle_agree_step_by_step(scene, bundle, offline):
    before = bundle.read_bytes()
    verdict = audits.verify_bundle(bundle, anchor_of(bundle))
    assert bundle.read_bytes() == before
    assert all(one.expected == one.found for one in verdict.steps)


def test_the_same_anchor_gives_the_same_bytes_whoever_serves_it(scene, bundle, tmp_path):
    def lie(method, params, result):
        if method == "eth_getProof" and len(params[1]) > 3:
            raise Refusal("too many keys")
        if method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) > 7:
            raise Refusal("too many blocks")
        return result

    with Liar(scene.node.url) as liar:
        liar.lie = lie
        other = tmp_path / "other.bundle"
        code, _ = scene.run("audit", "run", "--anchor", scene.anchor(), "--bundle", other, rpc=liar.url)
    assert code == 0
    assert other.read_bytes() == bundle.read_bytes()


def test_it_may_be_packed(bundle, tmp_path):
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(bundle.read_bytes()))
    assert audits.verify_bundle(packed, anchor_of(bundle)).passed


def test_every_line_has_the_published_form(bundle):
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for line in lines_of(bundle):
        schema.validate(line)
    for bad in ({"entry": ["Splits"]}, {"node": "12"}, {"end": {}}, {"more": 1}, {"format": "x"}):
        assert not schema.is_valid(bad)


def flipped(value):
    """The same with one digit changed: of the last text or number in it."""
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1] != "1" else "2")
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], flipped(value[-1])]
    last = sorted(value)[-1]
    return {**value, last: flipped(value[last])}


def test_no_line_can_be_changed_or_left_out(bundle, tmp_path):
    """Every line in turn: one unit, one entry, one node, the header. All are found."""
    lines, anchor, other = lines_of(bundle), anchor_of(bundle), tmp_path / "other"
    for number, line in enumerate(lines):
        if "format" in line or "balance" in line:
            continue
        changed = [*lines[:number], flipped(line), *lines[number + 1 :]]
        assert caught(write(other, changed), anchor), line
        without = [*lines[:number], *lines[number + 1 :]]
        assert caught(write(other, without), anchor), line
        # Left out and not counted: what was proved with it is not.
        if "end" not in line:
            ((kind, _),) = line.items()
            counts = dict(lines[-1]["end"])
            counts[{"entry": "entries", "node": "nodes"}[kind]] -= 1
            assert caught(write(other, [*without[:-1], {"end": counts}]), anchor), line


def test_no_field_of_an_entry_can_be_changed(bundle, tmp_path):
    lines, anchor, other = lines_of(bundle), anchor_of(bundle), tmp_path / "other"
    number = next(at for at, line in enumerate(lines) if line.get("entry", [""])[0] == "Licences")
    for place in range(6):
        entry = list(lines[number]["entry"])
        entry[place] = flipped(entry[place])
        assert caught(write(other, [*lines[:number], {"entry": entry}, *lines[number + 1 :]]), anchor), place


def test_entries_cannot_change_places(bundle, tmp_path):
    lines, anchor, other = lines_of(bundle), anchor_of(bundle), tmp_path / "other"
    entries = [at for at, line in enumerate(lines) if "entry" in line]
    for first, second in pairwise(entries):
        swapped = list(lines)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        same = lines[first]["entry"][0] == lines[second]["entry"][0]
        # Entries of two contracts may stand in another order where neither tells of the other.
        assert caught(write(other, swapped), anchor) or not same


def test_the_first_line_is_checked_too(bundle, tmp_path):
    lines, anchor, other = lines_of(bundle), anchor_of(bundle), tmp_path / "other"
    first = lines[0]
    for change in (
        {"header": flipped(first["header"])},
        {"chain_id": 1},
        {"version": 2},
        {"format": "another"},
        {"header": "0x"},
        {"contracts": {}},
        {"contracts": {**first["contracts"], "Splits": "0x" + "66" * 20}},
        {"licence": "5"},
        {"kind": "another"},
        {"kind": "holder"},
    ):
        assert caught(write(other, [{**first, **change}, *lines[1:]]), anchor), change
    for name in ("header", "chain_id", "contracts", "kind"):
        short = {key: value for key, value in first.items() if key != name}
        assert caught(write(other, [short, *lines[1:]]), anchor), name


def test_another_anchor_is_not_proved(bundle, offline):
    verdict = audits.verify_bundle(bundle, b"\x66" * 32)
    (step,) = verdict.steps
    assert (step.status, step.expected) == ("FAIL", "0x" + "66" * 32)


def test_bytes_that_are_no_bundle(bundle, tmp_path):
    other = tmp_path / "other"
    whole = bundle.read_bytes()
    for data in (b"", b"{}", b"[1]\n", b"\xff\xfe", whole[: len(whole) // 2], whole + b'{"node":"0x"}\n'):
        other.write_bytes(data)
        with pytest.raises(AuditFailed):
            BundleSource(other)
    # Another form of the same JSON is refused: one audit, one file.
    other.write_bytes(whole.replace(b'{"end":', b'{ "end":'))
    with pytest.raises(AuditFailed, match="canonical"):
        BundleSource(other)
    packed = gzip.compress(whole)
    other.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LedgerError):
        BundleSource(other)
    with pytest.raises(LedgerError, match="cannot be read"):
        BundleSource(tmp_path / "nowhere")


def test_an_audit_that_fails_leaves_no_bundle(scene, tmp_path):
    path = tmp_path / "ledger.bundle"
    with Liar(scene.node.url) as liar:
        liar.lie = lambda method, params, result: result[:-1] if method == "eth_getLogs" else result
        code, _ = scene.run("audit", "run", "--anchor", scene.anchor(), "--bundle", path, rpc=liar.url)
    assert code == 4
    assert list(tmp_path.iterdir()) == []


# ---- one holder's figures


@pytest.fixture
def own(scene, tmp_path) -> Path:
    """The bundle of a holder with leaves in four splits, in one of which by way of an account."""
    path = tmp_path / "holder.bundle"
    scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", scene.holder, "--bundle", path)
    return path


def test_a_holders_bundle_shows_the_figures_of_the_full_audit(scene, bundle, own, offline):
    anchor = anchor_of(own)
    verdict = audits.verify_bundle(own, anchor)
    assert verdict.findings == []
    assert verdict.passed
    assert {one.name for one in verdict.steps} == {
        "anchor",
        "code of Splits",
        "code of Licences",
        "leaves",
        "page and leaf slots",
        "payee",
        "licences",
    }
    assert "not covered" in verdict.scope
    assert 10 * own.stat().st_size < 7 * bundle.stat().st_size
    assert all("entry" not in line for line in lines_of(own))


def test_its_figures_are_those_of_the_contracts(scene, own):
    made = scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", scene.holder)
    verdict = audits.verify_bundle(own, anchor_of(own))
    figures = [(one.split, one.token, one.leaf, one.entitled, one.paid, one.owed) for one in verdict.holdings]
    assert len(figures) >= 3
    assert sorted("0x" + one[0].hex() for one in figures) == sorted(one["split"] for one in made["holdings"])
    assert sum(one[4] for one in figures) == sum(int(one["paid"]) for one in made["holdings"])
    assert sum(one[5] for one in figures) == sum(int(one["owed"]) for one in made["holdings"])
    periods = [(one.licence, one.period, one.base, one.open) for one in verdict.periods]
    assert periods == [
        (one["licence"], one["period"], int(one["base"]), int(one["open"])) for one in made["periods"]
    ]
    assert {one[0] for one in periods} == {scene.licence, scene.weighted}


def test_no_line_of_it_can_be_changed(scene, own, tmp_path):
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    lines, anchor, other = lines_of(own), anchor_of(own), tmp_path / "other"
    for number, line in enumerate(lines):
        schema.validate(line)
        if number == 0:
            continue
        changed = [*lines[:number], flipped(line), *lines[number + 1 :]]
        assert caught(write(other, changed), anchor), line
        assert caught(write(other, [*lines[:number], *lines[number + 1 :]]), anchor), line
    for change in ({"holder": "0x" + "66" * 20}, {"holder": None}, {"chain_id": 1}):
        assert caught(write(other, [{**lines[0], **change}, *lines[1:]]), anchor), change


def test_every_field_of_a_leaf_is_bound(own, tmp_path):
    lines, anchor, other = lines_of(own), anchor_of(own), tmp_path / "other"
    for number, line in enumerate(lines):
        if "leaf" not in line:
            continue
        for name, value in line["leaf"].items():
            if name == "siblings" and not value:
                continue
            leaf = {**line["leaf"], name: flipped(value)}
            assert caught(write(other, [*lines[:number], {"leaf": leaf}, *lines[number + 1 :]]), anchor), name


def test_another_payees_leaf_does_not_count_for_the_holder(scene, own, tmp_path):
    """With every proof that it needs: it is a true leaf, but not the holder's."""
    bob, other = tmp_path / "bob.bundle", tmp_path / "other"
    scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", BOB, "--bundle", bob)
    mine, his = lines_of(own), lines_of(bob)
    nodes = {json.dumps(one): one for one in [*mine, *his] if "node" in one}
    for of in (mine, his):
        kept = [one for one in of if "node" not in one and "end" not in one][1:]
        counts = {kind: sum(kind in one for one in kept) for kind in ("leaf", "token", "terms")}
        ordered = sorted(nodes.values(), key=lambda one: keccak256(bytes.fromhex(one["node"][2:])))
        lines = [mine[0], *kept, *ordered, {"end": {**counts, "nodes": len(nodes)}}]
        verdict = audits.verify_bundle(write(other, lines), anchor_of(own))
        # His nodes prove nothing of mine, and a bundle holds none of those.
        assert {one.check for one in verdict.findings} == ({"nodes"} if of is mine else {"leaves"})


def test_a_holder_of_nothing_has_a_bundle_that_says_so(scene, tmp_path):
    path = tmp_path / "nobody.bundle"
    scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", "0x" + "99" * 20, "--bundle", path)
    verdict = audits.verify_bundle(path, anchor_of(path))
    assert (verdict.passed, verdict.holdings) == (True, [])
