"""P-14, P-16: bundles of pages by Python and by the built verifier in Node; what is changed is found and named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _scene import ANN, BOB, Scene
from jsonschema import Draft202012Validator

from ledger.audit.page_bundle import PageBundles
from ledger.audit.source import NodeSource
from ledger.chain.deploy import plan
from ledger.chain.node import LocalNode
from ledger.domain.canonical import keccak256
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.journal import event_shapes
from ledger.operations import audits
from ledger.operations.page_bundles import page_bundle
from ledger.operations.session import Session, Settings

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Draft202012Validator(
    json.loads((ROOT / "ledger" / "data" / "schemas" / "bundle.schema.json").read_text())
)
RUNNER = Path(__file__).with_name("run_bundles.mjs")
KINDS = ("page", "nobody", "holder", "full")
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> Path:
    """The bundles of one chain, by kind; `anchor`: its newest block's hash; `facts`: what the contracts answer."""
    folder = tmp_path_factory.mktemp("evidence")
    with LocalNode.start(genesis_time=1_704_067_200) as node:
        scene = Scene(node, folder)
        anchor = scene.anchor()
        for kind, more in (("full", ()), ("holder", ("--holder", scene.holder))):
            scene.do("audit", "run", "--anchor", anchor, "--bundle", folder / kind, *more)
        session = Session(Settings(home=folder / "home"), rpc=scene.rpc)
        (folder / "page").write_bytes(page_bundle(session, scene.holder, bytes.fromhex(anchor[2:])))
        (folder / "nobody").write_bytes(page_bundle(session))
        by_command = folder / "by_command"
        found = scene.do(
            "audit",
            "run",
            "--anchor",
            anchor,
            "--holder",
            scene.holder,
            "--bundle",
            by_command,
            "--with-entries",
        )
        assert by_command.read_bytes() == (folder / "page").read_bytes()
        assert scene.do("audit", "verify", by_command, "--anchor", anchor)["passed"]
        code, envelope = scene.run("audit", "run", "--bundle", by_command, "--with-entries")
        assert (code != 0, "--with-entries" in envelope["error"]["what"]) == (True, True)
        source = NodeSource(scene.rpc)
        for name in (ANN, BOB):
            (folder / name).write_bytes(PageBundles(source, plan(), None).of(name))
        facts = {"anchor": anchor, "holder": scene.holder, "url": node.url, "holdings": found["holdings"]}
        facts["periods"] = found["periods"]
        (folder / "facts.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="module")
def facts(evidence) -> dict[str, Any]:
    return json.loads((evidence / "facts.json").read_text())


@pytest.fixture
def judge(built, node, facts) -> Callable[..., list[dict[str, Any]]]:
    """What the verifier in Node says of files, one process for all of them."""

    def go(*files: Path, anchor: str = "") -> list[dict[str, Any]]:
        ran = node(RUNNER, built / "verifier.mjs", anchor or facts["anchor"], *files)
        assert ran.returncode == 0, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    return go


def lines_of(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, lines: Lines) -> Path:
    path.write_text("".join(json.dumps(one, sort_keys=True, separators=(",", ":")) + "\n" for one in lines))
    return path


def caught(path: Path, anchor: str) -> bool:
    """Whether Python finds something."""
    try:
        return not audits.verify_bundle(path, bytes.fromhex(anchor[2:])).passed
    except LedgerError:
        return True


def flipped(value: Any) -> Any:
    """The same with one digit changed: of the last text or number in it."""
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1] != "1" else "2")
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], flipped(value[-1])]
    last = sorted(value)[-1]
    return {**value, last: flipped(value[last])}


@pytest.mark.parametrize("kind", KINDS)
def test_p14_an_honest_bundle_passes_in_node_and_in_python(kind, evidence, facts, judge):
    (verdict,) = judge(evidence / kind)
    assert verdict["findings"] == []
    assert (verdict["ok"], verdict["anchored"]) == (True, True)
    assert all(one["expected"] == one["found"] for one in verdict["steps"])
    assert audits.verify_bundle(evidence / kind, bytes.fromhex(facts["anchor"][2:])).passed
    for line in lines_of(evidence / kind):
        SCHEMA.validate(line)


