"""One family of errors; findings are listed together, however many."""

from __future__ import annotations

import pickle
import re
import time
from pathlib import Path

import pytest

from ledger.domain.errors import (
    AuditFailed,
    ExitCode,
    Findings,
    FindingsError,
    IncompleteError,
    UnreachableError,
)
from ledger.domain.reverts import Revert, UnknownRevert, decode_revert, error_shapes

ROOT = Path(__file__).resolve().parents[2]


def test_ten_thousand_flaws_are_all_listed_at_once() -> None:
    started = time.process_time()
    findings = Findings()
    for line in range(1, 10_001):
        findings.add(f"line {line}", "The share is zero.", "Leave the row out.")
    with pytest.raises(FindingsError, match="10,000 flaws") as refused:
        findings.raise_if_any("The catalogue was refused")
    text = str(refused.value)
    assert "line 1: " in text
    assert "line 10000: " in text
    assert len(refused.value.as_dict()["findings"]) == 10_000
    assert refused.value.exit_code == ExitCode.USAGE
    assert time.process_time() - started < 2


def test_no_flaw_is_no_refusal() -> None:
    Findings().raise_if_any("The catalogue was refused")


def test_exit_codes() -> None:
    codes = [UnreachableError("x").exit_code, AuditFailed("x").exit_code, IncompleteError("x").exit_code]
    assert codes == [3, 4, 6]
    assert Revert("Licences_Unknown", 1).exit_code == 5


def test_the_table_of_reverts_is_that_of_the_contracts() -> None:
    source = (ROOT / "contracts" / "libraries" / "Errors.sol").read_text()
    declared = {
        " ".join(match.split()).replace("( ", "(").replace(" )", ")").replace(", ", ",")
        for match in re.findall(r"^\s*error ([^;]+);", source, re.MULTILINE)
    }
    ours = {
        f"{one.name}({','.join(f'{kind} {name}' for kind, name in zip(one.types, one.names, strict=True))})"
        for one in error_shapes().values()
        if one.name.startswith(("Splits_", "Catalogues_", "Licences_", "Distributions_", "Attributions_"))
    }
    assert ours == declared


@pytest.mark.parametrize("name", sorted(error_shapes()))
def test_every_revert_survives_its_return_data_and_reads_plainly(name: str) -> None:
    shape = error_shapes()[name]
    samples = {"address": "0x" + "ab" * 20, "bytes32": b"\x01" * 32, "string": "why"}
    revert = Revert(name, *(samples.get(kind, 3) for kind in shape.types))
    assert decode_revert(revert.encode()) == revert
    assert pickle.loads(pickle.dumps(revert)) == revert
    assert revert.what.endswith(".")
    assert revert.remedy.endswith((".", "`.", "paused."))
    assert "{" not in str(revert)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xde\xad\xbe\xef" + bytes(32)])
def test_unknown_return_data_is_shown(data: bytes) -> None:
    error = decode_revert(data)
    assert isinstance(error, UnknownRevert)
    assert error.exit_code == ExitCode.REVERTED
    assert data.hex() in str(error)


def test_truncated_return_data_is_unknown() -> None:
    data = Revert("Licences_WrongPeriod", 1, 2, 3).encode()
    assert isinstance(decode_revert(data[:-1]), UnknownRevert)


def test_bad_terms_name_the_field() -> None:
    assert "guarantee" in Revert("Licences_BadTerms", 14).what
    assert "unknown" in Revert("Licences_BadTerms", 99).what
