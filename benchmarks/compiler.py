"""Contracts that only the benchmarks need: two small ones of ours, and the peers' out of npm packages."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from ledger.chain.artefacts import Artefact, load
from ledger.chain.codec import Abi

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"

Json = dict[str, Any]

#: Contracts that are compiled, with what differs from the build's own settings. thirdweb's Split gets the
#: compiler's older pipeline at 200 runs, the usual default, since its package holds no bytecode.
SOURCES: dict[str, tuple[str, Json]] = {
    "BenchDollar": ("benchmarks/contracts/BenchDollar.sol", {}),
    "BareBatch": ("benchmarks/contracts/BareBatch.sol", {}),
    "DialectToken": ("contracts/test/tokens/DialectToken.sol", {}),
    "TestPayer": ("contracts/test/counterparts/TestPayer.sol", {}),
    "Split": (
        "node_modules/@thirdweb-dev/contracts/prebuilts/split/Split.sol",
        {"viaIR": False, "optimizer": {"enabled": True, "runs": 200}},
    ),
}
#: Contracts that their own projects compiled, or that `make compile` has compiled already.
PREBUILT = {
    "PaymentSplitter": "node_modules/openzeppelin-4.9.6/build/contracts/PaymentSplitter.json",
    "MerkleDistributor": "node_modules/@uniswap/merkle-distributor/build/MerkleDistributor.json",
    "DialectToken": "build/test-artefacts/DialectToken.json",
    "TestPayer": "build/test-artefacts/TestPayer.json",
}


@cache
def artefact(name: str) -> Artefact:
    """A contract ready to deploy: prebuilt, compiled here and kept, or packaged with the ledger."""
    built = ROOT / PREBUILT.get(name, "build/none")
    if built.is_file():
        held = json.loads(built.read_bytes())
    elif name in SOURCES:
        held = _compiled(name)
    else:
        return load(name)
    bytecode = bytes.fromhex(str(held["bytecode"]).removeprefix("0x"))
    return Artefact(name, Abi(held["abi"]), tuple(held["abi"]), bytecode, b"", {})


def _compiled(name: str) -> Json:
    sys.path.insert(0, str(ROOT / "tools"))
    from compiling.compiler import prepare_compiler
    from compiling.pins import SETTINGS, SOLC_LONG_VERSION, SOLC_VERSION
    from compiling.sources import closure

    source, overrides = SOURCES[name]
    selection = {source: {name: ["abi", "evm.bytecode.object"]}}
    settings = {**SETTINGS, **overrides, "outputSelection": selection}
    wanted = {"language": "Solidity", "sources": closure([source]), "settings": settings}
    text = json.dumps([SOLC_LONG_VERSION, wanted], sort_keys=True)
    kept = CACHE / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if not kept.is_file():
        prepare_compiler()
        import solcx

        output = solcx.compile_standard(wanted, solc_version=SOLC_VERSION, allow_empty=True)
        contract = output["contracts"][source][name]
        held = {"abi": contract["abi"], "bytecode": contract["evm"]["bytecode"]["object"]}
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(f".{kept.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(held))
        partial.replace(kept)
    found: Json = json.loads(kept.read_bytes())
    return found
