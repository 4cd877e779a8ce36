"""The journal's table, coding and fold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.errors import AuditFailed
from ledger.domain.event_table import EVENTS
from ledger.domain.journal import (
    Entry,
    RawLog,
    decode_entry,
    encode_entry,
    event_shapes,
    fold,
    fold_all,
    is_entry,
)

ROOT = Path(__file__).resolve().parents[2]
ENTRY = Entry("Credited", b"\x07" * 32, "0x" + "01" * 20, {"token": "0x" + "02" * 20, "amount": 5})


@pytest.mark.parametrize("contract", sorted(EVENTS))
def test_the_table_of_events_is_that_of_the_interfaces(contract: str) -> None:
    source = (ROOT / "contracts" / "interfaces" / f"I{contract}.sol").read_text()
    source = re.sub(r"//.*", "", source)
    declared = set()
    for name, fields in re.findall(r"event (\w+)\((.*?)\);", source, re.DOTALL):
        parts = [" ".join(one.split()) for one in fields.split(",")]
        assert " indexed " in parts[0]
        assert parts[0].startswith("bytes32")
        assert parts[1] == "address caller"
        assert not any(" indexed " in one for one in parts[1:])
        declared.add(f"{name}({','.join(parts)})".replace(" indexed", ""))
    assert set(EVENTS[contract]) == declared


def test_an_entry_survives_coding() -> None:
    log = encode_entry("Splits", ENTRY, 10, 20)
    assert decode_entry("Splits", log) == ENTRY
    assert is_entry("Splits", [log.topic0, log.topic1])
    assert not is_entry("Licences", [log.topic0, log.topic1])
    assert not is_entry("Splits", [log.topic0, log.topic1, log.topic1])


def test_the_fold_by_hand() -> None:
    log = RawLog(1, 2, b"\x03" * 32, b"\x04" * 32, b"data")
    words = (
        ZERO32 + bytes(31) + b"\x01" + bytes(31) + b"\x02" + b"\x03" * 32 + b"\x04" * 32 + keccak256(b"data")
    )
    assert len(words) == 192
    assert fold(ZERO32, log) == keccak256(words)
    assert fold_all([log, log]) == fold(fold(ZERO32, log), log)


@pytest.mark.parametrize("part", ["block_number", "timestamp", "topic0", "topic1", "data"])
def test_the_fold_binds_every_part(part: str) -> None:
    log = encode_entry("Splits", ENTRY, 10, 20)
    other = 11 if part in ("block_number", "timestamp") else b"\x09" * 32
    assert fold(ZERO32, log) != fold(ZERO32, log._replace(**{part: other}))


def test_the_fold_binds_the_order() -> None:
    one = encode_entry("Splits", ENTRY, 10, 20)
    other = encode_entry("Splits", ENTRY, 11, 20)
    assert fold_all([one, other]) != fold_all([other, one])


def test_strange_logs_fail_the_audit() -> None:
    log = encode_entry("Splits", ENTRY, 10, 20)
    with pytest.raises(AuditFailed):
        decode_entry("Splits", log._replace(topic0=b"\x01" * 32))
    with pytest.raises(AuditFailed):
        decode_entry("Splits", log._replace(data=log.data[:-1]))


def test_topics_are_distinct() -> None:
    topics = [shape.topic for contract in EVENTS for shape in event_shapes(contract).values()]
    assert len(set(topics)) == len(topics)


WORDS = [b"\x01" * 32, b"\x02" * 32, b"\x03" * 32]
LONG = {
    ("Splits", "PagePublished"): {
        "root": b"\x05" * 32,
        "total": 9,
        "depth": 2,
        "page": 0,
        "words": tuple(WORDS),
    },
    ("Licences", "Offered"): {"terms": b"\x06" * 45, "nonce": 1, "deadline": 2, "uri": "gr\u00fc\u00dfe"},
    ("Licences", "Accepted"): {
        "licensor": "0x" + "02" * 20,
        "offerId": b"\x08" * 32,
        "nonce": 3,
        "destination": b"\x09" * 32,
        "fee": 4,
        "terms": b"\x0a" * 64,
        "uri": "",
    },
}


def long_log(contract: str, name: str) -> RawLog:
    return encode_entry(contract, Entry(name, b"\x07" * 32, "0x" + "01" * 20, LONG[contract, name]), 10, 20)


@pytest.mark.parametrize(("contract", "name"), sorted(LONG))
def test_entries_with_text_and_lists_survive_coding(contract: str, name: str) -> None:
    assert decode_entry(contract, long_log(contract, name)).args == LONG[contract, name]


@pytest.mark.parametrize(("contract", "name"), sorted(LONG))
def test_data_that_is_cut_anywhere_fails_the_audit(contract: str, name: str) -> None:
    log = long_log(contract, name)
    for size in range(len(log.data)):
        with pytest.raises(AuditFailed, match="malformed"):
            decode_entry(contract, log._replace(data=log.data[:size]))


@pytest.mark.parametrize("word", [2**256 - 1, 2**64, 4096])
@pytest.mark.parametrize(("contract", "name"), sorted(LONG))
def test_offsets_and_lengths_past_the_end_fail_the_audit(contract: str, name: str, word: int) -> None:
    log = long_log(contract, name)
    shape = event_shapes(contract)[name]
    for at, kind in enumerate(shape.types):
        if kind not in ("bytes", "string", "bytes32[]"):
            continue
        offset = int.from_bytes(log.data[32 * at : 32 * at + 32])
        for place in (32 * at, offset):
            data = log.data[:place] + word.to_bytes(32) + log.data[place + 32 :]
            with pytest.raises(AuditFailed, match="malformed"):
                decode_entry(contract, log._replace(data=data))


def test_bytes_that_are_not_padded_with_zeros_fail_the_audit() -> None:
    log = long_log("Licences", "Offered")
    at = log.data.index(b"\x06" * 45) + 45
    with pytest.raises(AuditFailed, match="malformed"):
        decode_entry("Licences", log._replace(data=log.data[:at] + b"\1" + log.data[at + 1 :]))
