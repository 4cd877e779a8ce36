"""The scripts, on a chain of their own, as plain Python runs them; and the adapter's refusals."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.chain.brownie_adapter import connected
from ledger.chain.contracts import Ledger
from ledger.chain.deploy import plan
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.sender import Sender
from ledger.domain.errors import LedgerError
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run

ROOT = Path(__file__).parents[2]


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **os.environ},
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["deploy", "report_revenue", "pay_out", "audit"])
def test_scripts_are_short_and_have_a_main(name):
    path = ROOT / "scripts" / f"{name}.py"
    assert len(path.read_text().splitlines()) <= 40
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)


def test_deploy_pay_out_and_audit():
    with LocalNode.start() as node:
        first = script("deploy", "--rpc", node.url)
        assert first.returncode == 0, first.stderr
        assert "Splits" in first.stdout
        assert "0 transactions" in script("deploy", "--rpc", node.url).stdout
        ledger = Ledger(node.rpc)
        token = ledger.token(plan(["TestDollar"])["TestDollar"].address)
        payee = "0x" + "51" * 20
        tree = MerkleSumTree.build([(payee, 3), ("0x" + "52" * 20, 1)])
        with Sender(node.rpc, dev_signer(1)) as sender:
            sender.send_all(
                [
                    ledger.splits.publish(tree.split, [Run(0, tree.page_words(0), [])]),
                    token.mint(sender.address, 400),
                    token.approve(ledger.splits.address, 400),
                    ledger.splits.credit(tree.id, token.address, 400, occasion="1"),
                ]
            )
        arguments = ("--rpc", node.url, "--from", "dev:2", "0x" + tree.id.hex(), token.address)
        paid = script("pay_out", *arguments)
        assert paid.returncode == 0, paid.stderr
        assert token.balance(payee) == 300
        assert "0 done" in script("pay_out", *arguments).stdout
        audited = script("audit", "--rpc", node.url)
        assert audited.returncode == 0, audited.stderr
        assert "FAIL" not in audited.stdout
        assert "internally consistent only" in audited.stdout


def test_errors_are_sentences_with_exit_codes():
    nobody = script("audit")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "No node is named" in nobody.stderr
    gone = script("audit", "--rpc", "http://127.0.0.1:9")
    assert gone.returncode == 3


def test_off_the_local_chain_nothing_is_sent_without_yes(node, monkeypatch, dollar):
    from ledger.chain.rpc import Rpc

    with connected(["--rpc", node.url, "rest"]) as here:
        assert here.may_send
        assert here.arguments == ("rest",)
        foreign = type(here)(here.rpc, here.sender, here.home, False, ())
        assert foreign.send([dollar.mint("0x" + "53" * 20, 1)]) == []
        assert dollar.balance("0x" + "53" * 20) == 0
        with pytest.raises(LedgerError, match="Nothing was sent"):
            foreign.send([dollar.transfer("0x" + "53" * 20, 10**30)])
    monkeypatch.setattr(Rpc, "is_local", False)
    with pytest.raises(LedgerError, match="No account is named"), connected(["--rpc", node.url]):
        pass
    with pytest.raises(LedgerError, match="published"), connected(["--rpc", node.url, "--from", "dev:0"]):
        pass
