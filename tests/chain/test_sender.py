"""The sender: each thing once, in order, with reasons."""

from __future__ import annotations

import pytest

from ledger.chain.answers import hex_int
from ledger.chain.delivery import Delivery, Rules
from ledger.chain.keys import dev_signer
from ledger.chain.outbox import Outbox
from ledger.chain.requests import Failed, Request
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.domain.errors import ExitCode, LedgerError

SINK = "0x" + "ab" * 20


def gift(key: str, value: int = 1, **more) -> Request:
    return Request(key, SINK, b"", value=value, **{"gas": 21_000, **more})


def received(rpc) -> int:
    return hex_int(rpc.call("eth_getBalance", SINK, "latest"))


def test_one_key_is_done_once(rpc, sender_of):
    sender = sender_of(0)
    first = sender.send([gift("a"), gift("b")])
    again = sender.send([gift("b"), gift("a"), gift("c")])
    assert [one.state for one in first + again] == ["done"] * 5
    assert [one.before for one in again] == [True, True, False]
    assert again[0].hash == first[1].hash
    assert received(rpc) == 3


def test_a_key_names_its_content(rpc, sender_of):
    sender_of(0).send([gift("a")])
    with pytest.raises(LedgerError, match="used for another transaction"):
        sender_of(0).send([gift("a", 2)])
    with pytest.raises(LedgerError, match="same key"):
        sender_of(0).send([gift("b"), gift("b")])
    assert received(rpc) == 1


def test_reverts_come_as_sentences_in_order(dollar, sender_of):
    sender = sender_of(0)
    sender.send_one(dollar.mint(sender.address, 10))
    outcomes = sender.send(
        [
            _gas(dollar.transfer(SINK, 11, occasion="1")),
            _gas(dollar.transfer(SINK, 10, occasion="2")),
            _gas(dollar.transfer(SINK, 1, occasion="3")),
        ]
    )
    assert [one.state for one in outcomes] == ["reverted", "done", "reverted"]
    assert outcomes[0].error.name == "ERC20InsufficientBalance"
    assert outcomes[0].error.arguments[1:] == (10, 11)
    assert outcomes[2].error.arguments[1:] == (0, 1)


def _gas(request: Request, gas: int = 100_000) -> Request:
    from dataclasses import replace

    return replace(request, gas=gas)


def test_a_reverted_act_may_be_tried_again_under_its_key(dollar, sender_of):
    sender = sender_of(0)
    act = _gas(dollar.transfer(SINK, 5, occasion="x"))
    assert sender.send([act])[0].state == "reverted"
    sender.send_one(dollar.mint(sender.address, 5))
    assert sender.send([act])[0].state == "done"
    assert sender.send([act])[0].before
    assert dollar.balance(SINK) == 5


def test_preflight_sends_nothing_if_one_would_fail(rpc, dollar, sender_of):
    sender = sender_of(0)
    sender.send_one(dollar.mint(sender.address, 10))
    nonce = rpc.call("eth_getTransactionCount", sender.address, "latest")
    acts = [dollar.transfer(SINK, 6, occasion="1"), dollar.transfer(SINK, 6, occasion="2"), gift("c")]
    outcomes = sender.send(acts, preflight=True)
    assert [one.state for one in outcomes] == ["skipped", "refused", "skipped"]
    assert outcomes[1].error.arguments[1:] == (4, 6)
    with pytest.raises(Failed) as refused:
        sender.send_all(acts)
    assert refused.value.exit_code == ExitCode.REVERTED
    assert [one["state"] for one in refused.value.as_dict()["outcomes"]] == ["skipped", "refused", "skipped"]
    assert rpc.call("eth_getTransactionCount", sender.address, "latest") == nonce
    assert not sender.under_way()


def test_gas_is_estimated_for_acts_that_need_earlier_ones(dollar, sender_of):
    sender = sender_of(0)
    outcomes = sender.send_all([dollar.mint(sender.address, 3), dollar.transfer(SINK, 3)])
    assert all(one.good for one in outcomes)


def test_a_node_without_simulation_is_asked_for_the_first_only(rpc, dollar, sender_of, monkeypatch):
    from ledger.chain import simulation
    from ledger.chain.rpc import RpcError

    def missing(*_: object) -> None:
        raise RpcError("eth_simulateV1", -32601, "Method not found")

    monkeypatch.setattr(simulation, "_simulate", missing)
    sender = sender_of(0)
    dependent = [dollar.mint(sender.address, 3), dollar.transfer(SINK, 3)]
    assert all(one.good for one in sender.send_all(dependent))
    with pytest.raises(Failed, match="Nothing was sent"):
        sender.send_all([dollar.transfer(SINK, 1), gift("a")])


@pytest.mark.parametrize(("wave", "states"), [(1, "drss"), (3, "drds")])
def test_stop_at_failure_sends_no_later_wave(dollar, sender_of, wave, states):
    sender = sender_of(0)
    bad = _gas(dollar.transfer(SINK, 1, occasion="bad"))
    outcomes = sender.send([gift("a"), bad, gift("b"), gift("c")], stop_at_failure=True, wave=wave)
    names = {"d": "done", "r": "reverted", "s": "skipped"}
    assert [one.state for one in outcomes] == [names[one] for one in states]


