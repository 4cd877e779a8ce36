"""Compiles contracts/ through py-solc-x into the artefacts that the Python package carries.

Each deployable contract is compiled with the sources it imports and no other: solc's optimiser numbers what
it sees, so an unrelated source in the same input may change the bytecode.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = ROOT / "contracts"
ARTEFACTS: Final = ROOT / "ledger" / "chain" / "artefacts"
TEST_ARTEFACTS: Final = ROOT / "build" / "test-artefacts"
UNOPTIMISED: Final = ROOT / "build" / "unoptimised"
DOCS: Final = ROOT / "build" / "natspec.json"
SIZES: Final = ROOT / "build" / "sizes.json"
CACHE: Final = ROOT / ".cache"

SOLC_VERSION: Final = "0.8.37"
SOLC_LONG_VERSION: Final = "0.8.37+commit.f401782d"
REMAPPINGS: Final = {"@openzeppelin/": "node_modules/@openzeppelin/"}
RUNTIME_LIMIT: Final = 24_576  # EIP-170
INITCODE_LIMIT: Final = 49_152  # EIP-3860

Json = dict[str, Any]

SETTINGS: Final[Json] = {
    "evmVersion": "prague",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 1_000_000},
    # Without a metadata hash the bytecode is a function of the code alone, comments and paths left out.
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "remappings": [f"{prefix}={target}" for prefix, target in REMAPPINGS.items()],
}
# What differs from SETTINGS for one contract, merged key by key.
OVERRIDES: Final[dict[str, Json]] = {
    "Licences": {"optimizer": {"runs": 600}},
    "Distributions": {"optimizer": {"runs": 1000}},
}
# The code generator's stack layout needs its Yul pass, with no step in it, where nothing else is optimised.
UNOPTIMISED_OPTIMIZER: Final[Json] = {
    "enabled": False,
    "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": ":"}},
}
# Test contracts that the package carries, since every demo and test chain needs a token.
PACKAGED_TEST_CONTRACTS: Final = frozenset({"TestDollar", "BlocklistDollar"})
# Size is checked here with better words; 2394 says that transient storage exists.
IGNORED_WARNINGS: Final = frozenset({"5574", "3860", "2394"})

OUTPUTS: Final = [
    "abi",
    "storageLayout",
    "transientStorageLayout",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.methodIdentifiers",
]


class BuildError(Exception):
    """What is wrong, in words for the person at the terminal."""


@dataclass(frozen=True, eq=False)
class Job:
    """One call of the compiler: a source with all that it imports."""

    source: str
    variant: str
    input: Json

    @functools.cached_property
    def key(self) -> str:
        """What the result depends on."""
        return _digest([SOLC_LONG_VERSION, self.input])

    @property
    def cache(self) -> Path:
        """Where the last result lies."""
        return CACHE / "compile" / f"{self.variant}-{self.source.replace('/', '-')}.json"


# ------------------------------------------------------------------------------------- compiler


def prepare_compiler() -> str:
    """Puts a solc of our version where py-solc-x and Brownie look for it; says which one it is."""
    folder = CACHE / "solcx"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["SOLCX_BINARY_PATH"] = str(folder)
    target = folder / f"solc-v{SOLC_VERSION}"
    native = _native_compiler()
    if native is not None:
        if not target.is_symlink() or target.resolve() != native:
            _replace(target, lambda path: path.symlink_to(native))
        return f"native solc {SOLC_LONG_VERSION}"
    # py-solc-x may copy this file elsewhere, so it names the wrapper by its full path.
    wrapper = json.dumps(str(ROOT / "tools" / "solc" / "solc"))
    stub = f'#!/usr/bin/env node\n"use strict";\nrequire({wrapper});\n'
    if target.is_symlink() or not target.exists() or target.read_text() != stub:

        def write(path: Path) -> None:
            path.write_text(stub)
            path.chmod(0o755)

        _replace(target, write)
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


def _compile(job: Job, fresh: bool) -> Json:
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
    _write(job.cache, json.dumps({"key": job.key, "output": output}))
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


# ------------------------------------------------------------------------------------- sources

_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/|(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')", re.DOTALL)
_IMPORT: Final = re.compile(r"""\bimport\b[^;"']*["']([^"'\n]+)["']""")


