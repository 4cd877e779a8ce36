"""report import: killed, cut off, and run again: every report is booked once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from _command import ADDRESS, LICENSEE
from _dying import dying_node
from _reporting import after, line, session_of, write_csv

from ledger.operations import books

ENTRY = "from ledger.cli import main; import sys; sys.exit(main())"


@pytest.fixture
def file(node, licence, tmp_path):
    after(node, "2024-12-15")
    return write_csv(tmp_path / "r.csv", [line(licence, number, f"{1500 + number}") for number in range(11)])


def booked(node, licence: int) -> list[int]:
    """Periods booked by entries of the chain."""
    held = books.read(session_of(node.rpc))
    return [one.entry["period"] for one in held.of_licence[licence] if one.name == "Booked"]


def test_a_node_that_goes_away_half_way(run, node, file, licence):
    with dying_node(node.url) as url:
        ran = run("report", "import", file, rpc=url, account=LICENSEE, together=1, json=True)
    assert ran.code == 6
    assert "nothing is booked twice" in ran.error["remedy"]
    again = run("report", "import", file, rpc=node.url, account=LICENSEE, together=1, json=True)
    assert (again.code, again.data["booked"] + again.data["booked_before"]) == (0, 11)
    assert booked(node, licence) == list(range(11))


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2])
def test_killed_and_run_again(run, node, file, licence, seconds):
    command = [
        sys.executable,
        "-c",
        ENTRY,
        "report",
        "import",
        str(file),
        "--rpc",
        node.url,
        "--from",
        LICENSEE,
    ]
    command += ["--together", "1"]
    first = int(node.rpc.call("eth_getTransactionCount", ADDRESS[LICENSEE], "latest"), 16)
    process = subprocess.Popen(
        command, env=os.environ.copy(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while (
        process.poll() is None
        and int(node.rpc.call("eth_getTransactionCount", ADDRESS[LICENSEE], "latest"), 16) == first
    ):
        time.sleep(0.002)
    time.sleep(seconds)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    again = run("report", "import", file, rpc=node.url, account=LICENSEE, together=1, json=True)
    assert (again.code, again.data["booked"] + again.data["booked_before"]) == (0, 11)
    assert booked(node, licence) == list(range(11))