def test_out_of_gas_is_told(dollar, sender_of):
    sender = sender_of(0)
    outcome = sender.send([_gas(dollar.mint(sender.address, 1), 30_000)])[0]
    assert "ran out of gas" in outcome.error.what


def test_gas_above_the_cap_is_refused(sender_of):
    with pytest.raises(LedgerError, match="gas limit of 16,777,217"):
        sender_of(0).send([gift("a", gas=16_777_217)])


def test_no_funds_signs_nothing(rpc, tmp_path):
    with Sender(rpc, Signer(b"\x77" * 32), tmp_path) as sender:
        with pytest.raises(LedgerError, match="cannot pay for gas") as poor:
            sender.send([gift("a")])
        assert poor.value.exit_code == ExitCode.INCOMPLETE
        assert not sender.under_way()


def test_a_small_balance_is_spent_in_turns(rpc, tmp_path):
    signer = Signer(b"\x78" * 32)
    rpc.call("anvil_setBalance", signer.address, hex(10**14 * 6))
    with Sender(rpc, signer, tmp_path) as sender:
        assert all(one.good for one in sender.send([gift(f"k{i}") for i in range(12)]))
    assert received(rpc) == 12


def test_fees_above_the_limit_stop(rpc, tmp_path):
    dear = Sender(rpc, dev_signer(0), tmp_path, rules=Rules(fee_limit=10))
    with dear, pytest.raises(LedgerError, match="the limit is"):
        dear.send([gift("a")])


def test_one_process_sends_from_an_account(rpc, tmp_path):
    first, second = (Sender(rpc, dev_signer(0), tmp_path) for _ in range(2))
    with first, pytest.raises(LedgerError, match="Another process"), second:
        pass
    with Sender(rpc, dev_signer(0), tmp_path), Sender(rpc, dev_signer(1), tmp_path):
        pass


def test_a_damaged_outbox_is_told(rpc, tmp_path):
    place = Outbox(tmp_path, rpc.chain_id, rpc.genesis, dev_signer(0).address).path
    place.write_bytes(b"this is no database, and long enough to be looked at" * 40)
    with pytest.raises(LedgerError, match="outbox cannot be read"), Sender(rpc, dev_signer(0), tmp_path):
        pass
    place.unlink()
    with Sender(rpc, dev_signer(0), tmp_path) as sender:
        sender.send([gift("a")])


def test_an_outbox_that_cannot_be_written_sends_nothing(rpc, tmp_path):
    with Sender(rpc, dev_signer(0), tmp_path) as sender:
        sender.send([gift("a")])
        before = rpc.call("eth_getTransactionCount", sender.address, "pending")
        sender._outbox._base.execute("PRAGMA query_only=ON")  # as a full disk does
        with pytest.raises(LedgerError, match="outbox cannot be written") as told:
            sender.send([gift("b")])
        assert rpc.call("eth_getTransactionCount", sender.address, "pending") == before
        assert (told.value.exit_code, "run the same command again" in told.value.remedy) == (6, True)
        sender._outbox._base.execute("PRAGMA query_only=OFF")
        assert [one.state for one in sender.send([gift("b")])] == ["done"]


def test_progress_is_heard(rpc, tmp_path):
    heard = []
    with Sender(
        rpc, dev_signer(0), tmp_path, listen=lambda what, count: heard.append((what, count))
    ) as sender:
        sender.send([gift(f"k{i}") for i in range(450)])
    assert [count for what, count in heard if what == "sent"] == [200, 200, 50]
    assert sum(count for what, count in heard if what == "mined") == 450


def test_what_was_stored_but_not_sent_goes_out_unchanged(rpc, tmp_path, monkeypatch):
    with Sender(rpc, dev_signer(0), tmp_path) as sender:
        with monkeypatch.context() as broken:
            broken.setattr(
                Delivery, "broadcast", lambda self, items: (_ for _ in ()).throw(KeyboardInterrupt)
            )
            with pytest.raises(KeyboardInterrupt):
                sender.send([gift("a"), gift("b")])
        left = sender.under_way()
        assert [one.key for one in left] == ["a", "b"]
    assert received(rpc) == 0
    with Sender(rpc, dev_signer(0), tmp_path) as sender:
        outcomes = sender.send([gift("b"), gift("c")])
        assert [one.before for one in outcomes] == [True, False]
        assert outcomes[0].hash == left[1].newest.hash
        assert not sender.under_way()
    assert received(rpc) == 3


def test_cancel_takes_the_nonces(rpc, tmp_path, monkeypatch):
    with Sender(rpc, dev_signer(0), tmp_path, rules=Rules(resend_after=0.05)) as sender:
        with monkeypatch.context() as broken:
            broken.setattr(
                Delivery, "broadcast", lambda self, items: (_ for _ in ()).throw(KeyboardInterrupt)
            )
            with pytest.raises(KeyboardInterrupt):
                sender.send([gift("a"), gift("b")])
        assert sender.cancel() == (2, 0)
        assert sender.cancel() == (0, 0)
        assert received(rpc) == 0
        assert sender.send([gift("a")])[0].good
    assert received(rpc) == 1
