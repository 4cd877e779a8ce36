"""The anvil program: where it is, how it is started so that it never outlives its purpose."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ledger.domain.errors import ExitCode, LedgerError

BINARY_VARIABLE = "LICENCE_LEDGER_ANVIL"
_PR_SET_PDEATHSIG = 1


def find_anvil() -> Path:
    """The program: $LICENCE_LEDGER_ANVIL, then node_modules near by, then PATH. Raises LedgerError."""
    if named := os.environ.get(BINARY_VARIABLE):
        path = Path(named).expanduser()
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise LedgerError(
                f"${BINARY_VARIABLE} names no program.",
                named,
                remedy="Set it to the anvil program, or unset it.",
                exit_code=ExitCode.USAGE,
            )
        return path
    for path in _near():
        if os.access(path, os.X_OK):
            return path
    if on_path := shutil.which("anvil"):
        return Path(on_path)
    raise LedgerError(
        "anvil, the local test chain, is not installed.",
        why="It is neither in node_modules here or above, nor on the PATH.",
        remedy="Run `make setup` in the source tree, or `npm install @foundry-rs/anvil` here, "
        f"or set ${BINARY_VARIABLE}.",
        exit_code=ExitCode.USAGE,
    )


def _near() -> Iterator[Path]:
    here = Path.cwd()
    for folder in [here, *here.parents, Path(__file__).resolve().parents[2]]:
        # The npm package proper holds a script that needs its postinstall; the platform's package holds the
        # program.
        yield from sorted((folder / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))


def anvil_version(path: Path) -> str:
    """What the program says of its version, such as `1.7.1`. Raises LedgerError."""
    try:
        shown = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        return shown.split("Version:")[1].split()[0]
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        raise LedgerError(
            "anvil does not start.", str(path), str(error), "Install it again: `make setup`.", ExitCode.USAGE
        ) from error


def launch(command: Sequence[str], log: Path, lock: int, *, dies_with_us: bool) -> subprocess.Popen[bytes]:
    """Starts the program in a session of its own, so that Ctrl-C reaches us alone; it inherits `lock`.

    With `dies_with_us` Linux ends it when the thread that started it ends, however that happens.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            start_new_session=True,
            preexec_fn=_tie_to_parent() if dies_with_us else None,  # noqa: PLW1509 - one system call, no locks
        )


def _tie_to_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


def command_of(pid: int) -> str:
    """The command line of a process; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        pass
    try:
        shown = subprocess.run(
            ["ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True, text=True, timeout=5
        )
        return shown.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
