"""Headers of every fork, storage proofs and receipts of a real node, rebuilt to the hashes that it states."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest
import rlp as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.chain.answers import hex_bytes
from ledger.chain.anvil import find_anvil
from ledger.chain.rpc import Rpc
from ledger.domain import rlp
from ledger.domain.canonical import keccak256
from ledger.domain.errors import UnreachableError
from ledger.domain.headers import header_of_json, header_of_rlp
from ledger.domain.receipts import block_bloom, receipt_of_json, receipts_root
from ledger.domain.rlp import Malformed
from ledger.domain.trie import NO_ACCOUNT, NodeReader

#: Block 0 of the Ethereum main net, whose hash every node of it knows.
MAINNET_GENESIS = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
}
MAINNET_GENESIS_HASH = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"


def test_the_first_header_of_the_main_net():
    header = header_of_json(MAINNET_GENESIS)
    assert (header.hash.hex(), header.fork) == (MAINNET_GENESIS_HASH, "frontier")
    assert header_of_rlp(header.raw) == header


LATER = {
    "baseFeePerGas": ("0x3b9aca00", bytes.fromhex("3b9aca00")),
    "withdrawalsRoot": ("0x" + "22" * 32, b"\x22" * 32),
    "blobGasUsed": ("0x20000", b"\2\0\0"),
    "excessBlobGas": ("0x0", b""),
    "parentBeaconBlockRoot": ("0x" + "33" * 32, b"\x33" * 32),
    "requestsHash": ("0x" + "44" * 32, b"\x44" * 32),
}


@pytest.mark.parametrize(("more", "fork"), [(1, "london"), (2, "shanghai"), (5, "cancun"), (6, "prague")])
def test_the_fields_of_each_fork_are_encoded_in_their_order(more, fork):
    names = list(LATER)[:more]
    told = {**MAINNET_GENESIS, **{name: LATER[name][0] for name in names}, "size": "0x1", "hash": "0x"}
    expected = [*rlp.decode_list(header_of_json(MAINNET_GENESIS).raw), *(LATER[name][1] for name in names)]
    header = header_of_json(told)
    assert (header.raw, header.fork) == (reference.encode(expected), fork)
    assert header_of_json({**told, "requestsHash": told.get("requestsHash")}) == header


@pytest.fixture(scope="module", params=["cancun", "prague"])
def chain(request, tmp_path_factory):
    """A node of each fork with a few blocks of transactions of all types that it takes."""
    log = (tmp_path_factory.mktemp("anvil") / "log").open("wb")
    process, port = _started(request.param, log)
    try:
        with Rpc(f"http://127.0.0.1:{port}") as rpc:
            _fill(rpc)
            yield request.param, rpc
    finally:
        process.terminate()
        process.wait()
        log.close()


def _started(fork, log):
    """An anvil that answers on a port of its own: another process may take a free port before it does."""
    for _ in range(8):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [find_anvil(), "--host", "127.0.0.1", "--port", str(port), "--hardfork", fork, "--quiet"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        with Rpc(f"http://127.0.0.1:{port}", attempts=1) as rpc:
            while process.poll() is None:
                try:
                    rpc.call("eth_blockNumber")
                except UnreachableError:
                    time.sleep(0.05)
                    continue
                time.sleep(0.1)
                if process.poll() is None:
                    return process, port
    raise AssertionError("anvil does not start")


def _fill(rpc):
    accounts = rpc.call("eth_accounts")
    # Creation code of a contract that emits one log with two topics, then keeps a word.
    code = "0x6001602a60006000a260076005556000600020600055" + "00"
    rpc.call("evm_setAutomine", False)
    for sender in accounts[:5]:
        send = {"from": sender, "gas": "0x30000"}
        rpc.call("eth_sendTransaction", {**send, "data": code, "gasPrice": "0x77359400"})
        listed = {"address": accounts[1], "storageKeys": []}
        rpc.call(
            "eth_sendTransaction",
            {**send, "to": accounts[0], "value": "0x1", "accessList": [listed], "gasPrice": "0x77359400"},
        )
        rpc.call(
            "eth_sendTransaction",
            {**send, "data": code, "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"},
        )
    rpc.call("anvil_mine", "0x2", "0x0")


def test_every_header_hashes_to_what_the_node_states(chain):
    fork, rpc = chain
    for number in range(int(rpc.call("eth_blockNumber"), 16) + 1):
        block = rpc.call("eth_getBlockByNumber", hex(number), False)
        header = header_of_json(block)
        assert "0x" + header.hash.hex() == block["hash"]
        assert header.fork == fork
        assert header_of_rlp(header.raw) == header


def test_every_receipts_root_and_bloom_is_rebuilt(chain):
    _, rpc = chain
    seen = 0
    for number in range(int(rpc.call("eth_blockNumber"), 16) + 1):
        header = header_of_json(rpc.call("eth_getBlockByNumber", hex(number), False))
        receipts = [receipt_of_json(one) for one in rpc.call("eth_getBlockReceipts", hex(number))]
        seen += len(receipts)
        assert receipts_root([one.encoded() for one in receipts]) == header.receipts_root
        assert block_bloom(receipts) == header.bloom
        if receipts:
            assert receipts_root([one.encoded() for one in receipts[1:]]) != header.receipts_root
    assert seen >= 5


def test_accounts_and_slots_are_proved_and_so_is_their_absence(chain):
    _, rpc = chain
    number = rpc.call("eth_blockNumber")
    header = header_of_json(rpc.call("eth_getBlockByNumber", number, False))
    reader = NodeReader()
    created = next(
        one["contractAddress"]
        for one in rpc.call("eth_getBlockReceipts", "0x1")
        if one["contractAddress"] is not None
    )
    slots = [bytes(31) + bytes((slot,)) for slot in (0, 5, 6)]
    for address in (created, "0x" + "ee" * 20):
        told = rpc.call("eth_getProof", address, ["0x" + slot.hex() for slot in slots], number)
        account = reader.account(header.state_root, address, list(map(hex_bytes, told["accountProof"])))
        assert account.balance == int(told["balance"], 16)
        if address != created:
            assert account == NO_ACCOUNT
        for slot, one in zip(slots, told["storageProof"], strict=True):
            word = reader.word(account.storage_root, slot, list(map(hex_bytes, one["proof"])))
            held = hex_bytes(rpc.call("eth_getStorageAt", address, "0x" + slot.hex(), number))
            assert word == held.rjust(32, b"\0")


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"blockAccessListHash": "0x" + "11" * 32}, "does not know"),
        ({"stateRoot": None}, "lacks fields"),
        ({"requestsHash": "0x" + "11" * 32}, "lacks fields"),
        ({"baseFeePerGas": "0x1", "withdrawalsRoot": "0x" + "11" * 32, "blobGasUsed": "0x0"}, "lacks fields"),
        ({"stateRoot": "0x" + "11" * 31}, "wrong form"),
        ({"number": "0x" + "11" * 9}, "wrong form"),
        ({"number": "seven"}, "not hexadecimal"),
        ({"number": "0xseven"}, "wrong form"),
        ({"nonce": "0x42"}, "wrong form"),
    ],
)
def test_a_header_that_is_not_understood_whole_stops_the_audit(change, why):
    with pytest.raises(Malformed, match=why):
        header_of_json({**MAINNET_GENESIS, **change})


def test_a_header_encoding_of_a_wrong_form_is_refused():
    items = rlp.decode_list(header_of_json(MAINNET_GENESIS).raw)
    for bad in (items[:14], [*items, b"\1", b"\1" * 32, b""], [[], *items[1:]], [b"\1" * 31, *items[1:]]):
        with pytest.raises(Malformed):
            header_of_rlp(rlp.encode(bad))
    with pytest.raises(Malformed):
        header_of_rlp(rlp.encode([*items[:12], [b"\1"], *items[13:]]))


LOGS = st.lists(
    st.fixed_dictionaries(
        {
            "address": st.binary(min_size=20, max_size=20).map(lambda held: "0x" + held.hex()),
            "topics": st.lists(
                st.binary(min_size=32, max_size=32).map(lambda held: "0x" + held.hex()), max_size=4
            ),
            "data": st.binary(max_size=100).map(lambda held: "0x" + held.hex()),
        }
    ),
    max_size=3,
)
RECEIPTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["0x0", "0x1", "0x2", "0x3", "0x4"]),
            "status": st.sampled_from(["0x0", "0x1"]),
            "cumulativeGasUsed": st.integers(0, 2**40).map(hex),
            "logs": LOGS,
        }
    ),
    max_size=200,
)


@given(RECEIPTS)
@settings(max_examples=40, deadline=None)
def test_receipts_roots_are_those_of_the_reference(told):
    encoded = [receipt_of_json(one).encoded() for one in told]
    held = HexaryTrie({})
    for number, one in enumerate(encoded):
        held[rlp.encode_int(number)] = one
    assert receipts_root(encoded) == held.root_hash


def test_receipts_of_a_wrong_form_are_refused():
    good = {"type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logs": []}
    receipt_of_json(good)
    old = receipt_of_json({"root": "0x" + "11" * 32, "cumulativeGasUsed": "0x5208", "logs": []})
    assert keccak256(old.encoded()) == keccak256(rlp.encode([b"\x11" * 32, b"\x52\x08", bytes(256), []]))
    log = {"address": "0x" + "11" * 20, "topics": [], "data": "0x"}
    for change in (
        {"type": "0x5"},
        {"type": "0x7e"},
        {"status": "0x2"},
        {"status": None},
        {"cumulativeGasUsed": None},
        {"logs": [{**log, "address": "0x11"}]},
        {"logs": [{**log, "topics": ["0x11"]}]},
        {"logs": [{**log, "topics": ["0x" + "11" * 32] * 5}]},
        {"logs": None},
    ):
        with pytest.raises(Malformed):
            receipt_of_json({**good, **change})
