"""RLP: the same bytes as the reference library, and nothing but canonical bytes is read."""

from __future__ import annotations

import pytest
import rlp as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import rlp
from ledger.domain.rlp import Malformed

VALUES = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=30)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_encodes_and_decodes_as_the_reference_does(value):
    encoded = rlp.encode(value)
    assert encoded == reference.encode(value)
    assert rlp.decode(encoded) == value


@given(st.integers(min_value=0, max_value=2**256))
@settings(max_examples=200, deadline=None)
def test_numbers_are_in_their_shortest_form(value):
    encoded = rlp.encode_int(value)
    assert encoded == reference.encode(value)
    assert rlp.int_of(rlp.decode(encoded), 33) == value


@given(st.binary(max_size=120))
@settings(max_examples=500, deadline=None)
def test_what_is_read_is_what_would_be_written(data):
    """Any bytes are refused, or are the only encoding of what they are read as."""
    try:
        held = rlp.decode(data)
    except Malformed:
        return
    assert rlp.encode(held) == data


@given(VALUES, st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_never_gives_the_same_value(value, draw):
    encoded = bytearray(rlp.encode(value))
    at = draw.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= draw.draw(st.integers(1, 255))
    try:
        held = rlp.decode(bytes(encoded))
    except Malformed:
        return
    assert held != value


DEEP = b"\xc0"
for _ in range(20):
    DEEP = bytes((0xC0 + len(DEEP),)) + DEEP


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends early"),
        (b"\x81\x05", "shortest"),
        (b"\xb8\x01\xff", "shortest"),
        (b"\xb8\x37" + bytes(55), "shortest"),
        (b"\xb9\x00\x40" + bytes(64), "leading zeros"),
        (b"\xb9\x01", "ends early"),
        (b"\x83ab", "longer than its data"),
        (b"\xc3\x83ab", "longer than its data"),
        (b"\xe0\xa0" + bytes(31), "longer than its data"),
        (b"\xc1\xa0" + bytes(32), "longer than its data"),
        (b"\xc2\xa0" + bytes(1), "longer than its data"),
        (b"\xc8\x80", "longer than its data"),
        (b"\xf8\x01\x80", "shortest"),
        (b"\x80\x80", "followed"),
        (b"\xc0\x00", "followed"),
        (b"\xbf" + b"\xff" * 8, "longer than its data"),
        (DEEP, "nested too deep"),
    ],
)
def test_every_other_form_is_refused(data, why):
    with pytest.raises(Malformed, match=why):
        rlp.decode(data)


def test_numbers_and_words_of_a_wrong_form_are_refused():
    for item in (b"\0", b"\0\1", bytes(33), b"\1" * 33, []):
        with pytest.raises(Malformed):
            rlp.int_of(item)
    with pytest.raises(Malformed):
        rlp.fixed(b"\1" * 31, 32)
    with pytest.raises(Malformed):
        rlp.decode_list(b"\x80")
