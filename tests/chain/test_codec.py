"""The ABI codec agrees with eth_abi, and refuses what does not fit."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.artefacts import load, names
from ledger.chain.codec import Abi, CodecError, tuple_kind

ADDRESS = st.binary(min_size=20, max_size=20).map(lambda one: "0x" + one.hex())
LEAVES = {
    "uint256": st.integers(0, 2**256 - 1),
    "uint40": st.integers(0, 2**40 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
    "bool": st.booleans(),
    "address": ADDRESS,
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes": st.binary(max_size=70),
    "string": st.text(max_size=40).filter(lambda one: "\ud800" not in one),
}


@st.composite
def types_and_values(draw, depth=2):
    """An ABI component, its canonical name and a value."""
    shape = draw(st.sampled_from(["leaf", "leaf", "array", "fixed", "tuple"] if depth else ["leaf"]))
    if shape == "leaf":
        name = draw(st.sampled_from(sorted(LEAVES)))
        return {"type": name, "name": ""}, name, draw(LEAVES[name])
    if shape == "tuple":
        parts = [draw(types_and_values(depth=depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        names_ = [{**part[0], "name": f"f{place}"} for place, part in enumerate(parts)]
        name = f"({','.join(part[1] for part in parts)})"
        return {"type": "tuple", "components": names_, "name": ""}, name, tuple(part[2] for part in parts)
    component, name, value = draw(types_and_values(depth=depth - 1))
    count = draw(st.integers(0 if shape == "array" else 1, 3))
    suffix = "[]" if shape == "array" else f"[{count}]"
    return {**component, "type": component["type"] + suffix}, name + suffix, [value] * count


@given(st.lists(types_and_values(), min_size=1, max_size=4))
def test_encodes_like_eth_abi_and_reads_it_back(parts):
    kind = tuple_kind([part[0] for part in parts])
    values = [part[2] for part in parts]
    encoded = kind.encode(values)
    assert encoded == encode([part[1] for part in parts], values)
    assert kind.encode(kind.decode(encoded, 0)) == encoded


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint256", True),
        ("uint256", 1.0),
        ("int8", 128),
        ("bool", 1),
        ("address", "0x12"),
        ("bytes32", b"short"),
        ("bytes", "text"),
        ("string", b"bytes"),
        ("uint256[2]", [1]),
        ("uint256[]", 5),
    ],
)
def test_refuses_values_that_do_not_fit(kind, value):
    with pytest.raises(CodecError):
        tuple_kind([{"type": kind, "name": "a"}]).encode([value])


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uint8", (256).to_bytes(32, "big")),
        ("bool", (2).to_bytes(32, "big")),
        ("address", b"\xff" * 32),
        ("bytes4", b"\xff" * 32),
        ("uint256", b"\x00" * 31),
        ("bytes", (32).to_bytes(32, "big") + (2**200).to_bytes(32, "big")),
        ("uint256[]", (32).to_bytes(32, "big") + (2**60).to_bytes(32, "big")),
        ("string", (2**255).to_bytes(32, "big")),
    ],
)
def test_refuses_data_that_do_not_decode(kind, data):
    with pytest.raises(CodecError):
        tuple_kind([{"type": kind, "name": "a"}]).decode(data, 0)


def test_mappings_and_named_tuples_go_in_and_come_out():
    create = load("Catalogues").abi.function("create")
    fields = {
        "worksRoot": b"\1" * 32,
        "fileHash": b"\2" * 32,
        "arbiter": "0x" + "11" * 20,
        "notice": 5,
        "disputeWindow": 3600,
        "arbiterWindow": 3600,
        "uri": "ipfs://x",
    }
    held = create.arguments(create.encode(fields))
    assert held.settings._asdict() == fields
    with pytest.raises(CodecError, match="takes the fields"):
        create.encode({**fields, "surplus": 1})


def test_every_packaged_selector_is_the_compiler_s():
    from importlib import resources

    import orjson

    for name in names():
        file = resources.files("ledger.chain") / "artefacts" / f"{name}.json"
        held = orjson.loads(file.read_bytes())
        abi = Abi(held["abi"])
        ours = {one.signature: one.selector.hex() for one in abi.functions.values()}
        assert ours == held["methodIdentifiers"]


def test_an_event_reads_back_with_its_indexed_fields():
    event = load("TestDollar").abi.events["Transfer"]
    sender, to = "0x" + "11" * 20, "0x" + "22" * 20
    topics = [event.topic, bytes(12) + bytes.fromhex("11" * 20), bytes(12) + bytes.fromhex("22" * 20)]
    assert event.decode(topics, (7).to_bytes(32, "big")) == {"from": sender, "to": to, "value": 7}
    with pytest.raises(CodecError):
        event.decode(topics[:2], b"")
