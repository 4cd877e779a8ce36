"""Reverts as typed errors: the model raises the contract's own, and the data of a failed call decodes to
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ledger.domain.canonical import keccak256
from ledger.domain.errors import ExitCode, LedgerError
from ledger.domain.revert_table import TABLE, TERMS_FIELDS

Argument = int | str | bytes | bool


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """Name, parameters and texts of one custom error."""

    name: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    sentence: str
    remedy: str

    @property
    def signature(self) -> str:
        """The canonical signature, such as `Licences_Unknown(uint256)`."""
        return f"{self.name}({','.join(self.types)})"

    @property
    def selector(self) -> bytes:
        """The first four bytes of the signature's hash."""
        return keccak256(self.signature.encode())[:4]


@cache
def error_shapes() -> dict[str, ErrorShape]:
    """Every known error by name."""
    shapes: dict[str, ErrorShape] = {}
    for signature, sentence, remedy in TABLE:
        name, rest = signature[:-1].split("(", 1)
        pairs = [part.split(" ") for part in rest.split(",")] if rest else []
        shapes[name] = ErrorShape(
            name, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs), sentence, remedy
        )
    return shapes


@cache
def _by_selector() -> dict[bytes, ErrorShape]:
    return {shape.selector: shape for shape in error_shapes().values()}


def _show(value: Argument) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


class Revert(LedgerError):
    """A custom error of a contract, from the model or from a chain.

    `name` is the Solidity name, `arguments` its values: int, bool, str (addresses in lower case), bytes
    (words). Two reverts are equal if names and arguments are.
    """

    def __init__(self, name: str, *arguments: Argument) -> None:
        shape = error_shapes()[name]
        if len(arguments) != len(shape.types):
            raise TypeError(f"{shape.signature} takes {len(shape.types)} arguments, not {len(arguments)}")
        self.name = name
        self.arguments = arguments
        values = dict(zip(shape.names, map(_show, arguments), strict=True))
        if name == "Licences_BadTerms":
            which = arguments[0]
            known = isinstance(which, int) and which < len(TERMS_FIELDS)
            values["field"] = TERMS_FIELDS[int(which)] if known else "unknown"
        super().__init__(
            shape.sentence.format(**values), where=name, remedy=shape.remedy, exit_code=ExitCode.REVERTED
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Revert) and (self.name, self.arguments) == (other.name, other.arguments)

    def __hash__(self) -> int:
        return hash((self.name, self.arguments))

    def __repr__(self) -> str:
        return f"Revert({', '.join([self.name, *map(_show, self.arguments)])})"

    def __reduce__(self) -> tuple[type[Revert], tuple[Argument, ...]]:
        return type(self), (self.name, *self.arguments)

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`."""
        return {**super().as_dict(), "revert": self.name, "arguments": [_show(one) for one in self.arguments]}

    def encode(self) -> bytes:
        """The return data that the contract reverts with."""
        from eth_abi.abi import encode

        shape = error_shapes()[self.name]
        return shape.selector + encode(shape.types, self.arguments)


class UnknownRevert(LedgerError):
    """Return data of a failed call that no known error explains."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        what = f"The call was refused with the data 0x{data.hex()}." if data else "The call was refused."
        super().__init__(
            what,
            why="No error of the ledger, of OpenZeppelin or of the language has this selector.",
            remedy="Check that the addresses are those of the ledger: `licence-ledger doctor`.",
            exit_code=ExitCode.REVERTED,
        )


def decode_revert(data: bytes) -> Revert | UnknownRevert:
    """The error that return data of a failed call stands for."""
    shape = _by_selector().get(data[:4])
    if shape is None:
        return UnknownRevert(data)
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return Revert(shape.name, *decode(shape.types, data[4:]))
    except DecodingError:
        return UnknownRevert(data)