@functools.cache
def _source(name: str) -> tuple[str, tuple[str, ...]]:
    """The text of a source and the names of those it imports."""
    try:
        text = (ROOT / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = ": run `make setup`" if name.startswith("node_modules/") else ""
        raise BuildError(f"{name} is imported but does not exist{hint}") from None
    code = _COMMENT.sub(lambda match: match[1] or " ", text)
    imports = []
    for given in _IMPORT.findall(code):
        path = given
        if given.startswith("."):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), given))
        for prefix, target in REMAPPINGS.items():
            if path.startswith(prefix):
                path = target + path.removeprefix(prefix)
        imports.append(path)
    return text, tuple(imports)


def _closure(names: Iterable[str]) -> Json:
    found: dict[str, Json] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            text, imports = _source(name)
            found[name] = {"content": text}
            waiting.extend(imports)
    return dict(sorted(found.items()))


def _settings(contract: str, variant: str) -> Json:
    settings = deepcopy(SETTINGS)
    for key, value in OVERRIDES.get(contract, {}).items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    if variant == "unoptimised":
        settings["optimizer"] = deepcopy(UNOPTIMISED_OPTIMIZER)
    return settings


def _job(source: str, variant: str) -> Job:
    settings = _settings(Path(source).stem, variant)
    settings["outputSelection"] = {source: {"*": OUTPUTS}, "*": {"": ["ast"]}}
    return Job(source, variant, {"language": "Solidity", "sources": _closure([source]), "settings": settings})


def _natspec() -> None:
    """Every source at once without code: the types, the warnings of what nothing deploys, and the NatSpec."""
    sources = _sources(CONTRACTS, "**/*.sol")
    settings = _settings("", "natspec")
    settings["outputSelection"] = {"*": {"*": ["abi", "devdoc", "userdoc", "evm.methodIdentifiers"]}}
    inputs = {"language": "Solidity", "sources": _closure(sources), "settings": settings}
    output = _compile(Job("contracts", "natspec", inputs), fresh=False)
    _write(DOCS, _text(output["contracts"]))


def _sources(folder: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in folder.glob(pattern))


# ------------------------------------------------------------------------------------- artefacts


def _artefact(job: Job, name: str, output: Json) -> Json:
    contract = output["contracts"][job.source][name]
    evm = contract["evm"]
    if any(evm["bytecode"]["linkReferences"].values()):
        raise BuildError(
            f"{job.source}: {name} needs a linked library; library functions have to be internal"
        )
    immutables: Json = {}
    for node, places in evm["deployedBytecode"]["immutableReferences"].items():
        label = output["immutables"][node]
        if label in immutables:
            raise BuildError(f"{job.source}: two immutables of {name} are called {label}")
        immutables[label] = sorted(places, key=lambda place: int(place["start"]))
    settings = {key: value for key, value in job.input["settings"].items() if key != "outputSelection"}
    artefact = {
        "contractName": name,
        "sourceName": job.source,
        "sourceHash": "0x"
        + _digest({path: source["content"] for path, source in job.input["sources"].items()}),
        "compiler": {"version": SOLC_LONG_VERSION, "settings": settings},
        "abi": contract["abi"],
        "methodIdentifiers": evm["methodIdentifiers"],
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "immutableReferences": immutables,
        "storageLayout": _layout(contract["storageLayout"]),
    }
    transient = _layout(contract.get("transientStorageLayout", {}))
    if transient["storage"]:
        artefact["transientStorageLayout"] = transient
    return artefact


def _layout(layout: Json) -> Json:
    """Without the numbers of syntax nodes, which say nothing outside one run of the compiler."""

    def plain(entry: Json) -> Json:
        return {key: value for key, value in entry.items() if key != "astId"}

    types = {}
    for label, kind in (layout.get("types") or {}).items():
        members = {"members": [plain(member) for member in kind["members"]]} if "members" in kind else {}
        types[label] = {**kind, **members}
    return {"storage": [plain(entry) for entry in layout.get("storage", [])], "types": types}


