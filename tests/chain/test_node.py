"""The managed anvil: state, clock, ports, crashes, and nobody left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.chain import anvil
from ledger.chain.answers import hex_int
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode, NodeFile, node_status
from ledger.chain.sender import Request, Sender
from ledger.domain.errors import LedgerError, UnreachableError

GENESIS = 1_704_067_200
DAY = 86_400


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def wait_for(true, seconds=10):
    limit = time.monotonic() + seconds
    while not true() and time.monotonic() < limit:
        time.sleep(0.02)
    return true()


def head(node):
    return node.rpc.call("eth_getBlockByNumber", "latest", False)


def test_it_restarts_where_it_was_with_its_clock(tmp_path):
    folder = tmp_path / "chain"
    with LocalNode.start(folder, genesis_time=GENESIS) as node:
        assert abs(node.now() - GENESIS) < 30
        node.advance(400 * DAY)
        with Sender(node.rpc, dev_signer(0), tmp_path) as sender:
            done = sender.send_one(Request("pay", "0x" + "11" * 20, b"", value=7, gas=21_000))
        before, was = head(node), node.now()
    status = node_status(folder)
    assert (status.state, status.chain_id) == ("stopped", 31337)
    assert not alive(node.pid)
    with LocalNode.start(folder) as again:
        assert head(again)["hash"] == before["hash"]
        assert 0 <= again.now() - was < 30
        assert hex_int(again.rpc.call("eth_getBalance", "0x" + "11" * 20, "latest")) == 7
        assert again.rpc.call("eth_getTransactionReceipt", "0x" + done.hash.hex())["blockHash"]
        again.rpc.call("evm_mine")
        assert hex_int(head(again)["timestamp"]) >= hex_int(before["timestamp"])
        assert not again.recovered


def test_after_a_crash_no_block_is_older_than_the_head(tmp_path):
    folder = tmp_path / "chain"
    LocalNode.start(folder, genesis_time=GENESIS).stop()
    node = LocalNode.start(folder, state_interval=1)
    node.rpc.call("evm_setTime", GENESIS + 900 * DAY)  # behind the manager's back
    node.rpc.call("evm_mine")
    number = head(node)["number"]
    state = folder / "state.json"
    dumped = state.stat().st_mtime_ns
    assert wait_for(lambda: state.stat().st_mtime_ns > dumped + 10**9, 15)
    node.kill()
    assert node_status(folder).state == "crashed"
    with LocalNode.start(folder) as again:
        assert again.recovered
        assert head(again)["number"] == number
        again.rpc.call("evm_mine")
        assert hex_int(head(again)["timestamp"]) >= GENESIS + 900 * DAY


@pytest.mark.parametrize("genesis", [GENESIS, None])
def test_killed_before_the_first_dump_it_begins_with_the_same_block_and_gets_the_same_bytes(
    tmp_path, genesis
):
    folder = tmp_path / "chain"
    node = LocalNode.start(folder, genesis_time=genesis, state_interval=3_600)
    node.advance(400 * DAY)
    gift = Request("pay", "0x" + "11" * 20, b"", value=7, gas=21_000)
    with Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        done = sender.send_one(gift)
        first = sender.rpc.genesis
    was = node.now()
    node.kill()
    assert not (folder / "state.json").exists()
    with LocalNode.start(folder) as again:
        assert again.recovered
        assert again.rpc.genesis == first
        assert again.now() >= was
        with Sender(again.rpc, dev_signer(0), tmp_path) as sender:
            assert sender.send_one(gift).hash == done.hash
        assert hex_int(again.rpc.call("eth_getBalance", "0x" + "11" * 20, "latest")) == 7
        assert hex_int(head(again)["timestamp"]) >= was


def test_state_cut_short_by_a_kill_falls_back_to_the_last_clean_stop(tmp_path):
    folder = tmp_path / "chain"
    with LocalNode.start(folder, genesis_time=GENESIS) as node:
        node.advance(DAY)
        number = head(node)["number"]
    whole = (folder / "state.json").read_bytes()
    (folder / "state.json").write_bytes(whole[: len(whole) // 2])
    with LocalNode.start(folder) as again:
        assert head(again)["number"] == number


def test_a_running_node_is_found_and_stopped_from_elsewhere(tmp_path):
    folder = tmp_path / "chain"
    first = LocalNode.start(folder)
    try:
        second = LocalNode.start(folder)
        assert second.pid == first.pid
        status = node_status(folder)
        assert (status.state, status.pid, status.url, status.block) == ("running", first.pid, first.url, 0)
        third = LocalNode.attach(folder)
        third.advance(DAY)
        third.detach()
        LocalNode.attach(folder).stop()
        first._process.wait(5)
        assert node_status(folder).state == "stopped"
    finally:
        first.stop()


def test_attach_and_stop_without_a_node(tmp_path):
    assert node_status(tmp_path).state == "none"
    with pytest.raises(UnreachableError, match="No local chain"):
        LocalNode.attach(tmp_path)


def test_a_stale_pid_is_never_signalled(tmp_path):
    folder = tmp_path / "chain"
    LocalNode.start(folder).stop()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "anvil --port 1"])
    try:
        held = NodeFile.read(folder)
        stale = NodeFile(bystander.pid, 1, held.chain_id, 0, running=True)
        stale.write(folder)
        assert node_status(folder).state == "crashed"
        LocalNode(folder, stale, None, temporary=False).stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_background_node_outlives_us_and_a_foreground_one_does_not(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from ledger.chain.node import LocalNode\n"
        "held = [LocalNode.start(Path(sys.argv[1]) / str(b), background=bool(b)) for b in (0, 1)]\n"
        "print(*(one.pid for one in held), flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with parent:
        front, back = map(int, parent.stdout.readline().split())
        assert alive(front)
        parent.send_signal(signal.SIGKILL)
    try:
        assert wait_for(lambda: not alive(front))
        assert alive(back)
        assert node_status(tmp_path / "1").state == "running"
    finally:
        LocalNode.attach(tmp_path / "1").stop()
    assert wait_for(lambda: not alive(back))


def test_the_program_is_found_or_its_absence_explained(tmp_path, monkeypatch):
    found = anvil.find_anvil()
    assert anvil.anvil_version(found)
    monkeypatch.setenv(anvil.BINARY_VARIABLE, str(found))
    assert anvil.find_anvil() == found
    monkeypatch.setenv(anvil.BINARY_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(LedgerError, match="names no program"):
        anvil.find_anvil()
    monkeypatch.delenv(anvil.BINARY_VARIABLE)
    monkeypatch.setattr(anvil, "_near", lambda: iter(()))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LedgerError, match="not installed") as missing:
        anvil.find_anvil()
    assert "make setup" in missing.value.remedy


def test_a_program_that_is_no_anvil_is_told(tmp_path, monkeypatch):
    fake = tmp_path / "anvil"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv(anvil.BINARY_VARIABLE, str(fake))
    with pytest.raises(LedgerError, match="ended at once") as ended:
        LocalNode.start(tmp_path / "chain")
    assert "broken" in ended.value.why
    with pytest.raises(LedgerError, match="does not start"):
        anvil.anvil_version(fake)


def test_the_clock_does_not_go_back():
    with LocalNode.start(genesis_time=GENESIS) as node:
        node.advance(DAY)
        with pytest.raises(LedgerError, match="cannot go back"):
            node.advance_to(GENESIS)
        folder = node.folder
    assert not folder.exists()
    assert not alive(node.pid)
