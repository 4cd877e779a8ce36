"""The watch: blocks verified upon the last, replaced blocks, a node that goes and comes, lies told at once: P-14."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from _liar import Liar
from _scene import Scene
from _verified_history import Shelf, go_on, report
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from test_audit_command import HELD

from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.verified.run import StoredAudit
from ledger.audit.watch import Until, Watch, stopped
from ledger.chain.deploy import plan
from ledger.chain.node import LocalNode
from ledger.chain.rpc import Rpc
from ledger.cli import main
from ledger.domain.errors import LedgerError

REGISTRY = Registry().with_resources((name, Resource.from_contents(held)) for name, held in HELD.items())


class Follower:
    """A watch whose waits are moments at which the test does something; it ends when there is nothing more to do."""

    def __init__(self, shelf: Shelf, rpc: Rpc, *moments: Callable[[], object], **until: object) -> None:
        self.moments, self.waits = list(moments), []
        self._store = shelf.store()
        audits = StoredAudit(self._store, NodeSource(rpc), plan())
        self.watch = Watch(audits, Wanted(), rpc.genesis, 0.01, Until(**until), self.rest)
        self.seen = []
        with contextlib.suppress(EOFError):
            self.seen += self.follow()
        self._store.close()

    def follow(self):
        for one in self.watch.events():
            self.seen.append(one)
        return []

    def rest(self, seconds: float) -> None:
        self.waits.append(seconds)
        if not self.moments:
            raise EOFError
        self.moments.pop(0)()

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.seen]


@pytest.fixture
def shelf(scene, tmp_path) -> Shelf:
    return Shelf(tmp_path / "history.store", scene.rpc)


def mine(scene, many: int) -> None:
    scene.rpc.call("anvil_mine", hex(many))


def number(scene) -> int:
    return int(scene.rpc.call("eth_blockNumber"), 16)


def test_each_new_block_is_verified_upon_the_one_before(scene, shelf):
    began = number(scene)
    followed = Follower(shelf, scene.rpc, lambda: go_on(scene), lambda: None, lambda: mine(scene, 3))
    assert set(followed.kinds) == {"verified"}
    blocks = [one.block for one in followed.seen]
    assert blocks == list(range(began, number(scene) + 1))
    assert sum(one.new for one in followed.seen) == followed.seen[-1].entries
    # Nothing was asked for between two looks at an idle chain.
    assert followed.waits == [0.01] * 4
    assert stopped(followed.watch).what.endswith(f"the newest {number(scene)}")


def test_one_that_is_far_behind_leaps_to_the_newest(scene, shelf):
    began = number(scene)
    followed = Follower(shelf, scene.rpc, lambda: mine(scene, 40))
    assert [one.block for one in followed.seen] == [began, began + 40]


def test_it_goes_on_where_the_last_watch_ended(scene, shelf):
    Follower(shelf, scene.rpc)
    go_on(scene)
    (seen,) = Follower(shelf, scene.rpc, once=True).seen
    assert (seen.kind, seen.block, 0 < seen.new < seen.entries) == ("verified", number(scene), True)


def test_replaced_blocks_are_told_and_verified_again(scene, shelf):
    """The chain is set back twice: to a block that is kept, by a longer chain and by a shorter one."""
    mark: list[str] = []

    def set_back(blocks: int) -> None:
        assert scene.rpc.call("evm_revert", mark.pop())
        mark.append(scene.rpc.call("evm_snapshot"))
        if blocks:
            # Not go_on's day: blocks of one time with the same transactions in them would be the same blocks.
            scene.after("2024-07-03")
            report(scene, 5_000_000)
            mine(scene, blocks)

    def begin() -> None:
        mark.append(scene.rpc.call("evm_snapshot"))
        go_on(scene)

    kept = number(scene)
    followed = Follower(shelf, scene.rpc, begin, lambda: set_back(9), lambda: set_back(0))
    told = [one for one in followed.seen if one.kind == "replaced"]
    assert [f"verified again from block {kept}" in one.what for one in told] == [True, True]
    assert "failed" not in followed.kinds
    assert (followed.seen[-1].kind, followed.seen[-1].block) == ("verified", kept)
    assert not followed.watch.failing


def test_a_lie_is_told_at_once_and_its_end_too(scene, shelf, court):
    def lie() -> None:
        go_on(scene)
        court.replace(court.find("Booked", -1))

    def truth() -> None:
        court.liar.lie = None

    followed = Follower(shelf, court.rpc, lie, lambda: None, lambda: mine(scene, 1), truth)
    failed = [one for one in followed.seen if one.kind == "failed"]
    told = [(one.check, one.where) for seen in failed for one in seen.findings]
    assert len(told) == len(set(told))  # the same finding is told once
    assert "journal" in {one.check for one in failed[0].findings}
    assert followed.kinds[-1] == "verified"
    assert (followed.watch.failures, followed.watch.failing) == (1, False)
    assert "was right again later" in stopped(followed.watch).what


def test_it_ends_at_the_first_lie_where_that_is_wished(scene, shelf, court):
    def lie() -> None:
        mine(scene, 1)
        court.swap_logs(lambda one: (one, one))
        go_on(scene)

    followed = Follower(shelf, court.rpc, lie, lambda: mine(scene, 5), on_fail=True)
    assert followed.kinds[-1] == "failed"
    assert len(followed.moments) == 1
    assert followed.watch.failing


def test_busy_nodes_and_half_answers_are_survived(scene, shelf, court):
    def trouble() -> None:
        go_on(scene)
        court.liar.faults += ["busy", "drop", "half", "busy", "half", "drop", "half"]

    def garbage() -> None:
        mine(scene, 1)
        court.liar.faults += ["garbage"] * 3

    followed = Follower(shelf, court.rpc, trouble, garbage, *[lambda: None] * 12)
    assert "failed" not in followed.kinds
    assert (followed.seen[-1].kind, followed.seen[-1].block) == ("verified", number(scene))
    assert {"waiting", "back"} <= set(followed.kinds)
    assert court.liar.faults == []


def test_a_node_that_restarts_is_waited_for(tmp_path, monkeypatch):
    """The node ends while it is watched, is gone for a while, and comes back with its chain."""
    monkeypatch.setenv("LICENCE_LEDGER_HOME", str(tmp_path / "home"))
    folder = tmp_path / "chain"
    node = LocalNode.start(folder, genesis_time=1_704_067_200)
    try:
        Scene(node, tmp_path)
        # The node comes back at another port; the liar, who tells the truth, stays where it is.
        with Liar(node.url) as liar, Rpc(liar.url, attempts=2, wait=0.01) as rpc:

            def restart() -> None:
                nonlocal node
                node = LocalNode.start(folder)
                node.rpc.call("anvil_mine", "0x2")
                liar.target = node.url

            shelf = Shelf(tmp_path / "history.store", rpc)
            followed = Follower(shelf, rpc, node.stop, lambda: None, lambda: None, restart)
        assert followed.kinds[0] == "verified"
        assert followed.kinds[1:3] == ["waiting", "back"]
        assert set(followed.kinds[3:]) == {"verified"}
        assert followed.waits[1:4] == sorted(followed.waits[1:4])
        assert followed.waits[2] >= 1
    finally:
        node.stop()


def test_a_node_that_comes_back_with_another_chain_ends_it(scene, shelf, court):
    def away() -> None:
        court.liar.faults += ["garbage"]

    def another() -> None:
        def lie(method, params, result):
            if method == "eth_getBlockByNumber" and params[0] == "0x0":
                return court.liar.ask(method, "0x1", False)
            return result

        court.liar.lie = lie

    with pytest.raises(LedgerError, match="another chain"):
        watch_until(court, shelf, away, another)


def watch_until(court, shelf: Shelf, *moments: Callable[[], object]) -> None:
    """The same, where the end is an error that no waiting mends."""
    left = list(moments)

    def rest(seconds: float) -> None:
        if not left:
            raise AssertionError("it should have ended")
        left.pop(0)()

    with shelf.store() as store:
        audits = StoredAudit(store, NodeSource(court.rpc), plan())
        for _ in Watch(audits, Wanted(), court.rpc.genesis, 0.01, Until(), rest).events():
            pass


# ---- the command


def lines(scene, *arguments: object, rpc: str = "") -> tuple[int, list[dict]]:
    """The watch as a command with --json: exit code and its envelopes, each checked against the schema."""
    out = io.StringIO()
    home = str(scene.folder / "home")
    line = ["audit", "watch", *map(str, arguments), "--rpc", rpc or scene.node.url, "--home", home, "--json"]
    with contextlib.redirect_stdout(out):
        code = main(line)
    held = [json.loads(one) for one in out.getvalue().splitlines()]
    for one in held:
        Draft202012Validator(HELD["envelope.json"], registry=REGISTRY).validate(one)
        if one["ok"]:
            Draft202012Validator(HELD["audit.watch.json"], registry=REGISTRY).validate(one["data"])
    return code, held


def test_the_command_prints_a_line_for_each_block_and_a_summary(scene, tmp_path, capsys):
    code, told = lines(scene, "--store", tmp_path / "a.store", "--once")
    assert (code, [one["data"]["kind"] for one in told]) == (0, ["verified", "stopped"])
    assert told[0]["data"]["block_hash"] == scene.anchor()
    code, told = lines(scene, "--store", tmp_path / "a.store", "--for", 0.2, "--interval", 0.05)
    assert (code, told[-1]["data"]["kind"]) == (0, "stopped")
    mine(scene, 2)
    code, told = lines(scene, "--store", tmp_path / "a.store", "--until-block", number(scene))
    assert (code, told[-2]["data"]["block"]) == (0, number(scene))
    home = str(scene.folder / "home")
    line = ["audit", "watch", "--once", "--fresh", "--store", str(tmp_path / "a.store")]
    assert main([*line, "--rpc", scene.node.url, "--home", home]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"PASS  block {number(scene)} (0x")
    assert "NOTE  stopped: 1 block verified" in shown


def test_the_command_ends_with_code_4_where_something_was_wrong(scene, tmp_path, court):
    lines(scene, "--store", tmp_path / "a.store", "--once")
    go_on(scene)
    court.replace(court.find("Booked", -1))
    code, told = lines(scene, "--store", tmp_path / "a.store", "--stop-on-fail", rpc=court.liar.url)
    assert (code, told[-1]["error"]["kind"]) == (4, "WatchFailed")
    (failed,) = [one["data"] for one in told[:-1] if one["data"]["kind"] == "failed"]
    assert failed["findings"][0]["check"] == "journal"


#: A shell that runs the tests in its background hands down that Ctrl-C is to be ignored.
HEARS_CTRL_C = """
import signal, sys
from ledger.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_ends_it_cleanly_with_a_summary(scene, tmp_path):
    command = [sys.executable, "-c", HEARS_CTRL_C, "audit", "watch", "--interval", "0.05"]
    command += ["--rpc", scene.node.url, "--home", str(scene.folder / "home"), "--store", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            first = running.stdout.readline()
            os.kill(running.pid, signal.SIGINT)
            rest, said = running.communicate(timeout=60)
        finally:
            running.kill()
    assert first.startswith("PASS  block")
    assert "NOTE  stopped: 1 block verified" in rest
    assert running.returncode == 0, said
    assert "Error" not in said