def _packaged(source: str) -> bool:
    path = ROOT / source
    return path.parent == CONTRACTS or path.stem in PACKAGED_TEST_CONTRACTS


def _deployable(contracts: Json) -> list[str]:
    return sorted(name for name, contract in contracts.items() if contract["evm"]["bytecode"]["object"])


def _artefacts(job: Job, output: Json) -> dict[Path, Json]:
    """The file of each contract that the job's source can deploy."""
    names = _deployable(output["contracts"].get(job.source, {}))
    stem = Path(job.source).stem
    test = not (ROOT / job.source).parent.samefile(CONTRACTS)
    if not test and names not in ([], [stem]):
        raise BuildError(
            f"{job.source} has to hold one deployable contract, {stem}; it holds {', '.join(names)}"
        )
    files = {}
    for name in names:
        if job.variant == "unoptimised":
            folder = UNOPTIMISED
        elif test and name not in PACKAGED_TEST_CONTRACTS:
            folder = TEST_ARTEFACTS
        else:
            folder = ARTEFACTS
        files[folder / f"{name}.json"] = _artefact(job, name, output)
    return files


def _sizes(artefacts: Iterable[Json]) -> tuple[dict[str, Json], list[str]]:
    """The bytes of each contract, and what is over a limit."""
    sizes: dict[str, Json] = {}
    faults = []
    for artefact in artefacts:
        runtime = len(artefact["deployedBytecode"]) // 2 - 1
        initcode = len(artefact["bytecode"]) // 2 - 1
        sizes[artefact["contractName"]] = {"runtime": runtime, "initcode": initcode}
        for kind, size, limit in (
            ("runtime", runtime, RUNTIME_LIMIT),
            ("initcode", initcode, INITCODE_LIMIT),
        ):
            if size > limit:
                faults.append(
                    f"{artefact['contractName']}: {size:,} bytes of {kind}, {size - limit:,} over {limit:,}"
                )
    if faults:
        faults.append("lower the contract's optimizer runs in OVERRIDES of tools/build.py, or split it")
    return dict(sorted(sizes.items())), faults


# ------------------------------------------------------------------------------------- files


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"


def _replace(target: Path, write: Any) -> None:
    """Builds beside the target and moves it into place, so that no reader sees half a file."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    partial.unlink(missing_ok=True)
    write(partial)
    partial.replace(target)


def _write(path: Path, text: str) -> bool:
    """Whether the file had to change; an unchanged one keeps its time, for make."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return True


def _folders(files: Iterable[Path], variant: str) -> set[Path]:
    named = {UNOPTIMISED} if variant == "unoptimised" else {ARTEFACTS, TEST_ARTEFACTS}
    return named | {path.parent for path in files}


def _strays(files: dict[Path, Json], variant: str) -> list[Path]:
    return sorted(
        path for folder in _folders(files, variant) for path in folder.glob("*.json") if path not in files
    )


def _differences(files: dict[Path, Json], variant: str, whole: bool) -> list[str]:
    """What of the packaged artefacts is not what the sources compile to."""
    found = []
    for path, artefact in sorted(files.items()):
        if path.parent == TEST_ARTEFACTS:
            continue  # not in git, so nothing to compare
        name = path.relative_to(ROOT)
        if not path.is_file():
            found.append(f"{name} is missing")
            continue
        text = path.read_text(encoding="utf-8")
        if text != _text(artefact):
            held = json.loads(text)
            keys = sorted(key for key in held.keys() | artefact.keys() if held.get(key) != artefact.get(key))
            found.append(f"{name} differs in {', '.join(keys) or 'layout only'}")
    if whole:
        strays = [path for path in _strays(files, variant) if path.parent != TEST_ARTEFACTS]
        found.extend(f"{path.relative_to(ROOT)} belongs to no contract" for path in strays)
    return found


# ------------------------------------------------------------------------------------- command


