"""The demonstration, from an empty folder to the verdict, twice in a row."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from _played import Played, play_for_people
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from ledger.chain.node import node_status
from ledger.cli import main

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "ledger" / "data" / "schemas" / "cli"


def test_the_demonstration_ends_with_books_that_agree(played: Played) -> None:
    data, talk = played.data, played.talk
    assert data["verdict"] == "PASS"
    assert len(data["holders"]) >= 100
    assert all(row["lines"] == row["owed_in_all"] for row in data["licences"])
    for row in data["splits"]:
        assert int(row["credited"]) == sum(int(row[name]) for name in ("paid", "owed", "residue"))
    # Everybody is paid to the unit at the end, the payee that was blocked included.
    assert all(row["earned"] == row["paid"] for row in data["holders"])
    hybrid = data["licences"][0]
    assert int(hybrid["interest"]) > 0
    assert int(hybrid["set_off"]) > 0
    assert hybrid["open"] == "0"
    for told in (
        "restated up",
        "settled down",
        "at zero",
        "to a new address",
        "passed over: 1",
        "are matched",
    ):
        assert told in talk
    assert node_status(played.home / "chain").state == "stopped"


def test_it_ends_with_a_statement_its_evidence_and_a_lie_that_is_caught(played: Played) -> None:
    """P-14: one unit more in one entry of the evidence, and the audit names journal and entry."""
    ending = played.data["ending"]
    assert (played.home / ending["statement"]).read_bytes().startswith(b"%PDF-")
    page = Path(ending["page"])
    assert page.is_relative_to(played.home)
    assert "Stanford University" in page.read_text(encoding="utf-8")
    assert (played.home / "page" / "static" / "verifier.js").is_file()
    lie = ending["lie"]
    assert int(lie["told"]) == int(lie["true"]) + 1
    assert lie["caught"]
    assert any("fold to" in one for one in lie["findings"])
    assert any("should be" in one for one in lie["findings"])
    bundle = played.home / ending["bundle"]
    assert main(["audit", "verify", str(bundle), "--anchor", played.data["anchor"]]) == 0
    assert not list(played.home.glob(".*.forged"))


def test_every_token_unit_that_was_paid_is_somewhere(played: Played) -> None:
    """P-02: fees, lines, interest and bonds = what splits were credited + what waits in accounts."""
    data = played.data
    came_in = sum(int(row[name]) for row in data["licences"] for name in ("fee", "paid", "interest"))
    bonds = sum(int(one["amount"]) for one in data["usage_year"]["bonds"])
    waits = sum(int(one["waits"]) for one in data["usage_year"]["periods"])
    credited = sum(int(row["credited"]) for row in data["splits"])
    assert came_in + bonds == credited + waits
    residue = sum(int(row["residue"]) for row in data["splits"])
    assert credited - bonds - residue == sum(int(row["paid"]) for row in data["holders"])


def test_its_data_has_the_shape_that_is_promised(played: Played) -> None:
    held = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry = Registry().with_resources((name, Resource.from_contents(one)) for name, one in held.items())
    checker = Draft202012Validator(held["demo.json"], registry=registry)
    checker.validate(played.data)
    assert not checker.is_valid(played.data | {"verdict": "MAYBE"})


def test_the_chain_that_it_leaves_goes_on(
    played: Played, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next commands that it names work on it; played again, it says what the README says."""
    home = played.home
    first, *commands, last = played.envelope["next"]
    assert (first.split()[-1], last.split()[-1], len(commands)) == ("start", "stop", 6)
    assert main(["chain", "start", "--home", str(home)]) == 0
    try:
        for command in commands:
            words = command.split()[1:]
            where = words.index("--home")
            assert main([*words[:where], "--home", str(home), *words[where + 2 :]]) == 0, command
    finally:
        assert main(["chain", "stop", "--home", str(home)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("COLUMNS", "200")
    lines = [" ".join(one.split()) for one in play_for_people(home).splitlines()]
    assert len(readme_excerpt()) > 20
    missing = [one for one in readme_excerpt() if not any(re.fullmatch(one, line) for line in lines)]
    assert not missing


def readme_excerpt() -> list[str]:
    """The lines of the README's excerpt as patterns; "…" stands for what hangs on the second of a payment."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text.split("<!-- demo -->")[1].split("<!-- end of demo -->")[0].strip().splitlines()[1:-1]
    told = [" ".join(one.split()) for one in lines]
    return [re.escape(one).replace("…", ".*") for one in told if one not in ("…", "") and "──" not in one]


def test_the_demonstration_takes_nobodys_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    assert main(["demo", "--home", str(tmp_path)]) == 2
    assert "something else than a demonstration" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"
