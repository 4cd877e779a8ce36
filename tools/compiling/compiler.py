"""One call of the compiler: where it lies, what it says, what is kept of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compiling.files import replace, text_of, write
from compiling.pins import (
    CACHE,
    CONTRACTS,
    DOCS,
    IGNORED_WARNINGS,
    ROOT,
    SOLC_LONG_VERSION,
    SOLC_VERSION,
    BuildError,
    Json,
)
from compiling.sources import Job, closure, settings_of, sources_in


def prepare_compiler() -> str:
    """Puts a solc of our version where py-solc-x and Brownie look for it; says which one it is."""
    folder = CACHE / "solcx"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["SOLCX_BINARY_PATH"] = str(folder)
    target = folder / f"solc-v{SOLC_VERSION}"
    native = _native_compiler()
    if native is not None:
        if not target.is_symlink() or target.resolve() != native:
            replace(target, lambda path: path.symlink_to(native))
        return f"native solc {SOLC_LONG_VERSION}"
    # py-solc-x may copy this file elsewhere, so it names the wrapper by its full path.
    wrapper = json.dumps(str(ROOT / "tools" / "solc" / "solc"))
    stub = f'#!/usr/bin/env node\n"use strict";\nrequire({wrapper});\n'
    if target.is_symlink() or not target.exists() or target.read_text() != stub:

        def write(path: Path) -> None:
            path.write_text(stub)
            path.chmod(0o755)

        replace(target, write)
    return f"wasm solc {SOLC_LONG_VERSION}"


def _native_compiler() -> Path | None:
    on_path = shutil.which("solc")
    candidates = [Path(on_path)] if on_path else []
    candidates.append(Path.home() / ".solcx" / f"solc-v{SOLC_VERSION}")
    for candidate in candidates:
        if not candidate.is_file():
            continue
        with candidate.open("rb") as file:
            if file.read(2) == b"#!":
                continue  # a wrapper, ours or another's
        try:
            shown = subprocess.run(
                [candidate, "--version"], capture_output=True, check=True, timeout=20
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        if SOLC_LONG_VERSION.encode() in shown:
            return candidate.resolve()
    return None


def compile_job(job: Job, fresh: bool) -> Json:
    """What the compiler makes of a job, out of the cache unless `fresh`. Raises BuildError with its complaints."""
    if not fresh and job.cache.is_file():
        try:
            held: Json = json.loads(job.cache.read_bytes())
        except ValueError:
            held = {}  # cut short by a kill
        if held.get("key") == job.key:
            output: Json = held["output"]
            return output
    import solcx
    from solcx.exceptions import SolcError

    started = time.monotonic()
    try:
        output = solcx.compile_standard(job.input, solc_version=SOLC_VERSION, allow_empty=True)
    except SolcError as error:
        errors: Any = error.error_dict  # a list, whatever its annotation says
        if errors:
            raise BuildError("\n".join(_complaints(errors))) from None
        raise BuildError(
            f"solc failed on {job.source}:\n{(error.stderr_data or str(error))[-2000:]}"
        ) from None
    complaints = list(_complaints(output.get("errors", [])))
    if complaints:
        raise BuildError("\n".join(complaints))
    output = _without_asts(output)
    print(f"  {job.source} ({job.variant}) {time.monotonic() - started:.1f} s", file=sys.stderr)
    job.cache.parent.mkdir(parents=True, exist_ok=True)
    write(job.cache, json.dumps({"key": job.key, "output": output}))
    return output


def _complaints(errors: list[Json]) -> Iterator[str]:
    """Every error, and every warning that our own sources cause."""
    for error in errors:
        ours = error.get("sourceLocation", {}).get("file", "").startswith("contracts/")
        warning = error["severity"] == "warning" and ours and error.get("errorCode") not in IGNORED_WARNINGS
        if error["severity"] == "error" or warning:
            yield error.get("formattedMessage") or error["message"]


def _without_asts(output: Json) -> Json:
    """Keeps of the syntax trees only the names of immutables, which the bytecode knows by number."""
    names: dict[str, str] = {}
    for source in output.get("sources", {}).values():
        for contract in source.get("ast", {}).get("nodes", []):
            for node in contract.get("nodes", []):
                if node.get("mutability") == "immutable":
                    names[str(node["id"])] = node["name"]
    return {"contracts": output.get("contracts", {}), "immutables": names}


def natspec() -> None:
    """Every source at once without code: the types, the warnings of what nothing deploys, and the NatSpec."""
    sources = sources_in(CONTRACTS, "**/*.sol")
    settings = settings_of("", "natspec")
    settings["outputSelection"] = {"*": {"*": ["abi", "devdoc", "userdoc", "evm.methodIdentifiers"]}}
    inputs = {"language": "Solidity", "sources": closure(sources), "settings": settings}
    output = compile_job(Job("contracts", "natspec", inputs), fresh=False)
    write(DOCS, text_of(output["contracts"]))
