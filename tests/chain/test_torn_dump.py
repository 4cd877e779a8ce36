"""A dump that was taken between a block's accounts and the block itself is noticed, and never built upon."""

from __future__ import annotations

from pathlib import Path

import orjson

from ledger.chain.answers import hex_int
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender

SINK = "0x" + "cd" * 20


def gifts(count: int) -> list[Request]:
    return [Request(f"gift/{i}", SINK, b"", value=1, gas=21_000) for i in range(count)]


def received(rpc: Rpc) -> int:
    return hex_int(rpc.call("eth_getBalance", SINK, "latest"))


def tear(folder: Path) -> None:
    """Takes the last block out of the dump and leaves its accounts, as anvil does when it is asked in between."""
    path = folder / "state.json"
    state = orjson.loads(path.read_bytes())
    last = max(state["blocks"], key=lambda block: int(block["header"]["number"], 16))
    state["blocks"].remove(last)
    state["best_block_number"] = int(last["header"]["number"], 16) - 1
    path.write_bytes(orjson.dumps(state))


def test_a_torn_dump_gives_way_to_the_last_clean_stop(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    with LocalNode.start(folder) as node, Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        sender.send_all(gifts(5))
    kept = (folder / "state.previous.json").read_bytes()
    with LocalNode.start(folder) as node, Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        sender.send_all(gifts(10))
    (folder / "state.previous.json").write_bytes(kept)
    tear(folder)
    with LocalNode.start(folder) as node, Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        assert node.recovered
        assert received(node.rpc) == 5
        assert all(one.good for one in sender.send(gifts(10)))
        assert received(node.rpc) == 10
    assert (folder / "state.torn.json").exists()


def test_without_a_clean_stop_before_a_torn_dump_gives_way_to_the_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    with LocalNode.start(folder, genesis_time=1_700_000_000) as node:
        with Sender(node.rpc, dev_signer(0), tmp_path) as sender:
            sender.send_all(gifts(1))
        genesis = node.rpc.genesis
    (folder / "state.previous.json").unlink()
    tear(folder)
    with LocalNode.start(folder) as node:
        assert node.rpc.genesis == genesis
        assert received(node.rpc) == 0
        with Sender(node.rpc, dev_signer(0), tmp_path) as sender:
            assert all(one.good for one in sender.send(gifts(1)))
        assert received(node.rpc) == 1


def test_accounts_that_were_set_by_hand_make_no_torn_dump(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    with LocalNode.start(folder) as node:
        node.rpc.call("evm_mine")
        node.rpc.call("anvil_setBalance", SINK, hex(77))
    with LocalNode.start(folder) as node:
        assert not node.recovered
        assert received(node.rpc) == 77
