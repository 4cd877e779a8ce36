"""Work done ahead: in order, one at a time, faults in their place; the reader of logs uses it."""

from __future__ import annotations

import threading
import time

import pytest

from ledger.chain.ahead import Ahead, one_ahead
from ledger.chain.reader import Reader
from ledger.chain.rpc import RpcError


def test_the_next_task_runs_while_an_outcome_is_used():
    begun = [threading.Event() for _ in range(3)]

    def work(task):
        begun[task].set()
        return task * 10

    outcomes = one_ahead(work, range(3))
    assert next(outcomes) == (0, 0)
    # Nobody has asked for the second outcome yet.
    assert begun[1].wait(30)
    assert not begun[2].is_set()
    assert list(outcomes) == [(1, 10), (2, 20)]


def test_two_tasks_never_run_at_once():
    alone = threading.Lock()

    def work(task):
        assert alone.acquire(blocking=False)
        time.sleep(0.001)
        alone.release()
        return task

    assert list(one_ahead(work, range(50))) == [(one, one) for one in range(50)]


def test_a_fault_stands_in_the_place_of_its_task():
    def work(task):
        if task == 2:
            raise ValueError("the third")
        return task

    outcomes = one_ahead(work, range(5))
    assert [next(outcomes), next(outcomes)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="the third"):
        next(outcomes)


def test_no_task_and_an_abandoned_one():
    assert list(one_ahead(str, [])) == []
    with pytest.raises(KeyError):
        Ahead(lambda: {}["missing"]).result()
    held = threading.Event()
    Ahead(held.wait)  # nobody waits for it
    held.set()


class Node:
    """Serves a log a block out of order, refuses more than three blocks at once, and block 7 altogether."""

    shown = "a node"

    def __init__(self, bad=7):
        self.bad = bad
        self.asked = []

    def call(self, method, *params):
        if method == "eth_blockNumber":
            return "0x14"
        (where,) = params
        first, last = int(where["fromBlock"], 16), int(where["toBlock"], 16)
        self.asked.append((first, last))
        if last - first >= 3 or first <= self.bad <= last:
            raise RpcError(method, -32000, "no")
        return [log(block) for block in range(last, first - 1, -1)]

    def batch(self, calls):
        return [{"timestamp": hex(1_000 + int(params[0], 16))} for _, params in calls]


def log(block):
    return {
        "address": "0x" + "AB" * 20,
        "blockNumber": hex(block),
        "blockHash": "0x" + "01" * 32,
        "transactionHash": "0x" + "02" * 32,
        "logIndex": hex(block % 3),
        "topics": ["0x" + "03" * 32] * 2,
        "data": "0x" + "04" * block,
    }


def test_the_reader_keeps_the_order_and_the_times():
    heard = []
    logs = list(Reader(Node(bad=99)).logs(["0x" + "ab" * 20], 1, 10, progress=heard.append))
    assert [one.block_number for one in logs] == list(range(1, 11))
    assert [one.timestamp for one in logs] == [1_000 + one for one in range(1, 11)]
    assert logs[4].address == "0x" + "ab" * 20
    assert logs[4].topics == (b"\3" * 32,) * 2
    assert logs[4].data == b"\4" * 5
    assert heard[-1] == 10
    assert heard == sorted(heard)


def test_the_reader_gives_what_comes_before_a_fault():
    heard = []
    logs = Reader(Node()).logs(["0x" + "ab" * 20], 1, 10, progress=heard.append)
    assert [next(logs).block_number for _ in range(6)] == list(range(1, 7))
    with pytest.raises(RpcError):
        next(logs)
    assert heard[-1] == 6


def test_the_reader_asks_for_nothing_where_there_are_no_blocks():
    node = Node()
    assert list(Reader(node).logs(["0x" + "ab" * 20], 5, 4)) == []
    assert node.asked == []


def test_a_fault_among_the_tasks_comes_after_what_was_begun():
    def tasks():
        yield from range(3)
        raise ValueError("no fourth")

    outcomes = one_ahead(str, tasks())
    assert [next(outcomes) for _ in range(3)] == [(0, "0"), (1, "1"), (2, "2")]
    with pytest.raises(ValueError, match="no fourth"):
        next(outcomes)


def test_empty_blocks_do_not_make_the_reader_ask_for_too_many_full_ones():
    """After a hundred empty blocks an answer holds the logs of at most a fifth as many."""

    class Filling(Node):
        def call(self, method, *params):
            (where,) = params
            first, last = int(where["fromBlock"], 16), int(where["toBlock"], 16)
            self.asked.append((first, last))
            return [log(block) for block in range(max(first, 101), last + 1) for _ in range(900)]

    node = Filling()
    many = sum(1 for _ in Reader(node, first_span=2).logs(["0x" + "ab" * 20], 0, 160))
    assert many == 60 * 900
    assert max(last - max(first, 101) + 1 for first, last in node.asked) <= 20
    # It still comes to wide spans in few steps.
    node.asked.clear()
    assert list(Reader(node, first_span=2).logs(["0x" + "ab" * 20], -1_000_000, 100)) == []
    assert len(node.asked) < 120
