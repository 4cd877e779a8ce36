"""Off the local chain: who gets what is shown, the node is asked, nothing is sent without --yes."""

from __future__ import annotations

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR
from _reporting import after, line, write_csv

from ledger.chain.rpc import Rpc


@pytest.fixture
def public(on, node, licence, dollar, monkeypatch):
    """The licence on a chain that is not taken for a local one; a first report is open."""
    after(node, "2024-03-05")
    assert on("report", "submit", licence, "1500", account=LICENSEE).code == 0
    monkeypatch.setattr(Rpc, "is_local", property(lambda self: False))
    monkeypatch.setattr("ledger.chain.simulation.chain_time", lambda rpc: 1_709_600_000 + 3_600)
    monkeypatch.setattr("ledger.operations.session.chain_time", lambda rpc: 1_709_600_000 + 3_600)
    return licence


def test_nothing_is_sent(on, public, tmp_path, unsent):
    before = unsent()
    path = write_csv(tmp_path / "r.csv", [line(public, 1, "1600")])
    figures = ("report", "restate", public, 0, "1600")
    sender, licensor = ADDRESS[LICENSEE], ADDRESS[LICENSOR]
    commands = [
        (("report", "import", path), sender),
        (("report", "submit", public, "1600"), sender),
        (("report", "pay", public), sender),
        (figures, sender),
        (("report", "dispute", public, 0, "1200"), sender),
        (("payout", "run"), licensor),
        (("payout", "claim", "0x1111111111111111111111111111111111111111"), licensor),
    ]
    for command, account in commands:
        ran = on(*command, account=account, json=True)
        assert (ran.code, ran.data.get("sent")) == (0, False), (command, ran.error)
        assert ran.data["plan"]
        assert ran.data["gas"] > 0
    assert unsent() == before
    said = on("report", "pay", public, account=sender)
    assert "Add --yes" in said.err
    assert "tUSD of it interest" in said.out
