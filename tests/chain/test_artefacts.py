"""The packaged artefacts, and the sentence for every error that they can raise."""

from __future__ import annotations

import pytest

from ledger.chain.artefacts import load, load_file, names
from ledger.chain.codec import tuple_kind
from ledger.domain.errors import LedgerError
from ledger.domain.reverts import error_shapes

#: OpenZeppelin's own that no act of ours can raise: ERC-721 approvals, the zero address, names too long.
NEVER_RAISED = {
    "ERC721InvalidApprover(address)",
    "ERC721InvalidOperator(address)",
    "ERC721InvalidOwner(address)",
    "ERC721InvalidSender(address)",
    "InvalidShortString()",
    "StringTooLong(string)",
    "StringsInsufficientHexLength(uint256,uint256)",
}
LEDGER = ["Splits", "Catalogues", "Licences", "LicenceViews"]


@pytest.mark.parametrize("name", LEDGER)
def test_every_error_of_the_ledger_has_its_sentence(name):
    known = {shape.signature for shape in error_shapes().values()}
    raised = {
        one["name"] + tuple_kind(one["inputs"]).name
        for one in load(name).abi_entries
        if one["type"] == "error"
    }
    assert raised - NEVER_RAISED <= known


@pytest.mark.parametrize("name", LEDGER)
def test_code_with_other_immutables_is_still_the_contract(name):
    artefact = load(name)
    code = bytearray(artefact.runtime)
    for places in artefact.immutables.values():
        for start, length in places:
            code[start : start + length] = b"\x5a" * length
    assert artefact.matches(bytes(code))
    code[0] ^= 1
    assert not artefact.matches(bytes(code))
    assert not artefact.matches(bytes(code[:-1]))


def test_immutables_that_disagree_are_found():
    artefact = load("Catalogues")
    start, _ = artefact.immutables["splits"][0]
    code = bytearray(artefact.runtime)
    code[start] ^= 1
    with pytest.raises(LedgerError, match="different values"):
        artefact.immutable(bytes(code), "splits")


def test_no_artefact_holds_a_path(tmp_path):
    from importlib import resources

    for name in names():
        text = (resources.files("ledger.chain") / "artefacts" / f"{name}.json").read_text()
        assert "/home/" not in text
        assert "/work/" not in text
    with pytest.raises(LedgerError, match="cannot be read"):
        load_file(tmp_path / "none.json")
