"""What every build rests on: folders, the compiler's version and settings, the limits of the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
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
