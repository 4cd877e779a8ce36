"""JSON and YAML of users: what cannot be read is refused in words, whatever it does to the reader."""

from __future__ import annotations

import pytest

from ledger.domain.errors import ExitCode, LedgerError, ValueRefused
from ledger.domain.manifest_file import parse_manifest_json
from ledger.domain.notation import read_json, read_yaml, shown
from ledger.domain.terms import parse_terms

DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('{"a": ' + "9" * 5_000 + "}", "too long", id="a long number"),
        pytest.param('{"a": ' * DEEP, "too deeply", id="mappings"),
        pytest.param('{"a": ' + "[" * DEEP + "]" * DEEP + "}", "too deeply", id="lists"),
        pytest.param('{"a": 1} {}', "Extra data", id="a second value"),
    ],
)
@pytest.mark.parametrize("read", [parse_terms, parse_manifest_json, lambda text: read_json(text, "It is")])
def test_json_that_cannot_be_read(read, text: str, why: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        read(text)
    assert why in refused.value.why
    assert "Correct the file" in refused.value.remedy
    assert refused.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("a: " + "9" * 5_000, "too long", id="a long number"),
        pytest.param("a: !!int many", "is none", id="no integer"),
        pytest.param("a: !!float many", "is none", id="no number"),
        pytest.param("a: !!bool maybe", "is none", id="no truth value"),
        pytest.param("[" * DEEP, "too deeply", id="lists"),
        pytest.param("a: 1\n---\na: 2", "another document", id="a second document"),
    ],
)
@pytest.mark.parametrize("read", [parse_terms, lambda text: read_yaml(text, "It is")])
def test_yaml_that_cannot_be_read(read, text: str, why: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        read(text)
    assert why in refused.value.why
    assert "Correct the file" in refused.value.remedy


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '{"c": {"a": 1, "a": 2}}'])
def test_a_field_written_twice_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="The field 'a' is written twice"):
        read_json(text, "It is")


def test_values_are_shown_short_whatever_they_are() -> None:
    deep: list[object] = []
    deep.append(deep)
    assert [shown(one) for one in (None, True, "x", deep, {"a": deep}, 16**5_000)] == [
        "nothing", "True", "'x'", "a list", "a mapping", "a number of thousands of digits",
    ]  # fmt: skip
    assert len(shown("x" * 5_000)) == 60
