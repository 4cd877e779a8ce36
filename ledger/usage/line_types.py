"""What the exact path makes of a line: a usage, a rejected line, the open block of a DDEX file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.usage.cells import Amount
from ledger.usage.flaws import Flaw, FlawKind
from ledger.usage.summary import Summary


class Rejected(NamedTuple):
    """A line that counts for nothing. `usages`: None where it has none or they cannot be read.

    `told`: the line was handed on as a usage and is counted as one.
    """

    line: int
    kind: FlawKind
    record: str
    usages: int | None
    text: bytes
    told: bool = False


@dataclass(slots=True)
class Use:
    """A usage as the exact path reads it. `rejected`: why it counts for nothing; `matched`: its work is known."""

    line: int
    work: str | None = None
    usages: int = 0
    readable: bool = True
    bearing: bool = True
    weight: int = -1
    confidence: int = -1
    outputs: int = -1
    allocated: Amount | None = None
    summary: Summary | None = None
    output: str = ""
    rejected: FlawKind | None = None
    matched: bool = True


class ReadAhead(NamedTuple):
    """What came of a line that was read before those above it."""

    flaws: list[Flaw]
    rejected: list[Rejected]
    use: Use | None


@dataclass(slots=True)
class Block:
    """The open block of a DDEX file: its resources and releases by what lines call them."""

    id: str | None = None
    number: int = -1
    resources: dict[str, str] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    first: str | None = None
    released: int | None = None
    used: int = 0
    place: tuple[int, str] = (0, "")