@pytest.mark.parametrize("kind", ["page", "holder"])
def test_p16_the_figures_are_those_of_the_audit(kind, evidence, facts, judge):
    (verdict,) = judge(evidence / kind)
    figures, sums = verdict["figures"], {"earned": 0, "paid": 0, "owed": 0}
    for one in facts["holdings"]:
        leaf = f"leaf/{one['split']}/{one['token'].lower()}/{one['leaf']}"
        for name, told in (("earned", "entitled"), ("paid", "paid"), ("owed", "owed"), ("units", "units")):
            assert figures[f"{leaf}/{name}"] == one[told]
            if name in sums:
                sums[name] += int(one[told])
    token = facts["holdings"][0]["token"].lower()
    for name, amount in sums.items():
        assert int(figures[f"holder/{facts['holder']}/{token}/{name}"]) == amount
    if kind == "page":
        for one in facts["periods"]:
            bookings = [key for key in figures if key.startswith(f"booking/{one['licence']}/")]
            assert bookings
            assert figures[f"period/{one['licence']}/{one['period']}/open"] == one["open"]


def test_the_parts_of_credits_add_up_to_what_was_earned(evidence, facts, judge):
    (verdict,) = judge(evidence / "page")
    figures = {key: int(value) for key, value in verdict["figures"].items()}
    for one in facts["holdings"]:
        place = f"{one['split']}/{one['token'].lower()}/{one['leaf']}"
        parts = [value for key, value in figures.items() if key.startswith(f"credit/{place}/")]
        assert sum(parts) == figures[f"leaf/{place}/earned"]
        paid = [value for key, value in figures.items() if key.startswith(f"payout/{place}/")]
        assert sum(paid) == figures[f"leaf/{place}/paid"]
    base = f"holder/{facts['holder']}/"
    by_period = sum(value for key, value in figures.items() if key.startswith(base) and "/period/" in key)
    by_licence = sum(
        value
        for key, value in figures.items()
        if key.startswith(base) and "/licence/" in key and "/period/" not in key
    )
    # The fee belongs to the licence and to no period; gifts belong to neither.
    assert (
        0
        < by_period
        < by_licence
        <= sum(
            value
            for key, value in figures.items()
            if key.startswith(base) and key.count("/") == 3 and "earned" in key
        )
    )


def test_packed_or_not_the_verdict_is_the_same(evidence, judge, tmp_path):
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress((evidence / "page").read_bytes()))
    plain, unpacked = judge(evidence / "page", packed)
    assert plain == unpacked
    packed.write_bytes(packed.read_bytes()[:-40])
    (verdict,) = judge(packed)
    assert (verdict["ok"], verdict["findings"][0]["what"]) == (False, "The bundle cannot be unpacked.")


def test_the_same_block_gives_the_same_bytes(evidence, facts):
    first = json.loads((evidence / "page").read_text().splitlines()[0])
    assert (first["kind"], first["anchor"], first["holder"]) == ("page", facts["anchor"], facts["holder"])


