"""The contract ABI: encodes calls, decodes results and events. Written for speed: types compile to closures
once.

Source of the format: the Contract ABI Specification of Solidity. Values are int, bool, bytes, str and, for
addresses, lower-case `0x…`; tuples come back as named tuples and go in as sequences, mappings or named
tuples.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError

_ARRAY = re.compile(r"(.+)\[(\d*)\]")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class CodecError(LedgerError):
    """A value does not fit its ABI type, or bytes do not decode to it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One ABI type. `size`: the bytes it takes in a head, 32 for dynamic ones, which leave an offset."""

    name: str
    dynamic: bool
    size: int
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], Any]


def _word(data: bytes, at: int) -> int:
    end = at + 32
    if end > len(data):
        raise CodecError(f"The data ends after {len(data)} bytes where a word is expected at byte {at}.")
    return int.from_bytes(data[at:end], "big")


def _uint(bits: int) -> Kind:
    limit = 1 << bits

    def encode(value: Any) -> bytes:
        if type(value) is not int or not 0 <= value < limit:
            raise CodecError(f"{value!r} is not a uint{bits}.")
        return value.to_bytes(32, "big")

    def decode(data: bytes, at: int) -> int:
        value = _word(data, at)
        if value >= limit:
            raise CodecError(f"{value} is too large for a uint{bits}.")
        return value

    return Kind(f"uint{bits}", False, 32, encode, decode)


def _int(bits: int) -> Kind:
    limit = 1 << (bits - 1)

    def encode(value: Any) -> bytes:
        if type(value) is not int or not -limit <= value < limit:
            raise CodecError(f"{value!r} is not an int{bits}.")
        return value.to_bytes(32, "big", signed=True)

    def decode(data: bytes, at: int) -> int:
        value = _word(data, at)
        value -= (value >> 255) << 256
        if not -limit <= value < limit:
            raise CodecError(f"{value} is too large for an int{bits}.")
        return value

    return Kind(f"int{bits}", False, 32, encode, decode)


def _bool_encode(value: Any) -> bytes:
    if type(value) is not bool:
        raise CodecError(f"{value!r} is not a bool.")
    return int(value).to_bytes(32, "big")


def _bool_decode(data: bytes, at: int) -> bool:
    value = _word(data, at)
    if value > 1:
        raise CodecError(f"{value} is not a bool.")
    return value == 1


def _address_encode(value: Any) -> bytes:
    if isinstance(value, bytes) and len(value) == 20:
        return bytes(12) + value
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise CodecError(f"{value!r} is not an address.")
    return bytes(12) + bytes.fromhex(value[2:])


def _address_decode(data: bytes, at: int) -> str:
    value = _word(data, at)
    if value >> 160:
        raise CodecError(f"0x{value:064x} is not an address.")
    return f"0x{value:040x}"


def _fixed_bytes(size: int) -> Kind:
    padding = bytes(32 - size)

    def encode(value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != size:
            raise CodecError(f"{value!r} is not {size} bytes long.")
        return value + padding

    def decode(data: bytes, at: int) -> bytes:
        if at + 32 > len(data) or data[at + size : at + 32] != padding:
            raise CodecError(f"There are no {size} padded bytes at byte {at}.")
        return data[at : at + size]

    return Kind(f"bytes{size}", False, 32, encode, decode)


def _bytes_encode(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise CodecError(f"{value!r} is not bytes.")
    return len(value).to_bytes(32, "big") + value + bytes(-len(value) % 32)


def _bytes_decode(data: bytes, at: int) -> bytes:
    size = _word(data, at)
    if at + 32 + size > len(data):
        raise CodecError(f"{size} bytes are announced at byte {at}, past the end of the data.")
    return data[at + 32 : at + 32 + size]


def _string_encode(value: Any) -> bytes:
    if not isinstance(value, str):
        raise CodecError(f"{value!r} is not a string.")
    return _bytes_encode(value.encode())


def _string_decode(data: bytes, at: int) -> str:
    # A contract may hold any bytes in a string: reading must not fail on them.
    return _bytes_decode(data, at).decode("utf-8", "replace")


def _encode_parts(kinds: Sequence[Kind], values: Sequence[Any], head_size: int) -> bytes:
    heads: list[bytes] = []
    tails: list[bytes] = []
    at = head_size
    for kind, value in zip(kinds, values, strict=True):
        encoded = kind.encode(value)
        if kind.dynamic:
            heads.append(at.to_bytes(32, "big"))
            tails.append(encoded)
            at += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _decode_parts(kinds: Sequence[Kind], data: bytes, base: int) -> list[Any]:
    values = []
    at = base
    for kind in kinds:
        values.append(kind.decode(data, base + _word(data, at) if kind.dynamic else at))
        at += kind.size
    return values


def _array(item: Kind, length: int | None) -> Kind:
    name = f"{item.name}[{'' if length is None else length}]"
    dynamic = length is None or item.dynamic

    def encode(value: Any) -> bytes:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise CodecError(f"{value!r} is not a list for {name}.")
        if length is not None and len(value) != length:
            raise CodecError(f"{name} takes {length} values, not {len(value)}.")
        if item.dynamic:
            body = _encode_parts([item] * len(value), value, 32 * len(value))
        else:
            body = b"".join(map(item.encode, value))
        return body if length is not None else len(value).to_bytes(32, "big") + body

    def decode(data: bytes, at: int) -> list[Any]:
        count = length
        if count is None:
            count = _word(data, at)
            at += 32
            # Each item takes at least a word, so a false count cannot make us build a huge list.
            if count * item.size > len(data) - at:
                raise CodecError(f"{count} values of {item.name} are announced, past the end of the data.")
        return _decode_parts([item] * count, data, at)

    return Kind(name, dynamic, 32 if dynamic else item.size * (length or 0), encode, decode)


@cache
def _record(names: tuple[str, ...]) -> Callable[..., Any]:
    return namedtuple("Record", names, rename=True)


def tuple_kind(components: Sequence[Mapping[str, Any]]) -> Kind:
    """The tuple of some ABI parameters, which is also how arguments and results travel."""
    kinds = [kind_of(component) for component in components]
    names = tuple(str(component.get("name", "")) for component in components)
    dynamic = any(kind.dynamic for kind in kinds)
    head_size = sum(kind.size for kind in kinds)
    make = _record(names)
    name = f"({','.join(kind.name for kind in kinds)})"

    def encode(value: Any) -> bytes:
        if isinstance(value, Mapping):
            if set(value) != set(names):
                raise CodecError(
                    f"{name} takes the fields {', '.join(names)}, not {', '.join(map(str, value))}."
                )
            value = [value[one] for one in names]
        elif not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) != len(kinds):
            raise CodecError(f"{value!r} does not fit {name}: {len(kinds)} values are needed.")
        return _encode_parts(kinds, value, head_size)

    def decode(data: bytes, at: int) -> Any:
        return make(*_decode_parts(kinds, data, at))

    return Kind(name, dynamic, 32 if dynamic else head_size, encode, decode)


def kind_of(component: Mapping[str, Any]) -> Kind:
    """The type of one ABI parameter (`type`, and `components` where it is a tuple)."""
    text = str(component["type"])
    if match := _ARRAY.fullmatch(text):
        return _array(kind_of({**component, "type": match[1]}), int(match[2]) if match[2] else None)
    if text == "tuple":
        return tuple_kind(component["components"])
    return _elementary(text)


@cache
def _elementary(text: str) -> Kind:
    simple = {
        "bool": Kind("bool", False, 32, _bool_encode, _bool_decode),
        "address": Kind("address", False, 32, _address_encode, _address_decode),
        "bytes": Kind("bytes", True, 32, _bytes_encode, _bytes_decode),
        "string": Kind("string", True, 32, _string_encode, _string_decode),
    }
    if text in simple:
        return simple[text]
    if match := re.fullmatch(r"(u?int|bytes)(\d*)", text):
        number = int(match[2] or 256)
        if match[1] == "bytes":
            return _fixed_bytes(number)
        return _uint(number) if match[1] == "uint" else _int(number)
    raise CodecError(f"The ABI type {text!r} is not supported.")


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract."""

    name: str
    signature: str
    selector: bytes
    inputs: Kind
    outputs: Kind
    single: bool
    view: bool

    def encode(self, *arguments: Any) -> bytes:
        """The call data. Raises CodecError."""
        return self.selector + self.inputs.encode(arguments)

    def arguments(self, data: bytes) -> Any:
        """The arguments of a call, as a named tuple."""
        if data[:4] != self.selector:
            raise CodecError(f"The data are no call of {self.signature}.")
        return self.inputs.decode(data[4:], 0)

    def decode(self, data: bytes) -> Any:
        """The result of a call: one value, or a named tuple where there are several."""
        values = self.outputs.decode(data, 0)
        return values[0] if self.single else values


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a contract; `indexed` and `plain` name its fields."""

    name: str
    signature: str
    topic: bytes
    indexed: tuple[tuple[str, Kind], ...]
    plain: tuple[str, ...]
    body: Kind

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """All fields by name, in no particular order. Indexed dynamic values come back as their hash."""
        if not topics or topics[0] != self.topic or len(topics) != len(self.indexed) + 1:
            raise CodecError(f"The log is no {self.signature}.")
        fields: dict[str, Any] = {
            name: topic if kind.dynamic else kind.decode(topic, 0)
            for (name, kind), topic in zip(self.indexed, topics[1:], strict=True)
        }
        fields.update(zip(self.plain, self.body.decode(data, 0), strict=True))
        return fields


class Abi:
    """The functions and events of one contract."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.functions: dict[str, Function] = {}
        self.events: dict[str, Event] = {}
        self.constructor = tuple_kind([])
        self._by_topic: dict[bytes, Event] = {}
        self._by_selector: dict[bytes, Function] = {}
        for entry in entries:
            if entry["type"] == "function":
                function = _function(entry)
                # Of overloaded functions the first has the bare name; each has its signature.
                self.functions.setdefault(function.name, function)
                self.functions[function.signature] = function
                self._by_selector[function.selector] = function
            elif entry["type"] == "event":
                event = _event(entry)
                self.events[event.name] = event
                self._by_topic[event.topic] = event
            elif entry["type"] == "constructor":
                self.constructor = tuple_kind(entry["inputs"])

    def function(self, name: str) -> Function:
        """A function by its name or signature. Raises CodecError."""
        try:
            return self.functions[name]
        except KeyError:
            raise CodecError(f"The contract has no function {name}.") from None

    def call_of(self, data: bytes) -> Function | None:
        """The function that call data name."""
        return self._by_selector.get(data[:4])

    def event_of(self, topic: bytes) -> Event | None:
        """The event that a first topic names."""
        return self._by_topic.get(topic)


def _function(entry: Mapping[str, Any]) -> Function:
    inputs = tuple_kind(entry["inputs"])
    outputs = tuple_kind(entry["outputs"])
    signature = entry["name"] + inputs.name
    view = entry["stateMutability"] in ("view", "pure")
    selector = keccak256(signature.encode())[:4]
    return Function(entry["name"], signature, selector, inputs, outputs, len(entry["outputs"]) == 1, view)


def _event(entry: Mapping[str, Any]) -> Event:
    signature = entry["name"] + tuple_kind(entry["inputs"]).name
    indexed = tuple((one["name"], kind_of(one)) for one in entry["inputs"] if one["indexed"])
    plain = [one for one in entry["inputs"] if not one["indexed"]]
    names = tuple(one["name"] for one in plain)
    return Event(entry["name"], signature, keccak256(signature.encode()), indexed, names, tuple_kind(plain))
