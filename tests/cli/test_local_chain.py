"""chain, key, token, deploy: on a chain of the home folder's own."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from ledger.chain import keys
from ledger.chain.node import node_status

GENESIS = 1_704_067_200


@pytest.fixture
def home_chain(run, tmp_path):
    """The home folder's chain, running; stopped at the end."""
    folder = tmp_path / "home" / "chain"
    assert run("chain", "start", at="2024-01-01").code == 0
    yield folder
    run("chain", "stop")


def test_a_chain_lives_through_stop_and_start(run, home_chain):
    status = run("chain", "status", json=True).data
    assert (status["state"], status["chain_id"], status["block"]) == ("running", 31337, 0)
    assert status["time"] - GENESIS < 60
    assert run("chain", "start", json=True).data["pid"] == status["pid"]  # one that runs is left alone
    deployed = run("deploy", account="dev:0", json=True).data
    assert deployed["new"] == list(deployed["addresses"])
    assert {"Splits", "Catalogues", "Licences", "TestDollar", "BlocklistDollar"} < set(deployed["addresses"])
    again = run("deploy", account="dev:1", json=True).data
    assert (again["new"], again["sent"], again["addresses"]) == ([], False, deployed["addresses"])
    assert run("chain", "stop", json=True).data["state"] == "stopped"
    assert run("chain", "stop", json=True).data["state"] == "stopped"
    refused = run("token", "mint", "1", account="dev:0", json=True)
    assert (refused.code, refused.error["remedy"].count("chain start")) == (3, 1)
    assert run("chain", "start", json=True).data["block"] > 0
    assert run("deploy", account="dev:0", json=True).data["new"] == []
    advanced = run("chain", "advance", "2024-05-01", json=True).data
    assert advanced["time"] - 1_714_521_600 < 60
    back = run("chain", "advance", "2024-01-01", json=True)
    assert (back.code, "cannot go back from 2024-05-01" in back.error["what"]) == (2, True)
    again = run("chain", "start", at="2023-01-01", json=True)
    assert (again.code, "has a chain already" in again.error["what"]) == (2, True)


def test_a_chain_that_was_killed_begins_again_where_it_began_and_says_so(run, home_chain):
    before = run("chain", "status", json=True).data
    os.kill(before["pid"], signal.SIGKILL)
    while node_status(home_chain).state == "running":
        time.sleep(0.01)
    again = run("chain", "start")
    assert "what it did in its last half minute may be lost" in again.err
    after = run("chain", "status", json=True).data
    assert (after["state"], after["time"] >= before["time"], after["time"] - before["time"] < 60) == (
        "running",
        True,
        True,
    )
    assert "half minute" not in run("chain", "start").err


def test_dates_that_are_none(run):
    ran = run("chain", "start", at="soon", json=True)
    assert (ran.code, ran.error["what"]) == (2, "'soon' is no date.")


def test_no_local_chain(run):
    assert run("chain", "status", json=True).data["state"] == "none"
    assert run("chain", "advance", "2024-05-01", json=True).code == 3


# ---- keys


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text("secret\n")
    return path


def test_keys_are_made_listed_and_encrypted(run, password, tmp_path):
    made = run("key", "new", "alice", password_file=password, json=True).data
    assert stat.S_IMODE(Path(made["path"]).stat().st_mode) == 0o600
    assert "secret" not in Path(made["path"]).read_text()
    assert run("key", "list", json=True).data["accounts"] == [made]
    assert (
        keys.unlock("alice", tmp_path / "home" / "keys", password_file=password).address
        == made["address"].lower()
    )
    taken = run("key", "new", "alice", password_file=password, json=True)
    assert (taken.code, "already" in taken.error["what"]) == (2, True)


def test_a_key_needs_a_password(run):
    ran = run("key", "new", "bob", json=True)
    assert (ran.code, "--password-file" in ran.error["remedy"]) == (2, True)
    assert run("key", "list", json=True).data["accounts"] == []


def test_names_of_accounts(run, password):
    assert run("key", "new", "../evil", password_file=password, json=True).code == 2


def test_keys_are_imported_from_standard_input_never_from_arguments(run, password, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.StringIO("0x" + "11" * 32 + "\n"))
    made = run("key", "import", "carol", password_file=password, json=True).data
    assert made["address"] == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    copied = run("key", "import", "copy", file=made["path"], password_file=password, json=True).data
    assert copied["address"] == made["address"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("0x1234\n"))
    assert "no private key" in run("key", "import", "dan", password_file=password, json=True).error["what"]
    assert run("key", "import", "eve", "0x" + "11" * 32, password_file=password, json=True).code == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff" * 64), encoding="utf-8"))
    assert "no private key" in run("key", "import", "fay", password_file=password, json=True).error["what"]


# ---- tokens


def test_minting_and_approving(on, ledger):
    minted = on("token", "mint", "1000.5", "--to", "dev:3", account="dev:0", json=True).data
    assert minted["minted"]["units"] == minted["balance"]["units"] == "1000500000"
    assert minted["balance"]["shown"] == "1,000.500000 tUSD"
    approved = on("token", "approve", "12", account="dev:3", json=True).data
    assert approved["allowance"] == "12000000"
    assert approved["spender"].lower() == ledger.addresses["Licences"].lower()
    assert on("token", "approve", account="dev:3", spender="splits", json=True).data["allowance"] == str(
        2**256 - 1
    )


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1,5", "has a comma"),
        ("1.1234567", "7 decimals; the token has 6"),
        ("1e6", "exponent"),
        ("1000000000000000000000000000", "too large"),
    ],
)
def test_amounts_that_are_none(on, unsent, amount, said):
    ran = on("token", "mint", amount, account="dev:0", json=True)
    assert (ran.code, said in ran.error["what"]) == (2, True)
    assert unsent() == 0


def test_an_unknown_token(on, unsent):
    assert "no token" in on("token", "mint", "1", token="DOGE", account="dev:0", json=True).error["what"]
    nothing = on("token", "mint", "1", token="0x" + "ab" * 20, account="dev:0", json=True)
    assert (nothing.code, "has no token at" in nothing.error["what"]) == (2, True)
    assert unsent() == 0


def test_passwords_are_asked_for_hidden_and_twice(run, monkeypatch):
    import getpass
    import sys

    answers = iter(["secret", "secret", "one", "other"])
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda question: asked.append(question) or next(answers))
    assert run("key", "new", "alice", json=True).code == 0
    assert len(asked) == 2
    ran = run("key", "new", "bob", json=True)
    assert (ran.code, ran.error["what"]) == (2, "The two passwords differ.")
    assert [one["name"] for one in run("key", "list", json=True).data["accounts"]] == ["alice"]
