"""The JSON-RPC client against a node behind a server that misbehaves."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from flaky import FlakyNode

from ledger.chain.contracts import Ledger
from ledger.chain.keys import dev_signer
from ledger.chain.rpc import Rpc, RpcError
from ledger.chain.sender import Sender
from ledger.domain.errors import ExitCode, LedgerError, UnreachableError


@pytest.fixture
def flaky(session_node):
    with FlakyNode(session_node.url) as held:
        yield held


@pytest.fixture
def patient(flaky):
    with Rpc(flaky.url, wait=0.01) as rpc:
        yield rpc


@pytest.mark.parametrize("fault", ["drop", "swallow", "busy"])
def test_reads_are_repeated(flaky, patient, fault):
    flaky.faults[:] = [fault, fault]
    assert patient.call("eth_chainId") == "0x7a69"
    assert flaky.seen.count("eth_chainId") == 3


def test_what_changes_the_chain_by_itself_is_not_repeated(flaky, patient):
    flaky.faults[:] = ["swallow"]
    with pytest.raises(UnreachableError):
        patient.call("evm_mine")
    assert flaky.seen.count("evm_mine") == 1


@pytest.mark.parametrize("fault", ["shuffle", "omit"])
def test_answers_of_a_batch_find_their_calls(flaky, patient, fault):
    flaky.faults[:] = [fault]
    block, chain, client = patient.batch(
        [("eth_getBlockByNumber", ("0x0", False)), ("eth_chainId", ()), ("web3_clientVersion", ())]
    )
    assert (block["number"], chain, client[:6]) == ("0x0", "0x7a69", "anvil/")


def test_a_refused_call_keeps_its_place(patient):
    good, bad, after = patient.batch([("eth_chainId", ()), ("no_such", ()), ("eth_chainId", ())])
    assert good == after == "0x7a69"
    assert isinstance(bad, RpcError)
    with pytest.raises(RpcError, match="no_such"):
        patient.call("no_such")


def test_large_batches_are_cut(flaky, patient):
    flaky.seen.clear()
    assert patient.batch([("eth_chainId", ())] * 700) == ["0x7a69"] * 700
    big = ["0x" + "ab" * 400_000] * 4
    assert len(patient.batch([("web3_sha3", (one,)) for one in big])) == 4


def test_no_json_is_no_node(flaky, patient):
    flaky.faults[:] = ["garbage"]
    with pytest.raises(UnreachableError, match="no JSON-RPC"):
        patient.call("eth_chainId")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"id":[1],"result":"0x1"}', ""),
        (b'[{"id":{},"result":"0x1"},7,null]', ""),
        (b'[null,"x"]', "left the call out"),
        (b'{"id":0,"error":{"code":"abc","message":7}}', "7"),
        (b'{"id":0,"error":{"code":null}}', "no reason given"),
        (b'{"id":0,"error":"away"}', "away"),
    ],
)
def test_answers_with_odd_ids_and_codes_break_nothing(monkeypatch, answer, error):
    with Rpc("http://127.0.0.1:1", attempts=1) as rpc:
        monkeypatch.setattr(rpc, "_post", lambda content: (httpx.Response(200), answer))
        if not error:
            assert rpc.call("eth_x") == "0x1"
            return
        with pytest.raises(RpcError, match=error):
            rpc.call("eth_x")


def test_nobody_there():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        Rpc(f"http://user:secret@127.0.0.1:{port}/key", attempts=2, wait=0.01) as rpc,
        pytest.raises(UnreachableError, match="does not answer") as gone,
    ):
        rpc.call("eth_chainId")
    assert gone.value.exit_code == ExitCode.UNREACHABLE
    assert "secret" not in str(gone.value)
    assert "key" not in str(gone.value).replace("key new", "")


def test_another_chain_stops(session_node):
    with pytest.raises(UnreachableError, match="chain 31337, but chain 1"):
        Rpc.connect(session_node.url, 1)
    with Rpc.connect(session_node.url, 31337) as rpc:
        assert rpc.is_local
        assert rpc.genesis != bytes(32)


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("eth_chainId", None),
        ("eth_chainId", "0x"),
        ("eth_chainId", {}),
        ("eth_getBlockByNumber", "0x1"),
        ("eth_getBlockByNumber", {}),
        ("eth_getBlockByNumber", None),
        ("eth_getLogs", None),
        ("eth_getLogs", {}),
        ("eth_getLogs", [{}]),
        ("eth_getCode", None),
        ("eth_call", None),
        ("eth_call", "0xzz"),
        ("eth_call", 5),
        ("eth_getTransactionCount", None),
        ("eth_getBalance", None),
        ("eth_maxPriorityFeePerGas", None),
        ("eth_simulateV1", None),
        ("eth_simulateV1", [{}]),
    ],
)
def test_nonsense_of_a_node_is_told_as_such(flaky, ledger, dollar, tmp_path, method, result):
    flaky.results[method] = result
    with pytest.raises(UnreachableError, match="answer makes no sense") as told:
        _read_and_send(flaky.url, ledger, dollar, tmp_path)
    assert told.value.exit_code == ExitCode.UNREACHABLE
    assert told.value.why
    assert "--rpc" in told.value.remedy


def _read_and_send(url, ledger, dollar, folder):
    with Rpc(url, wait=0.01) as rpc:
        reader = Ledger(rpc).reader
        rpc.block()
        rpc.eth_call(dollar.address, bytes.fromhex("313ce567"))  # decimals()
        list(reader.logs([ledger.splits.address], 0, 1))
        with Sender(rpc, dev_signer(8), folder) as sender:
            sender.send_one(replace(dollar.mint(sender.address, 1), gas=None))


def test_what_the_node_itself_refuses_has_a_remedy(patient):
    with pytest.raises(RpcError, match="refused no_such") as told:
        patient.call("no_such")
    assert (told.value.exit_code, "--rpc" in told.value.remedy) == (ExitCode.UNREACHABLE, True)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8545", "ftp://x", "ws://127.0.0.1:1", "http://", "http://[::1", "http://x:99999"]
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(LedgerError, match="not usable"):
        Rpc(url)


def test_a_revert_comes_as_its_sentence(rpc, ledger):
    with pytest.raises(LedgerError, match="no catalogue 77"):
        ledger.catalogues.view("ownerOf", 77)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_web3_reaches_the_same_node(rpc):
    assert rpc.web3.eth.chain_id == 31337


def test_threads_wait_for_each_other(patient):
    calls = [("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False)), ("web3_clientVersion", ())] * 8
    alone = [patient.call(method, *params) for method, params in calls[:3]]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda one: patient.call(one[0], *one[1]), calls)) == alone * 8


def test_plain_http_trusts_no_authority_and_https_the_usual_ones():
    with Rpc("http://127.0.0.1:1") as plain, Rpc("https://127.0.0.1:1") as safe:
        assert authorities(plain) == 0
        assert authorities(safe) > 0


def authorities(rpc):
    context = rpc._http._transport._pool._ssl_context
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    return context.cert_store_stats()["x509_ca"]
