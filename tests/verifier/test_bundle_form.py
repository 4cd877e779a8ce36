"""P-16: a bundle in any other form is refused by Python and by the built verifier alike, and breaks neither of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from test_bundles_in_node import (  # noqa: F401 - fixtures
    BOB,
    SCHEMA,
    Lines,
    evidence,
    facts,
    judge,
    lines_of,
    write,
)

from ledger.audit import bundle_form
from ledger.domain.errors import LedgerError
from ledger.operations import audits

KINDS = ("page", "nobody", "holder", "full")


def of_text(text: str) -> Iterator[Any]:
    """Other values in the place of a text: other digits, lengths, letters, kinds."""
    if text.startswith("0x"):
        for place in {2, len(text) // 2, len(text) - 1} - {len(text)}:
            yield text[:place] + ("1" if text[place : place + 1] != "1" else "2") + text[place + 1 :]
        yield from (text[:-1], text[:-2], text + "00", "0x00" + text[2:], text[2:], "0X" + text[2:], "0x")
        yield from ("0x " + text[2:], text[:4] + " " + text[4:], text + "\n", text[:-1] + "１")
        yield from ("0x" + "0" * (len(text) - 2), "0x" + text[2:].upper())
    elif text.isdigit():
        yield from (
            str(int(text) + 1),
            "0" + text,
            " " + text,
            "+" + text,
            "-" + text,
            text + "\n",
            "9" * 5_000,
        )
        yield from (
            f"{text[0]}_{text}",
            "".join(chr(0x660 + int(one)) for one in text),
            hex(int(text)),
            int(text[:15]),
        )
    else:
        yield from (text[:-1], text.upper(), text + " ", "", "__proto__", "constructor")
    yield from (None, 1, [text], {"0": text})


def others(value: Any) -> Iterator[Any]:
    """The same with one thing changed: a digit, a kind, a key, an item."""
    if isinstance(value, str):
        yield from of_text(value)
    elif isinstance(value, bool) or value is None:
        yield from ("x", 0, [], True)
    elif isinstance(value, int):
        yield from (
            value + 1,
            value - 1,
            -value - 1,
            2**53,
            2**63,
            str(value),
            float(value),
            None,
            True,
            [value],
        )
    elif isinstance(value, list):
        yield from ([], value[:-1], [*value, None], value + value[-1:], None, {})
        for at, one in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in others(one))
    else:
        yield from ({**value, name: 1} for name in ("more", "__proto__", "constructor", "node"))
        for name, one in value.items():
            yield {key: held for key, held in value.items() if key != name}
            yield from ({**value, name: other} for other in others(one))


def counted(lines: Lines) -> Lines:
    """The same with a last line that fits."""
    names = {label: kind for kind, label in bundle_form.COUNTED.items()}
    end = {label: sum(names.get(label, label) in one for one in lines[1:-1]) for label in lines[-1]["end"]}
    return [*lines[:-1], {"end": end}]


def raw_forms(line: bytes) -> Iterator[bytes]:
    """Lines that are no JSON, or the same JSON in another form."""
    yield from (
        b"",
        b"[]",
        b'"x"',
        b"null",
        b"{}",
        b'{"node":NaN}',
        b'{"node":Infinity}',
        line + b"\r",
        line + b" ",
    )
    yield from (
        line[:-1] + b"," + line[1:],
        line.replace(b"e", b"\\u0065", 1),
        b"\xef\xbb\xbf" + line,
        line + b"\0",
    )
    yield from (
        line[:-2] + b'\xff"}',
        b'{"node":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        line.replace(b"1,", b"1e0,", 1),
    )


def one_of_each(lines: Lines) -> list[int]:
    """Places of the first and the last line, and of the last line of each kind."""
    kinds = [next(iter(line)) for line in lines[1:-1]]
    return [
        0,
        *(1 + len(kinds) - 1 - kinds[::-1].index(kind) for kind in dict.fromkeys(kinds)),
        len(lines) - 1,
    ]


def forms(lines: Lines) -> Iterator[bytes]:
    """Every changed bundle that the test tries."""

    def whole(held: Lines | list[bytes]) -> bytes:
        return b"".join((one if isinstance(one, bytes) else dumped(one)) + b"\n" for one in held)

    for at in one_of_each(lines):
        rest = lines[:at], lines[at + 1 :]
        for other in others(lines[at]):
            yield whole([*rest[0], other, *rest[1]])
        for raw in raw_forms(dumped(lines[at])):
            yield whole([*rest[0], raw, *rest[1]])
        if 0 < at < len(lines) - 1:
            yield whole(counted([*rest[0], lines[at], lines[at], *rest[1]]))
    nodes = [at for at, line in enumerate(lines) if "node" in line]
    for at in nodes[:3]:
        yield whole([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
    for node in ("0x80", "0xc28080", "0x" + "00" * 40):
        yield whole(counted([*lines[: nodes[-1] + 1], {"node": node}, *lines[nodes[-1] + 1 :]]))
    entries = [at for at, line in enumerate(lines) if "entry" in line]
    if entries:
        name, block, time, topic, number, data = lines[entries[-1]]["entry"]
        for more in (
            [name, block + 100, time, topic, number, data],  # later than the header
            [name, block, time, "0x" + "11" * 32, number, data],  # no entry of its journal
        ):
            place = entries[-1] + 1
            yield whole(counted([*lines[:place], {"entry": more}, *lines[place:]]))
    yield whole(lines)[:-1]
    yield whole(lines) + b"\n"


def dumped(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def passes(path: Path, anchor: str) -> bool:
    """What Python says. Anything but a verdict or an error of the ledger's own is a fault."""
    try:
        return audits.verify_bundle(path, bytes.fromhex(anchor[2:])).passed
    except LedgerError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_p16_no_field_of_a_bundle_can_have_another_form(kind, evidence, facts, judge, tmp_path):  # noqa: F811
    """One line of each kind, and first and last: every field in turn, by both verifiers."""
    lines, whole = lines_of(evidence / kind), (evidence / kind).read_bytes()
    files = []
    for number, changed in enumerate(one for one in forms(lines) if one != whole):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(changed)
    assert len(files) > 150
    in_node = judge(*files)
    assert all(verdict["ok"] or verdict["findings"] for verdict in in_node)
    accepted = [file for file in files if passes(file, facts["anchor"])]
    assert [file for file, verdict in zip(files, in_node, strict=True) if verdict["ok"]] == accepted
    # What a token states of its balance proves nothing where its storage does: a full bundle's only such line.
    for file in accepted:
        ((was, now),) = [pair for pair in zip(lines, lines_of(file), strict=True) if pair[0] != pair[1]]
        assert "balance" in was
        assert SCHEMA.is_valid(now)


