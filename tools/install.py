"""Installs everything below the project's own folder: .venv, node_modules, the compiler; run by `make setup`.

A step is left out while its inputs are what they were, and two runs at once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODULES = ROOT / "node_modules"
FOUNDRY = ("anvil", "cast", "forge")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OLDEST_PYTHON, NEWEST_PYTHON, OLDEST_NODE = (3, 11), (3, 12), 20


class SetupError(Exception):
    """What is missing, and what to do about it."""


def say(text: str) -> None:
    """Tells the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str | Path, quiet: bool = False, environment: dict[str, str] | None = None) -> bool:
    """Whether the command succeeded; its words are shown where it did not, or where they are wanted."""
    environment = {
        **(environment or os.environ),
        "VIRTUAL_ENV": str(VENV),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=quiet,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if quiet and done.returncode != 0:
        say((done.stderr or done.stdout).strip()[-3000:])
    return done.returncode == 0


def digest(*names: str) -> str:
    """Of the files that a step depends on, and of the interpreter."""
    found = hashlib.sha256(f"{sys.version_info[:2]} {platform.platform()}".encode())
    for name in names:
        found.update((ROOT / name).read_bytes())
    return found.hexdigest()


def python_packages() -> None:
    """The locked environment, and this package in it as an editable one."""
    stamp = VENV / ".installed"
    wanted = digest("requirements/dev.txt", "requirements/uv.txt", "pyproject.toml")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    if not PYTHON.exists() or not run(PYTHON, "-c", same):
        say(f"python: a new environment of {platform.python_version()} in .venv")
        if VENV.exists():
            shutil.rmtree(VENV)
        if not run(sys.executable, "-m", "venv", str(VENV)):
            raise SetupError("python -m venv failed: on Debian and Ubuntu install python3-venv")
    say("python: packages of requirements/dev.txt")
    pip = (PYTHON, "-m", "pip", "install", "--quiet")
    uv = (VENV / "bin" / "uv", "pip", "install", "--quiet")
    locked = ("--require-hashes", "-r", "requirements/dev.txt")
    # pip knows mirrors that uv may not, so it is the way out where uv finds nothing.
    fast = run(*pip, "--require-hashes", "-r", "requirements/uv.txt") and run(*uv, *locked)
    if not fast and not run(*pip, *locked):
        raise SetupError("the Python packages of requirements/dev.txt could not be installed")
    if not run(*pip, "--no-deps", "--no-build-isolation", "--editable", "."):
        raise SetupError("this package could not be installed into .venv")
    stamp.write_text(wanted)


def node_packages() -> None:
    """The wasm compiler, the test chain and the linters for Solidity."""
    stamp = MODULES / ".installed"
    wanted = digest("package.json", "package-lock.json", ".npmrc")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SetupError(f"Node.js {OLDEST_NODE} or later is needed, with npm")
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(shown.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise SetupError(f"Node.js {OLDEST_NODE} or later is needed; {node} is {shown}")
    say("node: packages of package-lock.json")
    if not run(npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error", quiet=True):
        raise SetupError("npm ci failed")
    foundry_binaries(npm)
    stamp.write_text(wanted)


def foundry_binaries(npm: str) -> None:
    """Some versions of npm skip a platform's own packages that are in the lock file, so ask for them."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "amd64"
    versions = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    missing = [
        f"@foundry-rs/{tool}-{system}-{machine}@{versions[f'@foundry-rs/{tool}']}"
        for tool in FOUNDRY
        if not (MODULES / "@foundry-rs" / f"{tool}-{system}-{machine}" / "bin" / tool).is_file()
    ]
    if missing:
        say(f"node: {', '.join(missing)}")
        if not run(
            npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--loglevel=error", *missing
        ):
            say("npm has no test chain for this platform: install Foundry, with anvil and forge on the PATH")


def compiler() -> None:
    """Where py-solc-x and Brownie look for solc."""
    if not run(PYTHON, "tools/build.py", "--prepare", quiet=True):
        raise SetupError("the compiler could not be put in place")


def browser() -> None:
    """Chromium for the tests of the page: Debian's, where it is missing and we may install it."""
    if os.environ.get("CHROMIUM") or any(map(shutil.which, CHROMIUM)):
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        say(
            "browser: there is no Chromium, so the tests in tests/browser are left out (Debian: apt install chromium)"
        )
        return
    say("browser: Debian's chromium")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = (apt, "install", "-qq", "--yes", "--no-install-recommends", "chromium")
    # Lists that are missing or old are fetched once, then it is tried again.
    if not run(*install, quiet=True, environment=quiet) and not (
        run(apt, "update", "-qq", quiet=True, environment=quiet)
        and run(*install, quiet=True, environment=quiet)
    ):
        raise SetupError("chromium could not be installed; with one of your own, name it as $CHROMIUM")


def main() -> int:
    """The command."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        say(f"Python 3.11 or 3.12 is needed, this is {platform.python_version()}: use PYTHON=python3.12")
        return 1
    (ROOT / ".cache").mkdir(exist_ok=True)
    (ROOT / ".home").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            python_packages()
            node_packages()
            compiler()
            browser()
        except SetupError as error:
            say(f"setup: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
