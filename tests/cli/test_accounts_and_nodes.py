"""Locked keys, wrong passwords, no gas, no node, another chain, and what holds off the local chain."""

from __future__ import annotations

import pytest
from _command import LICENSOR
from _dying import dying_node

from ledger.chain import keys
from ledger.chain.deploy import LEDGER
from ledger.chain.node import LocalNode

PUBLIC = 777  # an anvil under this id is no local test chain to us


@pytest.fixture
def alice(tmp_path):
    """A key file with the password `secret`, quick to unlock; and the password's file."""
    account = keys.new_account("alice", "secret", tmp_path / "home" / "keys", work=2)
    path = tmp_path / "password"
    path.write_text("secret\n")
    return account, path


@pytest.fixture(scope="module")
def public_node():
    # Off the local chain the sender waits for later blocks, so there have to be some.
    with LocalNode.start(chain_id=PUBLIC, options=["--block-time", "0.1"]) as node:
        yield node


@pytest.fixture
def public(run, public_node, alice):
    """Runs on a chain that is not local, from a funded account of one's own."""
    account, password = alice
    mark = public_node.rpc.call("evm_snapshot")
    public_node.rpc.call("anvil_setBalance", account.address, hex(10**20))

    def go(*arguments, **options):
        return run(*arguments, rpc=public_node.url, account="alice", password_file=password, **options)

    yield go
    public_node.rpc.call("evm_revert", mark)


@pytest.fixture
def sent_by_alice(public_node, alice):
    """How many transactions alice has sent."""
    return lambda: int(public_node.rpc.call("eth_getTransactionCount", alice[0].address, "pending"), 16)


# ---- accounts


def test_a_locked_key_without_a_password(on, alice, unsent):
    ran = on("token", "mint", "1", account="alice", json=True)
    assert (ran.code, ran.error["what"]) == (2, "The key file is locked and no password was given.")
    assert "--password-file" in ran.error["remedy"]
    assert unsent() == 0


def test_a_wrong_password(on, alice, tmp_path, unsent):
    wrong = tmp_path / "wrong"
    wrong.write_text("sesame")
    ran = on("token", "mint", "1", account="alice", password_file=wrong, json=True)
    assert (ran.code, ran.error["what"]) == (2, "The password is wrong.")
    assert unsent() == 0


def test_no_account_and_an_unknown_one(on, alice, unsent):
    assert "--from NAME" in on("token", "mint", "1", json=True).error["remedy"]
    unknown = on("token", "mint", "1", account="bob", json=True)
    assert (unknown.code, unknown.error["what"]) == (2, "There is no account bob.")
    assert "alice" in unknown.error["remedy"]
    assert on("token", "mint", "1", account="dev:99", json=True).code == 2
    assert unsent() == 0


def test_no_gas(on, alice, unsent):
    _, password = alice
    ran = on("token", "mint", "1", account="alice", password_file=password, json=True)
    assert ran.code == 6
    assert "cannot pay for gas" in ran.error["what"]
    assert "Send some to the account" in ran.error["remedy"]
    assert unsent() == 0


def test_the_password_from_a_variable_s_file_and_the_default_account(on, alice, node, tmp_path, monkeypatch):
    account, password = alice
    node.rpc.call("anvil_setBalance", account.address, hex(10**18))
    monkeypatch.setenv("LICENCE_LEDGER_PASSWORD_FILE", str(password))
    (tmp_path / "home" / "config.toml").write_text('from = "alice"\n')
    assert on("token", "mint", "1", json=True).data["to"].lower() == account.address
    (tmp_path / "home" / "config.toml").write_text("from = 5\n")
    assert "The defaults hold from = 5." in on("token", "mint", "1", json=True).error["what"]


# ---- nodes


def test_no_node(run, unused_port):
    ran = run("licence", "list", rpc=f"http://127.0.0.1:{unused_port}", json=True)
    assert (ran.code, ran.error["what"]) == (3, "The node does not answer.")


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


def test_a_node_on_another_chain(on, unsent):
    ran = on("token", "mint", "1", account="dev:0", chain_id=1, json=True)
    assert (ran.code, ran.error["what"]) == (3, "The node is on chain 31337, but chain 1 was asked for.")
    assert unsent() == 0


def test_a_url_that_is_none(run):
    assert run("licence", "list", rpc="ftp://x", json=True).code == 2


def test_a_chain_without_the_ledger(public):
    ran = public("licence", "list", json=True)
    assert (ran.code, "not deployed on chain 777" in ran.error["what"]) == (2, True)
    assert "licence-ledger deploy" in ran.error["remedy"]


# ---- off the local chain


def test_published_keys_are_refused(run, public_node):
    ran = run("deploy", rpc=public_node.url, account="dev:0", yes=True, json=True)
    assert (ran.code, "published keys" in ran.error["what"]) == (2, True)


def test_nothing_is_sent_without_yes_and_who_gets_what_is_shown(
    run, public, public_node, sent_by_alice, manifest, ledger
):
    dry = public("deploy", json=True).data
    assert dry["sent"] is False
    assert [one["what"] for one in dry["plan"]] == list(LEDGER)
    assert sent_by_alice() == 0
    done = public("deploy", yes=True, json=True).data
    assert (done["sent"], "TestDollar" in done["addresses"]) == (True, False)
    assert done["addresses"]["Licences"].lower() == ledger.addresses["Licences"].lower()

    before = sent_by_alice()
    text = public("catalogue", "create", manifest)
    assert (text.code, sent_by_alice()) == (0, before)
    assert "a catalogue" in text.out
    assert "Nothing was sent" in text.err
    assert "Add --yes" in text.err
    # A dry run needs no password.
    dry = run("catalogue", "create", manifest, rpc=public_node.url, account="alice", json=True)
    assert (dry.code, dry.data["sent"]) == (0, False)
    assert dry.data["gas"] > 100_000
    created = public("catalogue", "create", manifest, yes=True, json=True).data
    assert (created["catalogue"], sent_by_alice()) == (1, before + 3)


def test_money_is_minted_on_a_test_chain_only(public):
    assert public("token", "mint", "1", json=True).code == 2


def test_a_node_that_dies_half_way(on, run, node, manifest, ledger):
    """The same command finishes later, and nothing is done twice."""
    with dying_node(node.url) as url:
        ran = run("catalogue", "create", manifest, rpc=url, account=LICENSOR, json=True)
    assert ran.code in (3, 6)
    assert ran.error["remedy"]
    done = on("catalogue", "create", manifest, account=LICENSOR, json=True).data
    assert (done["catalogue"], ledger.catalogues.view("count")) == (1, 1)
    assert ledger.catalogues.view("splitCount", 1) == 1