def test_damaged_packing_is_a_failed_audit_for_both(evidence, facts, judge, tmp_path):  # noqa: F811
    packed = gzip.compress((evidence / "page").read_bytes(), mtime=0)
    files = []
    for number, place in enumerate([2, 3, len(packed) // 3, len(packed) // 2, -6, -2]):
        files.append(tmp_path / str(number))
        changed = bytearray(packed)
        changed[place] ^= 0x55
        files[-1].write_bytes(changed)
    others = (packed[:-9], packed[:2], packed + b"xyz", gzip.compress(packed), packed + packed)
    for number, content in enumerate(others):
        files.append(tmp_path / f"cut-{number}")
        files[-1].write_bytes(content)
    for file, verdict in zip(files, judge(*files), strict=True):
        assert not verdict["ok"], file.name
        with pytest.raises(LedgerError) as refused:
            audits.verify_bundle(file, None)
        assert refused.value.exit_code == 4, file.name


def test_a_line_without_end_is_refused_before_it_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr("ledger.audit.bundle.LONGEST", 1_000)
    file = tmp_path / "endless"
    file.write_bytes(b"0" * 10_000)
    with pytest.raises(LedgerError, match="longer than any"):
        audits.verify_bundle(file, None)


def test_what_the_schema_refuses_the_verifiers_refuse(evidence):  # noqa: F811
    """The schema is the form of one line; of these, it refuses all that are out of form by themselves."""
    schema: Draft202012Validator = SCHEMA
    first = lines_of(evidence / "holder")[0]
    for change in (
        {"holder": BOB.upper()},
        {"licence": 0},
        {"contracts": {}},
        {"anchor": "0x"},
        {"version": 2},
    ):
        assert not schema.is_valid({**first, **change}), change
    for contracts in (
        {**first["contracts"], "More": "0x" + "11" * 20},
        {"Splits": first["contracts"]["Splits"]},
    ):
        assert not schema.is_valid({**first, "contracts": contracts})