def _select(sources: list[str], wanted: list[str] | None) -> list[str]:
    if not wanted:
        return sources
    known = {Path(source).stem: source for source in sources}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BuildError(f"no contract called {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return [known[name] for name in wanted]


def build(arguments: argparse.Namespace) -> None:
    """Compiles what was asked for and writes it, or compares it."""
    print(prepare_compiler(), file=sys.stderr)
    variant = "unoptimised" if arguments.unoptimised else "optimised"
    deployables = _sources(CONTRACTS, "*.sol")
    mocks = _sources(CONTRACTS / "test", "**/*.sol")
    if arguments.unoptimised:
        mocks = [source for source in mocks if _packaged(source)]
    chosen = _select([*deployables, *mocks], arguments.contracts)
    whole = not arguments.contracts

    if arguments.analyse:
        _natspec()
        return

    jobs = [_job(source, variant) for source in chosen]
    # The longest first, so that no core idles at the end.
    jobs.sort(key=lambda job: -sum(len(source["content"]) for source in job.input["sources"].values()))
    files: dict[Path, Json] = {}
    faults: list[str] = []
    with ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        # What is not packaged is compared with nothing, so it need not be compiled afresh.
        fresh = {job: arguments.check and _packaged(job.source) for job in jobs}
        for job, future in [(job, pool.submit(_compile, job, fresh[job])) for job in jobs]:
            try:
                made = _artefacts(job, future.result())
            except BuildError as error:
                faults.append(str(error))
                continue
            twice = files.keys() & made.keys()
            faults.extend(f"{job.source}: another source defines {path.stem} too" for path in twice)
            files.update(made)
    failed = bool(faults)
    if whole and not failed and not arguments.unoptimised:
        try:
            _natspec()
        except BuildError as error:
            faults.append(str(error))

    if not arguments.unoptimised:
        sizes, oversized = _sizes(artefact for path, artefact in files.items() if path.parent == ARTEFACTS)
        faults.extend(oversized)
        if whole:
            _write(SIZES, _text(sizes))
        for name, size in sizes.items():
            left = RUNTIME_LIMIT - size["runtime"]
            print(f"  {name:<16} {size['runtime']:>7,} bytes, {left:>6,} left", file=sys.stderr)

    # What compiled is written even where another contract failed, so that work on it goes on.
    kept = ARTEFACTS if arguments.check else None
    written = {path: artefact for path, artefact in files.items() if path.parent != kept}
    changed = [path for path, artefact in sorted(written.items()) if _write(path, _text(artefact))]
    if arguments.check:
        differences = _differences(files, variant, whole and not failed)
        if differences:
            faults.extend([*differences, "run `make compile` and commit what it writes"])
    elif whole and not failed:
        strays = _strays(files, variant)
        for stray in strays:
            stray.unlink()
        changed.extend(strays)
    if faults:
        raise BuildError("\n".join(dict.fromkeys(faults)))
    if arguments.check:
        packaged = sum(path.parent == ARTEFACTS for path in files)
        print(f"{packaged} packaged artefacts are what the sources compile to", file=sys.stderr)
    else:
        print(f"{len(files)} artefacts, {len(changed)} changed", file=sys.stderr)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compile the contracts into the package's artefacts.")
    parser.add_argument(
        "--check", action="store_true", help="compile afresh and compare with the packaged artefacts"
    )
    parser.add_argument(
        "--unoptimised", action="store_true", help="without the optimiser, into build/unoptimised"
    )
    parser.add_argument(
        "--analyse", action="store_true", help="types, warnings and NatSpec only: a few seconds"
    )
    parser.add_argument("--contracts", nargs="+", metavar="NAME", help="only these contracts")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at once")
    parser.add_argument(
        "--prepare", action="store_true", help="only put the compiler where py-solc-x looks for it"
    )
    arguments = parser.parse_args()

    CACHE.mkdir(exist_ok=True)
    from filelock import FileLock

    try:
        with FileLock(CACHE / "build.lock"):
            if arguments.prepare:
                print(prepare_compiler(), file=sys.stderr)
            else:
                build(arguments)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
