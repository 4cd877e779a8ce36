"""The artefacts: what the package carries of each contract, its size, and whether it is what is on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from compiling.files import digest, text_of
from compiling.pins import (
    ARTEFACTS,
    CONTRACTS,
    INITCODE_LIMIT,
    PACKAGED_TEST_CONTRACTS,
    ROOT,
    RUNTIME_LIMIT,
    SOLC_LONG_VERSION,
    TEST_ARTEFACTS,
    UNOPTIMISED,
    BuildError,
    Json,
)
from compiling.sources import Job


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
        + digest({path: source["content"] for path, source in job.input["sources"].items()}),
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


def is_packaged(source: str) -> bool:
    """Whether the Python package carries what the source deploys."""
    path = ROOT / source
    return path.parent == CONTRACTS or path.stem in PACKAGED_TEST_CONTRACTS


def _deployable(contracts: Json) -> list[str]:
    return sorted(name for name, contract in contracts.items() if contract["evm"]["bytecode"]["object"])


def artefacts_of(job: Job, output: Json) -> dict[Path, Json]:
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


def sizes_of(artefacts: Iterable[Json]) -> tuple[dict[str, Json], list[str]]:
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
        faults.append(
            "lower the contract's optimizer runs in OVERRIDES of tools/compiling/pins.py, or split it"
        )
    return dict(sorted(sizes.items())), faults


def _folders(files: Iterable[Path], variant: str) -> set[Path]:
    named = {UNOPTIMISED} if variant == "unoptimised" else {ARTEFACTS, TEST_ARTEFACTS}
    return named | {path.parent for path in files}


def strays_of(files: dict[Path, Json], variant: str) -> list[Path]:
    """Artefacts on disk that no source makes."""
    return sorted(
        path for folder in _folders(files, variant) for path in folder.glob("*.json") if path not in files
    )


def differences(files: dict[Path, Json], variant: str, whole: bool) -> list[str]:
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
        if text != text_of(artefact):
            held = json.loads(text)
            keys = sorted(key for key in held.keys() | artefact.keys() if held.get(key) != artefact.get(key))
            found.append(f"{name} differs in {', '.join(keys) or 'layout only'}")
    if whole:
        strays = [path for path in strays_of(files, variant) if path.parent != TEST_ARTEFACTS]
        found.extend(f"{path.relative_to(ROOT)} belongs to no contract" for path in strays)
    return found
