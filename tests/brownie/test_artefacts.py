"""Brownie builds the packaged code: the same runtime, but for the metadata that Brownie lets solc append."""

import json
from pathlib import Path

import brownie
import pytest

ARTEFACTS = Path(__file__).resolve().parents[2] / "ledger" / "chain" / "artefacts"
RUNTIME_LIMIT = 24_576  # EIP-170
NAMES = ("Splits", "Catalogues", "LicenceViews", "TestDollar", "BlocklistDollar")


def without_metadata(code):
    """Runtime code before INVALID and the CBOR of solc's metadata, whose length its last two bytes tell."""
    data = bytes.fromhex(code.removeprefix("0x"))
    return data[: -(int.from_bytes(data[-2:], "big") + 2)].removesuffix(b"\xfe")


@pytest.mark.parametrize("name", NAMES)
def test_brownies_code_is_the_packaged_code(name):
    packaged = json.loads((ARTEFACTS / f"{name}.json").read_text())
    built = getattr(brownie.project.get_loaded_projects()[0], name)._build
    assert without_metadata(built["deployedBytecode"]).hex() == packaged["deployedBytecode"].removeprefix(
        "0x"
    )


def test_licences_alone_needs_other_settings():
    """Brownie has one setting for all contracts; by it Licences is too large for a chain, so it is packaged with
    fewer runs of the optimiser, and its interface is what can be compared."""
    packaged = json.loads((ARTEFACTS / "Licences.json").read_text())
    built = brownie.project.get_loaded_projects()[0].Licences._build
    # Brownie gives the constructor a name.
    mine, theirs = (
        sorted(json.dumps(one) for one in abi if one["type"] != "constructor")
        for abi in (packaged["abi"], built["abi"])
    )
    assert mine == theirs
    assert len(without_metadata(built["deployedBytecode"])) > RUNTIME_LIMIT
    assert len(packaged["deployedBytecode"]) // 2 - 1 <= RUNTIME_LIMIT
