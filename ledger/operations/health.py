"""What is installed, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ledger.domain.errors import LedgerError
from ledger.operations.session import Session
from ledger.operations.tokens import TEST_TOKENS

OK, MISSING, OPTIONAL = "ok", "missing", "optional"

_PYTHONS = ((3, 11), (3, 12))
_NODE = 20
_LEAST_FREE = 512 * 1024 * 1024
_PACKAGES = (
    "coincurve",
    "eth-account",
    "httpx",
    "orjson",
    "pydantic",
    "rich",
    "typer",
    "web3",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing looked at. `state` is ok, missing (something fails without it) or optional (a part does)."""

    name: str
    state: str
    found: str
    needed_for: str
    mend: str = ""


def examine(session: Session) -> list[Part]:
    """Looks at everything; never raises."""
    parts = list(_programs())
    parts += list(_artefacts())
    parts += list(_places(session))
    parts.append(_chain(session))
    return parts


def _programs() -> Iterator[Part]:
    version = sys.version_info[:2]
    yield Part(
        "Python",
        OK if version in _PYTHONS else MISSING,
        platform.python_version(),
        "everything",
        "" if version in _PYTHONS else "Use Python 3.11 or 3.12.",
    )
    for name in _PACKAGES:
        try:
            yield Part(name, OK, metadata.version(name), "everything")
        except metadata.PackageNotFoundError:
            yield Part(
                name, MISSING, "", "everything", f"pip install {name}, or install licence-ledger again."
            )
    yield _anvil()
    yield _node()
    yield _solc()
    brownie = _version_of("eth-brownie")
    yield Part(
        "brownie",
        OK if brownie else OPTIONAL,
        brownie,
        "brownie run, brownie test (contributors)",
        "" if brownie else "make setup installs it beside the ledger.",
    )


def _anvil() -> Part:
    from ledger.chain.anvil import anvil_version, find_anvil

    needed = "the local chain, the demo"
    try:
        path = find_anvil()
        return Part("anvil", OK, f"{anvil_version(path)} ({path})", needed)
    except LedgerError as error:
        return Part("anvil", OPTIONAL, error.what, needed, error.remedy)


def _node() -> Part:
    needed = "compiling with npm's solc, the web page (contributors)"
    said = _said(["node", "--version"])
    found = re.match(r"v(\d+)", said)
    if found is None:
        return Part(
            "Node", OPTIONAL, "", needed, f"Install Node {_NODE} or newer; reporting and auditing need none."
        )
    if int(found[1]) < _NODE:
        return Part("Node", OPTIONAL, said, needed, f"Update it to {_NODE} or newer.")
    return Part("Node", OK, said, needed)


def _solc() -> Part:
    needed = "compiling the contracts (contributors)"
    native = sorted(Path(os.path.expanduser("~")).glob(".solcx/solc-v*"))  # noqa: PTH111 - there may be no home
    modules = Path.cwd() / "node_modules" / "solc" / "package.json"
    if native:
        return Part("solc", OK, native[-1].name, needed)
    if modules.exists():
        found = re.search(r'"version":\s*"([^"]+)"', modules.read_text(encoding="utf-8"))
        return Part("solc", OK, f"{found[1]} (npm)" if found else "npm", needed)
    return Part("solc", OPTIONAL, "", needed, "make setup; the wheel carries the compiled contracts.")


def _artefacts() -> Iterator[Part]:
    from ledger.chain.artefacts import load
    from ledger.chain.deploy import plan

    for name in ("Splits", "Catalogues", "Licences", "LicenceViews", *TEST_TOKENS.values()):
        try:
            held = load(name)
            yield Part(
                f"artefact {name}", OK, f"{len(held.abi.functions):,} signatures", "everything on chain"
            )
        except (LedgerError, KeyError, OSError, ValueError) as error:
            what = error.what if isinstance(error, LedgerError) else str(error)
            mend = f"{what} Install licence-ledger again; in a clone: make compile."
            yield Part(f"artefact {name}", MISSING, "", "everything on chain", mend)
    try:
        addresses = plan(())
        yield Part("addresses", OK, f"{len(addresses)} contracts, computed", "everything on chain")
    except LedgerError as error:
        yield Part("addresses", MISSING, "", "everything on chain", error.what)


def _places(session: Session) -> Iterator[Part]:
    home = session.home.path
    there = home
    while not there.exists() and there != there.parent:
        there = there.parent
    writable = os.access(there, os.W_OK)
    yield Part(
        "home folder",
        OK if writable else MISSING,
        str(home),
        "keys, files, the local chain",
        "" if writable else "It cannot be written: name another, --home DIR.",
    )
    free = shutil.disk_usage(there).free
    enough = free >= _LEAST_FREE
    yield Part(
        "disk",
        OK if enough else MISSING,
        f"{free / 2**30:.1f} GiB free",
        "files, the local chain",
        ""
        if enough
        else f"Make room: at least {_LEAST_FREE // 2**20} MiB, or name another folder, --home DIR.",
    )


def _chain(session: Session) -> Part:
    needed = "everything on chain"
    try:
        rpc = session.rpc
        found = f"chain {rpc.chain_id}, {rpc.client}"
    except LedgerError as error:
        mend = error.remedy or "Start one: `licence-ledger chain start`."
        return Part("chain", OPTIONAL, error.what, needed, mend)
    try:
        session.ledger  # noqa: B018 - reads the code of the contracts
    except LedgerError as error:
        return Part("ledger on chain", OPTIONAL, f"{found}: {error.what}", needed, error.remedy)
    return Part("ledger on chain", OK, f"{found}; the code is ours", needed)


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        beside = Path.cwd() / ".venv-brownie" / "bin" / "brownie"
        if beside.exists():
            return "in .venv-brownie"
        return shutil.which("brownie") or ""


def _said(command: list[str]) -> str:
    try:
        held = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = (held.stdout or held.stderr).strip().splitlines()
    return lines[0] if lines else ""
