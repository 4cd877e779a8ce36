"""Exactly once: through kill -9, dropped connections, forgetful nodes, reorgs, strangers on our nonces."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from flaky import FlakyNode

from ledger.chain.answers import hex_int
from ledger.chain.delivery import Rules
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.signing import Transaction
from ledger.domain.errors import ExitCode, UnreachableError

SINK = "0x" + "cd" * 20
QUICK = Rules(resend_after=0.1, replace_after=30)
ROOT = Path(__file__).parents[2]


def gifts(count: int, start: int = 0, **more) -> list[Request]:
    return [Request(f"gift/{i}", SINK, b"", value=1, gas=21_000, **more) for i in range(start, start + count)]


def received(rpc: Rpc) -> int:
    return hex_int(rpc.call("eth_getBalance", SINK, "latest"))


def nonce(rpc: Rpc, number: int = 0) -> int:
    return hex_int(rpc.call("eth_getTransactionCount", dev_signer(number).address, "latest"))


@pytest.fixture
def own_node():
    with LocalNode.start() as node:
        yield node


_CHILD = """
import sys
from pathlib import Path
from ledger.chain.keys import dev_signer
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
acts = [Request(f"gift/{i}", sys.argv[3], b"", value=1, gas=21_000) for i in range(int(sys.argv[4]))]
tell = lambda what, count: print(what, count, flush=True)
with Rpc(sys.argv[1]) as rpc, Sender(rpc, dev_signer(0), Path(sys.argv[2]), listen=tell) as sender:
    print("all", sum(one.good for one in sender.send(acts)), flush=True)