@pytest.mark.parametrize("kind", KINDS)
def test_p14_no_line_can_be_changed_or_left_out(kind, evidence, facts, judge, tmp_path):
    """Each line in turn, by both verifiers: one unit, one entry, one node; then left out, counted or not."""
    lines = lines_of(evidence / kind)
    changed: dict[str, Lines] = {}
    for number, line in enumerate(lines[1:-1], 1):
        ((name, _),) = line.items()
        if name == "balance":
            continue
        without = [*lines[:number], *lines[number + 1 :]]
        counts = dict(lines[-1]["end"])
        counts[{"entry": "entries", "node": "nodes"}.get(name, name)] -= 1
        changed[f"{number} flipped"] = [*lines[:number], flipped(line), *lines[number + 1 :]]
        if kind in ("page", "holder") or name == "entry":
            changed[f"{number} out"] = without
            changed[f"{number} out of the count too"] = [*without[:-1], {"end": counts}]
    files = [write(tmp_path / name.replace(" ", "_"), held) for name, held in changed.items()]
    verdicts = judge(*files)
    needed = _needed(kind, lines)
    for name, verdict in zip(changed, verdicts, strict=True):
        number = int(name.split(" ")[0])
        if number not in needed:
            continue
        assert not verdict["ok"], (kind, name, lines[number])
        assert verdict["findings"], name
        assert verdict["figures"] == {}
    for file in files[:: max(1, len(files) // 60)]:
        if int(file.name.split("_")[0]) in needed:
            assert caught(file, facts["anchor"]), file.name


def _needed(kind: str, lines: Lines) -> set[int]:
    """The lines without which something is unproved in Node: of a full bundle it proves not every word."""
    if kind != "full":
        # A holder's tokens narrow what is told; without one that token is not told of.
        return {at for at, line in enumerate(lines) if kind == "page" or "node" in line or kind == "nobody"}
    return {at for at, line in enumerate(lines) if "entry" in line}


def _place(line: dict[str, Any]) -> tuple[str, int]:
    """What leaves are ordered by."""
    return line["leaf"]["split"], line["leaf"]["index"]


def test_every_way_to_lie_in_a_page_is_found_and_named(evidence, facts, judge, tmp_path):
    lines = lines_of(evidence / "page")
    first, end = lines[0], lines[-1]
    entries = [at for at, line in enumerate(lines) if "entry" in line]
    leaf = next(at for at, line in enumerate(lines) if "leaf" in line)
    node = next(at for at, line in enumerate(lines) if "node" in line)
    bob = lines_of(evidence / BOB)
    theirs = next(line for line in bob if "leaf" in line)
    nodes = {json.dumps(one): one for one in [*lines, *bob] if "node" in one}
    swapped = list(lines)
    same = [at for at in entries if lines[at]["entry"][0] == "Splits"]
    swapped[same[-1]], swapped[same[-2]] = swapped[same[-2]], swapped[same[-1]]
    booked = next(at for at in entries if lines[at]["entry"][0] == "Licences" and lines[at]["entry"][1] > 10)
    told = list(lines[booked]["entry"])
    told[5] = told[5][:-1] + ("1" if told[5][-1] != "1" else "2")
    lies: dict[str, tuple[Lines, str]] = {
        "an entry changed": ([*lines[:booked], {"entry": told}, *lines[booked + 1 :]], "journal"),
        "entries in another order": (swapped, "bundle"),
        "an entry twice": ([*lines[: entries[-1]], lines[entries[-1]], *lines[entries[-1] :]], "bundle"),
        "an entry dropped": (
            [
                *lines[: entries[3]],
                *lines[entries[3] + 1 : -1],
                {"end": {**end["end"], "entries": len(entries) - 1}},
            ],
            "journal",
        ),
        "a header changed": ([{**first, "header": flipped(first["header"])}, *lines[1:]], "anchor"),
        "a node missing": (
            [*lines[:node], *lines[node + 1 : -1], {"end": {**end["end"], "nodes": end["end"]["nodes"] - 1}}],
            "",
        ),
        "a leaf left out": (
            [*lines[:leaf], *lines[leaf + 1 : -1], {"end": {**end["end"], "leaf": end["end"]["leaf"] - 1}}],
            "leaves",
        ),
        "another's leaf": (
            [
                *[one for one in lines if "format" in one or "entry" in one],
                *sorted([*[one for one in lines if "leaf" in one], theirs], key=_place),
                *[one for one in lines if "token" in one or "terms" in one],
                *sorted(nodes.values(), key=lambda one: keccak256(bytes.fromhex(one["node"][2:]))),
                {"end": {**end["end"], "nodes": len(nodes), "leaf": end["end"]["leaf"] + 1}},
            ],
            "leaves",
        ),
        "a line too many": ([*lines[:-1], {"node": "0x80"}, end], "bundle"),
        "a line of another kind": ([*lines[:-1], {"balance": [ANN, "1"]}, end], "bundle"),
        "lines after the end": ([*lines, lines[node]], "bundle"),
        "another kind": ([{**first, "kind": "full"}, *lines[1:]], "bundle"),
        "an unknown kind": ([{**first, "kind": "more"}, *lines[1:]], "bundle"),
        "another holder": ([{**first, "holder": BOB}, *lines[1:]], "proof"),
        "another chain": ([{**first, "chain_id": 1}, *lines[1:]], "code"),
        "other addresses": (
            [{**first, "contracts": {**first["contracts"], "Splits": "0x" + "66" * 20}}, *lines[1:]],
            "contracts",
        ),
        "another form": ([{**first, "version": 2}, *lines[1:]], "bundle"),
        "a field too many": ([{**first, "more": 1}, *lines[1:]], "bundle"),
    }
    files = [write(tmp_path / name.replace(" ", "_"), held) for name, (held, _) in lies.items()]
    for (name, (_, kind)), file, verdict in zip(lies.items(), files, judge(*files), strict=True):
        assert not verdict["ok"], name
        kinds = {one["kind"] for one in verdict["findings"]}
        assert not kind or kind in kinds or any(one.startswith(kind) for one in kinds), (
            name,
            verdict["findings"],
        )
        assert caught(file, facts["anchor"]), name


def test_an_amount_changed_is_found_in_its_entry(evidence, judge, tmp_path):
    """One unit more paid in a page's payout, and in a royalty line: the entry, the split and the licence are named."""
    lines = lines_of(evidence / "page")
    shapes = event_shapes("Splits")["PagePaid"].topic, event_shapes("Licences")["Booked"].topic
    files, names = [], ("paid", "line")
    for topic, field, of in zip(shapes, names, ("Splits", "Licences"), strict=True):
        event = next(one for one in event_shapes(of).values() if one.topic == topic)
        at = next(
            at for at, one in enumerate(lines) if "entry" in one and one["entry"][3] == "0x" + topic.hex()
        )
        entry = list(lines[at]["entry"])
        place = 2 + 64 * event.names.index(field)
        entry[5] = (
            entry[5][:place] + f"{int(entry[5][place : place + 64], 16) + 1:064x}" + entry[5][place + 64 :]
        )
        files.append(write(tmp_path / field, [*lines[:at], {"entry": entry}, *lines[at + 1 :]]))
    told = (("sum paid", "PagePaid, split 0x"), ("the line", "Booked, licence 1"))
    for verdict, (what, where) in zip(judge(*files), told, strict=True):
        assert {one["kind"] for one in verdict["findings"]} == {"journal", "replay"}
        (found,) = [one for one in verdict["findings"] if one["kind"] == "replay"]
        assert what in found["what"]
        assert where in found["where"]


def test_other_code_at_our_address_is_found(evidence, facts, judge, built, node, tmp_path):
    """A build whose code differs in one byte: the verifier of that build refuses the chain of ours."""
    text = (built / "verifier.mjs").read_text()
    start = text.index('runtime:"') + len('runtime:"')
    other = tmp_path / "other.mjs"
    other.write_text(text[: start + 40] + ("A" if text[start + 40] != "A" else "B") + text[start + 41 :])
    ran = node(RUNNER, other, facts["anchor"], evidence / "page")
    verdict = json.loads(ran.stdout)
    assert not verdict["ok"]
    assert verdict["findings"][0]["kind"] == "code"
    assert "our build to" in verdict["findings"][0]["what"]


def test_another_anchor_proves_nothing(evidence, judge):
    (verdict,) = judge(evidence / "page", anchor="0x" + "66" * 32)
    assert (verdict["ok"], verdict["anchored"], len(verdict["steps"])) == (False, False, 1)
    (verdict,) = judge(evidence / "page", anchor="not a hash")
    assert "64 hexadecimal digits" in verdict["findings"][0]["what"]


def test_other_json_of_the_same_meaning_is_refused(evidence, judge, tmp_path):
    whole = (evidence / "page").read_bytes()
    files = []
    for number, changed in enumerate(
        (
            whole.replace(b'{"end":', b'{ "end":'),
            whole.replace(b'"chain_id":31337', b'"chain_id":3.1337e4'),
            whole.replace(b"\n", b"\r\n"),
            whole[:-1],
            b"",
            b"{}\n",
            b"\xff\xfe\n",
        )
    ):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(changed)
    for file, verdict in zip(files, judge(*files), strict=True):
        assert not verdict["ok"], file.name
        with pytest.raises(AuditFailed):
            audits.verify_bundle(file, bytes(32))


def test_a_third_party_needs_node_alone(evidence, facts, node, tmp_path):
    """The command for auditors without Python, on the committed build."""
    command = ROOT / "verifier" / "cli.mjs"
    ran = node(command, evidence / "holder", facts["anchor"])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"holder/{facts['holder']}/" in ran.stdout
    assert "PASS, up to block" in ran.stdout
    ran = node(command, evidence / "page", facts["anchor"], "--json")
    assert json.loads(ran.stdout)["ok"] is True
    ran = node(command, evidence / "page", "0x" + "66" * 32)
    assert (ran.returncode, "FAIL  anchor" in ran.stdout) == (4, True)
    assert node(command, tmp_path / "nowhere", facts["anchor"]).returncode == 2
    assert node(command).returncode == 2
