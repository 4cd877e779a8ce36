"""What the model of Distributions is told and tells: distributions, postings, protests, rounds, dates.

`Distribution` and `Objection` are the structs of contracts/interfaces/IDistributions.sol in their order, so that a
call takes them as they are. Amounts are base units, times Unix seconds, addresses lower-case hex strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS, address_word, keccak256, uint_word
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import Split
from ledger.domain.split_types import Leaf

#: Stages of a round.
NONE, OPEN, OBJECTED, STOOD, FELL = range(5)
#: Who posted.
AS_LICENSOR, AS_LICENSEE = 1, 2
#: What the arbiter may choose.
CHOOSE_POSTED, CHOOSE_COUNTER, CHOOSE_FALLBACK = 1, 2, 3
#: Outcomes that Settled and StayedHeld tell.
UNOPPOSED, POSTED_CHOSEN, COUNTER_CHOSEN, FALLBACK_CHOSEN, ARBITER_SILENT, NOTHING_POSTED, RELEASED = range(
    1, 8
)

#: Rounds that may be posted; the release of what is held may be one more.
MAX_ROUNDS = 8
#: The bond is one part of this many of the amount.
BOND_PART = 100
#: How far back a fallback looks for a distribution that stood.
PERIODS_BACK = 12
#: How long money is held after the hard deadline.
HELD_FOR = 730 * DAY

#: Steps of an outlook.
(
    NOTHING_YET,
    LICENSOR_POSTS,
    EITHER_POSTS,
    HOLDERS_OBJECT,
    SETTLE,
    ARBITER_CHOOSES,
    CLOSE,
    FALL_BACK,
    RELEASE,
    DONE,
) = range(10)


class Distribution(NamedTuple):
    """What a round's money is moved by: `total` of `amount` goes to the split, the rest is held.

    An amount of zero: everything up to `total`.
    """

    token: str
    split_id: bytes
    total: int
    amount: int

    @property
    def commitment(self) -> bytes:
        """The high 208 bits of its hash, as a word."""
        encoded = address_word(self.token) + self.split_id + uint_word(self.total) + uint_word(self.amount)
        return keccak256(encoded)[:26] + bytes(6)

    def part_down(self, arrived: int) -> int:
        """What of `arrived` goes to the split, rounded down."""
        if self.amount == 0:
            return min(arrived, self.total)
        return arrived * self.total // self.amount


class Objection(NamedTuple):
    """An objection under way; zero splits: none of that kind."""

    objector: str = ZERO_ADDRESS
    bond: int = 0
    counter_split: bytes = ZERO32
    counter_total: int = 0
    last_split: bytes = ZERO32
    last_total: int = 0
    standing_split: bytes = ZERO32

    @property
    def hash(self) -> bytes:
        """keccak256(abi.encode(Objection)): what the contract stores."""
        words = [
            address_word(self.objector),
            uint_word(self.bond),
            self.counter_split,
            uint_word(self.counter_total),
            self.last_split,
            uint_word(self.last_total),
            self.standing_split,
        ]
        return keccak256(b"".join(words))


def everything_to(token: str, split_id: bytes) -> Distribution:
    """A distribution that leaves nothing."""
    return Distribution(token, split_id, 1, 1)


#: What is named where the contract does not read a distribution.
NO_DISTRIBUTION = Distribution(ZERO_ADDRESS, ZERO32, 0, 0)
#: The counter-split of a protest that asks for the fallback.
NO_SPLIT = Split(ZERO32, 0, 0)


@dataclass(frozen=True, slots=True)
class Posting:
    """What is posted for a round; the hashes and the URI are told, not read."""

    split: Split
    amount: int
    usage_hash: bytes = ZERO32
    manifest_root: bytes = ZERO32
    rule_hash: bytes = ZERO32
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Protest:
    """How a payee objects: its leaf, the split it wants (total zero: the fallback), the last distribution that
    stood, and what it pays as the bond.
    """

    leaf: Leaf
    counter: Split = NO_SPLIT
    last: Distribution = NO_DISTRIBUTION
    pay: int = 0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The dates of a period; each is the last second of its right, `end` the first second after the period."""

    start: int
    end: int
    pay_by: int
    licensor_by: int
    post_by: int
    decided_by: int
    held_until: int


@dataclass(frozen=True, slots=True)
class Round:
    """A round as stored. `what` and `objection` are what the contract keeps the hashes of.

    `moved` is told where it is not the distribution's total of a round that stood.
    """

    stage: int = NONE
    by_licensee: bool = False
    replaced: bool = False
    by_arbiter: bool = False
    deadline: int = 0
    what: Distribution | None = None
    objection: Objection | None = None
    moved: int = 0

    @property
    def commitment(self) -> bytes:
        """The high 208 bits of its distribution's hash, as a word."""
        return self.what.commitment if self.what else ZERO32

    @property
    def objection_hash(self) -> bytes:
        """Hash of the objection under way; zero where there is none."""
        return self.objection.hash if self.objection else ZERO32

    @property
    def settled(self) -> bool:
        """Whether its money has been moved."""
        return self.stage >= STOOD

    @property
    def moved_in_all(self) -> int:
        """Base units that it has moved."""
        return self.what.total if self.what and self.moved == 0 and self.stage == STOOD else self.moved


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be done about a period now; see IDistributions.Outlook."""

    round: int
    stage: int
    step: int
    until: int
    waits: int
    sweepable: int


class DistributionMoney(Protocol):
    """What Distributions asks of Splits. What changes something returns the entries of Splits."""

    def is_published(self, split_id: bytes) -> bool:
        """Whether every page of a split is public."""

    def balance(self, salt: bytes, token: str) -> int:
        """What waits in an account of Distributions."""

    def fund(self, payer: str, salt: bytes, token: str, amount: int) -> tuple[int, list[Entry]]:
        """Pulls a bond from its payer; returns what arrived."""

    def move(self, salt: bytes, token: str, split_id: bytes, amount: int) -> list[Entry]:
        """Moves money of an account into a split."""

    def publish(self, leaf: bytes) -> list[Entry]:
        """Publishes the split of one leaf with one unit."""


def bond_of(amount: int) -> int:
    """The least bond against a posting: 1 % of its amount, rounded up."""
    return -(-amount // BOND_PART)


def bond_salt(salt: bytes, number: int) -> bytes:
    """Salt of the account of a round's bond: keccak256(abi.encode(salt of the period, round, "bond"))."""
    text = uint_word(0x60) + uint_word(4) + b"bond".ljust(32, b"\0")
    return keccak256(salt + uint_word(number) + text)


def own_split(payee: str) -> Split:
    """The split of one payee alone."""
    return Split(bytes.fromhex(payee[2:]) + (1).to_bytes(12, "big"), 1, 0)
