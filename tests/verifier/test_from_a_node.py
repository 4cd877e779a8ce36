"""P-14: the verifier in Node reads a node of the reader's choice; whatever that node lies about is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _liar import Liar, Refusal
from _scene import Scene

from ledger.chain.node import LocalNode

RUNNER = Path(__file__).with_name("run_node.mjs")
Verdict = dict[str, Any]


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Iterator[Scene]:
    with LocalNode.start(genesis_time=1_704_067_200) as node:
        yield Scene(node, tmp_path_factory.mktemp("scene"))


@pytest.fixture
def liar(scene) -> Iterator[Liar]:
    with Liar(scene.node.url) as one:
        yield one


@pytest.fixture
def judge(built, node, scene) -> Callable[..., Verdict]:
    def go(url: str, anchor: str = "", first: int = 0) -> Verdict:
        ran = node(RUNNER, built / "verifier.mjs", url, anchor or scene.anchor(), scene.holder, first)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return go


def test_p14_an_honest_node_is_verified(scene, judge):
    verdict = judge(scene.node.url)
    assert verdict["findings"] == []
    assert (verdict["ok"], verdict["anchored"]) == (True, True)
    found = scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", scene.holder)["holdings"]
    for one in found:
        leaf = f"leaf/{one['split']}/{one['token'].lower()}/{one['leaf']}"
        assert verdict["figures"][f"{leaf}/earned"] == one["entitled"]
        assert verdict["figures"][f"{leaf}/owed"] == one["owed"]


def test_an_older_block_is_verified_as_it_was(scene, judge):
    old = scene.rpc.call("eth_getBlockByNumber", hex(int(scene.rpc.call("eth_blockNumber"), 16) - 6), False)
    verdict = judge(scene.node.url, old["hash"])
    assert (verdict["ok"], verdict["block"]) == (True, int(old["number"], 16))


def _logs(change: Callable[[list[Any]], list[Any]]) -> Callable[[str, list[Any], Any], Any]:
    return lambda method, params, result: change(result) if method == "eth_getLogs" and result else result


def _changed(logs: list[Any], **fields: str) -> list[Any]:
    return [*logs[:-1], {**logs[-1], **fields}]


def _digit(text: str) -> str:
    return text[:-1] + ("1" if text[-1] != "1" else "2")


LOGS = {
    "drops an entry": lambda logs: logs[:-1],
    "drops all": lambda logs: [],
    "invents an entry": lambda logs: [*logs, {**logs[-1], "logIndex": "0xff"}],
    "changes an amount": lambda logs: _changed(logs, data=_digit(logs[-1]["data"])),
    "changes a place": lambda logs: _changed(logs, blockNumber=hex(int(logs[-1]["blockNumber"], 16) - 1)),
    "changes a time": lambda logs: _changed(logs, blockTimestamp="0x1"),
    "changes a topic": lambda logs: _changed(logs, topics=[logs[-1]["topics"][0], "0x" + "66" * 32]),
    "calls an entry removed": lambda logs: _changed(logs, removed=True),
}


@pytest.mark.parametrize("name", LOGS)
def test_p14_lies_about_entries_are_found(name, liar, judge):
    liar.lie = _logs(LOGS[name])
    verdict = judge(liar.url)
    assert not verdict["ok"]
    assert {one["kind"] for one in verdict["findings"]} <= {"journal", "replay", "node"}
    assert verdict["figures"] == {}


def _block(change: dict[str, Any]) -> Callable[[str, list[Any], Any], Any]:
    def lie(method: str, params: list[Any], result: Any) -> Any:
        return {**result, **change} if method == "eth_getBlockByHash" and result else result

    return lie


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"stateRoot": "0x" + "66" * 32}, "forged"),
        ({"timestamp": "0x1"}, "forged"),
        ({"somethingNew": "0x1"}, "does not know"),
        ({"requestsHash": None, "withdrawalsRoot": None}, "lacks fields"),
        ({"number": "0x1", "miner": "0x12"}, "wrong length"),
    ],
)
def test_p14_forged_headers_are_found(change, told, liar, judge):
    liar.lie = _block(change)
    verdict = judge(liar.url)
    assert not verdict["ok"]
    assert told in verdict["findings"][0]["what"]


def test_p14_forged_proofs_are_found(liar, judge):
    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getProof" and len(params[1]) > 1:
            result["storageProof"][0]["proof"] = result["storageProof"][1]["proof"]
        return result

    liar.lie = lie
    verdict = judge(liar.url)
    assert "proof" in {one["kind"] for one in verdict["findings"]}
    assert any("missing" in one["what"] for one in verdict["findings"])


def test_another_chain_and_an_unknown_block(liar, judge):
    liar.lie = lambda method, params, result: "0x1" if method == "eth_chainId" else result
    assert {one["kind"] for one in judge(liar.url)["findings"]} == {"code"}
    liar.lie = None
    verdict = judge(liar.url, "0x" + "66" * 32)
    assert "no such block" in verdict["findings"][0]["what"]


def test_a_node_with_small_answers_is_read_in_parts(liar, judge):
    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) > 5:
            raise Refusal("too many blocks")
        if method == "eth_getProof" and len(params[1]) > 3:
            raise Refusal("too many keys")
        if method == "eth_getLogs":
            for log in result:
                log.pop("blockTimestamp", None)
        return result

    liar.lie = lie
    verdict = judge(liar.url)
    assert (verdict["ok"], verdict["findings"]) == (True, [])


@pytest.mark.parametrize("fault", ["busy", "drop", "garbage", "half"])
def test_a_node_that_fails_now_and_then_is_asked_again(fault, liar, judge):
    liar.faults = [fault] * 3
    verdict = judge(liar.url)
    assert (verdict["ok"], verdict["findings"]) == (True, [])


@pytest.mark.parametrize(
    ("fault", "told"), [("busy", "status 429"), ("drop", "cannot be reached"), ("half", "cut off")]
)
def test_a_node_that_fails_is_said_to_fail(fault, told, liar, judge):
    liar.faults = [fault] * 50
    verdict = judge(liar.url)
    assert (verdict["ok"], verdict["findings"][0]["kind"]) == (False, "node")
    assert told in verdict["findings"][0]["what"]


def test_a_wrong_first_block_deceives_nobody(scene, judge):
    verdict = judge(scene.node.url, first=20)
    assert {one["kind"] for one in verdict["findings"]} == {"journal", "replay"}
