"""The reader's own node, or what pretends to be one: honest against a lying server, and the reverse (P-14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import _forge as forge
import pytest
from _liar import Liar, Refusal
from _lying_server import LyingServer
from test_lying_pages import unverified

from ledger.domain.journal import event_shapes


@pytest.fixture
def liar(stage) -> Iterator[Liar]:
    """A node before the honest one that says what it is told to say."""
    with Liar(stage.node.url) as one:
        yield one


@pytest.fixture
def server(served) -> Iterator[LyingServer]:
    """A server before the honest one that says what it is told to say."""
    with LyingServer(served.url) as one:
        yield one


@pytest.fixture
def proved(visit, stage, server, liar) -> Callable:
    """The holder's page, as the server serves it, verified against the liar."""

    def go():
        # What a browser says of a node that is busy or away is no fault of the page.
        seen = visit(
            f"{server.origin}/holders/{stage.holder}.html",
            origins=[server.origin, liar.url],
            allow=("Failed to load resource", "has been blocked by CORS"),
        )
        return seen, seen.prove(stage.anchor(), liar.url)

    return go


def on(method: str, change: Callable) -> Callable:
    """A lie in the answers to one method."""
    return lambda asked, params, result: change(params, result) if asked == method else result


# ---- the server lies, the node does not


def test_an_honest_node_behind_a_proxy(proved, liar):
    seen, verdict = proved()
    assert verdict == "verified", seen.text("#verdict")
    assert {"eth_getLogs", "eth_getProof", "eth_getBlockByHash"} <= set(liar.seen)


@pytest.mark.parametrize("key", ["/owed", "/earned", "payout/"])
def test_a_server_that_shows_one_unit_more(proved, server, key):
    server.lie = lambda page: forge.with_figure(page, key, forge.bumped)
    seen, verdict = proved()
    assert verdict == "differs"
    (wrong,) = [one for one in seen.figures() if one.state == "differs"]
    assert key in wrong.key
    assert str(int(wrong.value) - 1) in wrong.said
    assert seen.states()["verified"] == len(seen.figures()) - 1


def test_a_server_whose_evidence_lies_is_no_matter_to_the_node(proved, server):
    def change(page: str) -> str:
        lines = forge.bundle_of(page)
        topic = "0x" + event_shapes("Splits")["Credited"].topic.hex()
        entry = forge.entries(lines, "Splits", topic)[0]
        entry[5] = entry[5][:-1] + ("1" if entry[5][-1] == "0" else "0")
        return forge.with_bundle(page, lines)

    server.lie = change
    seen, verdict = proved()
    assert (verdict, set(seen.states())) == ("verified", {"verified"})


def test_a_server_that_hides_the_beginning(proved, server):
    """The page says where the journals begin; entries before it would be missed, which the heads show."""

    def change(page: str) -> str:
        lines = forge.bundle_of(page)
        del lines[1:4]
        return forge.with_bundle(page, lines)

    server.lie = change
    seen, verdict = proved()
    if verdict == "verified":  # a page that says it wrongly may be read from the beginning
        assert set(seen.states()) == {"verified"}
    else:
        unverified(seen)


# ---- the page is honest, the node lies


def without_a_log(params, logs):
    return logs[:5] + logs[6:]


def a_log_twice(params, logs):
    return [*logs, logs[0]]


def with_another_amount(params, logs):
    topic = "0x" + event_shapes("Splits")["Credited"].topic.hex()
    log = next(one for one in logs if one["topics"][0] == topic)
    log["data"] = log["data"][:-1] + ("1" if log["data"][-1] != "1" else "2")
    return logs


def in_another_order(params, logs):
    for one in logs:
        one["blockNumber"] = hex(max(1, int(one["blockNumber"], 16) - 1))
    return logs


def with_another_time(params, logs):
    return [{**one, "blockTimestamp": "0x1"} for one in logs]


def without_times(params, logs):
    return [{name: value for name, value in one.items() if name != "blockTimestamp"} for one in logs]


def no_logs(params, logs):
    return []


def no_list(params, logs):
    return {"logs": logs}


def odd_logs(params, logs):
    return [None, {"address": 1}, *logs]


LOGS = [
    without_a_log,
    a_log_twice,
    with_another_amount,
    in_another_order,
    with_another_time,
    no_logs,
    no_list,
]


@pytest.mark.parametrize("change", LOGS, ids=lambda one: one.__name__)
def test_logs_that_were_altered(proved, liar, change):
    liar.lie = on("eth_getLogs", change)
    seen, verdict = proved()
    assert verdict == "differs"
    unverified(seen)


@pytest.mark.parametrize("change", [without_times, odd_logs], ids=lambda one: one.__name__)
def test_logs_in_an_odd_form_lie_about_nothing(proved, liar, change):
    liar.lie = on("eth_getLogs", change)
    seen, verdict = proved()
    assert verdict == "verified" or change is odd_logs, seen.text("#verdict")
    if verdict != "verified":
        unverified(seen)