"""


def test_kill_9_in_the_middle_then_resume(own_node, tmp_path):
    count, kills = 1500, 0
    chance = random.Random(7)
    for attempt in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, own_node.url, str(tmp_path), SINK, str(count)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        with child:
            said = ""
            for _ in range(1 + attempt):
                said = child.stdout.readline() or said
            if attempt < 6 and "all" not in said:
                time.sleep(chance.random() * 0.05)
                child.send_signal(signal.SIGKILL)
                kills += 1
            else:
                said += child.stdout.read()
        if "all" in said:
            break
    assert kills >= 2
    assert f"all {count}" in said
    assert (received(own_node.rpc), nonce(own_node.rpc)) == (count, count)


def test_connections_that_drop_swallow_and_lie(own_node, tmp_path):
    chance = random.Random(3)
    faults = ["", "", "drop", "swallow", "busy", "shuffle", "omit", "no-receipts"]
    with (
        FlakyNode(own_node.url) as flaky,
        Rpc(flaky.url, wait=0.005, attempts=12) as rpc,
        Sender(rpc, dev_signer(0), tmp_path, rules=QUICK) as sender,
    ):
        for start in range(0, 900, 300):
            flaky.faults[:] = chance.choices(faults, k=40)
            assert all(one.good for one in sender.send(gifts(300, start)))
        flaky.faults.clear()
        assert all(one.before for one in sender.send(gifts(900)))
    assert (received(own_node.rpc), nonce(own_node.rpc)) == (900, 900)


def test_a_node_that_dies_in_the_middle(tmp_path):
    folder = tmp_path / "chain"
    node = LocalNode.start(folder, state_interval=600)

    def die(what: str, count: int) -> None:
        if what == "sent":
            node.stop()

    with (
        Rpc(node.url, attempts=2, wait=0.01) as rpc,
        Sender(rpc, dev_signer(0), tmp_path, rules=QUICK, listen=die) as sender,
        pytest.raises(UnreachableError) as gone,
    ):
        sender.send(gifts(700))
    assert gone.value.exit_code == ExitCode.UNREACHABLE
    with LocalNode.start(folder) as again, Sender(again.rpc, dev_signer(0), tmp_path, rules=QUICK) as sender:
        assert all(one.good for one in sender.send(gifts(700)))
        assert (received(again.rpc), nonce(again.rpc)) == (700, 700)


def test_a_crashed_node_forgets_blocks_and_gets_the_same_bytes(tmp_path):
    folder = tmp_path / "chain"
    with LocalNode.start(folder) as node, Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        kept = sender.send(gifts(5))
    node = LocalNode.start(folder, state_interval=600)
    with Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        lost = sender.send(gifts(10, 5))
    node.kill()
    with LocalNode.start(folder) as again:
        assert nonce(again.rpc) == 5
        with Sender(again.rpc, dev_signer(0), tmp_path) as sender:
            outcomes = sender.send(gifts(20))
        assert [one.hash for one in outcomes[:15]] == [one.hash for one in [*kept, *lost]]
        assert [one.before for one in outcomes] == [True] * 15 + [False] * 5
        assert (received(again.rpc), nonce(again.rpc)) == (20, 20)


def test_a_reorg_after_the_end_sends_the_same_bytes(rpc, tmp_path):
    with Sender(rpc, dev_signer(0), tmp_path) as sender:
        first = sender.send(gifts(3))
        rpc.call("anvil_reorg", first[-1].block - first[0].block + 1, [])
        assert received(rpc) == 0
        again = sender.send(gifts(3))
        assert [one.hash for one in again] == [one.hash for one in first]
        assert received(rpc) == 3


def in_thread(url: str, folder: Path, rules: Rules, acts: list[Request]):
    """Sends in a thread with a connection of its own; the result is in the list after the join."""
    result: list = []

    def run() -> None:
        with Rpc(url) as rpc, Sender(rpc, dev_signer(0), folder) as sender:
            sender._delivery.rules = rules  # a local chain would need no confirmations
            result.extend(sender.send(acts))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, result


def wait_for(true, seconds=10):
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


def pending(rpc: Rpc) -> int:
    return hex_int(rpc.call("txpool_status")["pending"])


def test_a_reorg_before_the_confirmations(own_node, tmp_path):
    rpc = own_node.rpc
    rpc.call("evm_setAutomine", False)
    thread, result = in_thread(own_node.url, tmp_path, Rules(confirmations=3, resend_after=0.1), gifts(4))
    wait_for(lambda: pending(rpc) == 4)
    rpc.call("evm_mine")
    time.sleep(0.3)
    assert not result
    rpc.call("anvil_reorg", 1, [])
    assert received(rpc) == 0
    wait_for(lambda: pending(rpc) == 4)  # sent again
    for _ in range(3):
        rpc.call("evm_mine")
    thread.join(10)
    assert [one.good for one in result] == [True] * 4
    assert (received(rpc), nonce(rpc)) == (4, 4)


def test_a_stuck_transaction_is_replaced_at_a_higher_fee(own_node, tmp_path):
    rpc = own_node.rpc
    rpc.call("evm_setAutomine", False)
    thread, result = in_thread(own_node.url, tmp_path, Rules(resend_after=0.1, replace_after=0.3), gifts(1))
    wait_for(lambda: pending(rpc) == 1)
    first = rpc.call("eth_getBlockByNumber", "pending", True)["transactions"][0]
    rpc.call("anvil_setNextBlockBaseFeePerGas", hex(hex_int(first["maxFeePerGas"]) * 2))
    rpc.call("evm_mine")  # too dear for it
    assert received(rpc) == 0
    limit = time.monotonic() + 20
    while not result and time.monotonic() < limit:
        time.sleep(0.1)
        rpc.call("evm_mine")
    thread.join(10)
    assert result[0].good
    mined = rpc.call("eth_getTransactionByHash", "0x" + result[0].hash.hex())
    assert mined["hash"] != first["hash"]
    assert (mined["nonce"], mined["input"], mined["to"]) == (first["nonce"], first["input"], first["to"])
    assert (received(rpc), nonce(rpc)) == (1, 1)


@pytest.mark.parametrize(
    ("needed", "states", "total"),
    [(None, ["replaced", "done"], 1), (True, ["done"] * 2, 2), (False, ["elsewhere", "done"], 1)],
)
def test_a_stranger_takes_our_nonce(own_node, tmp_path, needed, states, total):
    rpc = own_node.rpc
    rpc.call("evm_setAutomine", False)
    asked = None if needed is None else (lambda: needed)
    rules = Rules(confirmations=1, resend_after=0.05, poll_limit=0.05)
    thread, result = in_thread(own_node.url, tmp_path, rules, gifts(2, still_needed=asked))
    wait_for(lambda: pending(rpc) == 2)
    stranger = Transaction(31337, 0, 10**11, 10**12, 21_000, dev_signer(5).address, 0, b"")
    raw, _ = dev_signer(0).sign_transaction(stranger)
    rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    rpc.call("evm_mine")
    rpc.call("evm_setAutomine", True)
    thread.join(20)
    assert [one.state for one in result] == states
    assert received(rpc) == total
    # Asked again, the dead one is not done again by itself.
    with Sender(rpc, dev_signer(0), tmp_path, rules=rules) as sender:
        assert [one.state for one in sender.send(gifts(2, still_needed=asked))] == states
    assert received(rpc) == total
