"""The demonstration, from an empty folder to the verdict, twice in a row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.chain.node import node_status
from ledger.cli import main


def play(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, object], str]:
    code = main(["demo", "--json", "--home", str(folder)])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    return json.loads(told.out), told.err


def test_the_demonstration_ends_with_books_that_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "demo"
    envelope, talk = play(home, capsys)
    data = envelope["data"]
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
    assert node_status(home / "chain").state == "stopped"

    # The chain that it leaves goes on where it was, and the next commands work on it.
    assert main(["chain", "start", "--home", str(home)]) == 0
    try:
        for command in envelope["next"][1:4]:
            words = command.split()[1:]
            where = words.index("--home")
            assert main([*words[:where], "--home", str(home), *words[where + 2 :]]) == 0, command
    finally:
        assert main(["chain", "stop", "--home", str(home)]) == 0
    capsys.readouterr()

    again, _ = play(home, capsys)
    assert again["data"]["verdict"] == "PASS"


def test_the_demonstration_takes_nobodys_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    assert main(["demo", "--home", str(tmp_path)]) == 2
    assert "something else than a demonstration" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"