def another_node_of_the_trie(params, held):
    last = held["storageProof"][-1]["proof"]
    last[-1] = last[-1][:-2] + ("00" if last[-1][-2:] != "00" else "01")
    return held


def without_proof(params, held):
    return {**held, "accountProof": [], "storageProof": []}


def proof_of_nothing(params, held):
    return None


def no_hex(params, held):
    return {**held, "accountProof": ["zz"]}


PROOFS = [another_node_of_the_trie, without_proof, proof_of_nothing, no_hex]


@pytest.mark.parametrize("change", PROOFS, ids=lambda one: one.__name__)
def test_proofs_that_are_forged(proved, liar, change):
    liar.lie = on("eth_getProof", change)
    seen, verdict = proved()
    assert verdict == "differs"
    unverified(seen)


def test_values_beside_the_proofs_count_for_nothing(proved, liar):
    def change(params, held):
        held["storageProof"] = [{**one, "value": "0x66"} for one in held["storageProof"]]
        return {**held, "codeHash": "0x" + "66" * 32, "storageHash": "0x", "balance": "0x0"}

    liar.lie = on("eth_getProof", change)
    seen, verdict = proved()
    assert (verdict, set(seen.states())) == ("verified", {"verified"})


@pytest.mark.parametrize("field", ["stateRoot", "parentHash", "number", "timestamp", "hash"])
def test_a_header_that_is_forged(proved, liar, field):
    def change(params, block):
        value = block[field]
        return {**block, field: value[:-1] + ("1" if value[-1] != "1" else "2")}

    liar.lie = on("eth_getBlockByHash", change)
    seen, verdict = proved()
    if field == "hash":  # what it calls itself is not read
        assert verdict == "verified"
    else:
        assert verdict == "differs"
        unverified(seen)


def test_a_block_of_an_unknown_fork(proved, liar):
    liar.lie = on(
        "eth_getBlockByHash", lambda params, block: {**block, "blockAccessListHash": "0x" + "11" * 32}
    )
    seen, verdict = proved()
    if verdict == "verified":
        pytest.fail("a header with a field that nobody knows was hashed without it")
    unverified(seen)


def test_a_node_that_is_behind(proved, liar):
    """A stale head: the block of the hash is not there yet."""
    liar.lie = on("eth_getBlockByHash", lambda params, block: None)
    seen, verdict = proved()
    assert verdict == "differs"
    unverified(seen)
    assert "behind" in seen.text("#verdict")


def test_a_node_that_answers_with_an_older_block(proved, liar, stage):
    older = stage.rpc.call("eth_getBlockByNumber", "0x1e", False)
    liar.lie = on("eth_getBlockByHash", lambda params, block: older)
    seen, verdict = proved()
    assert verdict == "differs"
    unverified(seen)


def test_a_node_of_another_chain(proved, liar):
    liar.lie = on("eth_chainId", lambda params, result: "0x1")
    seen, verdict = proved()
    assert verdict == "differs"
    unverified(seen)


def test_a_node_without_logs(proved, liar):
    def lie(method, params, result):
        if method == "eth_getLogs":
            raise Refusal("method not found", -32601)
        return result

    liar.lie = lie
    seen, verdict = proved()
    assert verdict == "unreachable"
    unverified(seen)
    assert "eth_getLogs" in seen.text("#verdict")
    assert "method not found" in seen.text("#verdict")


def test_a_node_with_narrow_limits(proved, liar):
    def lie(method, params, result):
        if method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) > 20:
            raise Refusal("query exceeds the range of 20 blocks")
        if method == "eth_getProof" and len(params[1]) > 7:
            raise Refusal("too many keys")
        return result

    liar.lie = lie
    seen, verdict = proved()
    assert verdict == "verified", seen.text("#verdict")


# ---- the node fails


@pytest.mark.parametrize(
    "faults",
    [["busy"], ["busy", "busy", "", "busy"], ["", "", "busy"], ["", "", "", "drop"], ["", "half"]],
    ids=str,
)
def test_a_node_that_fails_now_and_then_is_asked_again(proved, liar, faults):
    liar.faults = list(faults)
    seen, verdict = proved()
    assert verdict == "verified", seen.text("#verdict")
    assert not liar.faults


@pytest.mark.parametrize("fault", ["busy", "garbage", "half", "drop"])
def test_a_node_that_goes_on_failing_is_given_up(proved, liar, fault):
    liar.faults = [fault] * 10_000
    seen, verdict = proved()
    assert verdict == "unreachable"
    unverified(seen)
    assert liar.url in seen.text("#verdict") or "node" in seen.text("#verdict")


def test_nobody_is_there(proved, liar, monkeypatch):
    with Liar(liar.url) as gone:
        url = gone.url
    monkeypatch.setattr(liar, "url", url)
    seen, verdict = proved()
    assert verdict == "unreachable"
    unverified(seen)
    assert "does not answer" in seen.text("#verdict")
