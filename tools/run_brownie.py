"""Brownie on a chain and with a home of its own; without arguments: compile, test, run the deploy script."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compiling.compiler import prepare_compiler
from compiling.pins import ROOT
from ledger.chain.node import LocalNode

NETWORKS = """\
development:
  - name: anvil
    id: development
    cmd: anvil
    host: {url}
    timeout: 120
    cmd_settings:
      evm_version: prague
live: []
"""
# Brownie offers a gas price of nothing; a block holds no more than EIP-7825 lets one transaction use.
CHAIN = ("--block-base-fee-per-gas", "0", "--gas-limit", "16777216")
# The pytest settings of the whole project switch Brownie's plugin off, so its tests bring their own.
TEST = ("test", "-c", "tests/brownie/pytest.ini", "--rootdir", ".")


def brownie(*arguments: str) -> int:
    """The exit code of one Brownie command."""
    homes = ROOT / ".home"
    homes.mkdir(exist_ok=True)
    # A home for each run: Brownie keeps the chain's port in it, and two runs must not share one.
    with (
        tempfile.TemporaryDirectory(prefix="brownie-", dir=homes) as home,
        LocalNode.start(options=CHAIN) as node,
    ):
        settings = Path(home) / ".brownie"
        settings.mkdir()
        (settings / "network-config.yaml").write_text(NETWORKS.format(url=node.url))
        environment = {**os.environ, "HOME": home, "PYTHONWARNINGS": "ignore::FutureWarning"}
        command = [sys.executable, str(ROOT / "tools" / "brownie_anywhere.py"), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
        return done.returncode


def main() -> int:
    """The command: what is given goes to Brownie as it is."""
    print(prepare_compiler(), file=sys.stderr)
    given = tuple(sys.argv[1:])
    if given:
        return brownie(*(TEST if given[0] == "test" else given[:1]), *given[1:])
    for arguments in (("compile",), TEST, ("run", "scripts/deploy.py")):
        code = brownie(*arguments)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
