"""The model of Distributions, first part: its state, what a call depends on, and how money passes through rounds.

It follows contracts/interfaces/IDistributions.sol; the order of checks is that of contracts/distributions, so that
both raise the same error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO32, uint_word
from ledger.domain.distribution_types import (
    FELL,
    HELD_FOR,
    NONE,
    PERIODS_BACK,
    STOOD,
    Deadlines,
    Distribution,
    DistributionMoney,
    Objection,
    Round,
    bond_salt,
    everything_to,
    own_split,
)
from ledger.domain.journal import Entry
from ledger.domain.licence_money import LicenceMoney
from ledger.domain.merkle_sum import Split
from ledger.domain.reverts import Revert
from ledger.domain.undo import Undo

#: The contracts count a licence's periods in 16 bits.
LAST_PERIOD = 2**16 - 1
_WORD = 2**256
_OVERFLOW = 0x11


class CatalogueRules(Protocol):
    """What Distributions reads from Catalogues."""

    def owner_of(self, catalogue: int) -> str:
        """The licensor."""

    def rules_of(self, catalogue: int) -> tuple[str, int, int, int]:
        """Arbiter, notice, dispute window, arbiter window."""

    def split_at(self, catalogue: int, time: int) -> bytes:
        """The split in force at a time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a call on a period depends on, out of terms, licence and catalogue."""

    catalogue: int
    token: str
    arbiter: str
    dispute_window: int
    arbiter_window: int
    split_time: int
    dates: Deadlines


@dataclass(slots=True)
class Call:
    """One call on one round: its place, the caller, the time, the entries so far.

    `told` are the entries of Splits among them, in the order of the chain.
    """

    licence: int
    period: int
    salt: bytes
    round: int
    caller: str
    now: int
    entries: list[Entry] = field(default_factory=list)
    told: list[tuple[str, Entry]] = field(default_factory=list)

    def record(self, name: str, **args: object) -> None:
        """Appends an entry of this licence."""
        entry = Entry(name, uint_word(self.licence), self.caller, {"period": self.period, **args})
        self.entries.append(entry)
        self.told.append(("Distributions", entry))

    def tell(self, entries: Sequence[Entry]) -> None:
        """Appends entries of Splits."""
        self.told.extend(("Splits", entry) for entry in entries)

    def error(self, name: str, *values: int) -> Revert:
        """An error about this period."""
        return Revert(f"Distributions_{name}", self.licence, self.period, *values)


class DistributionRounds:
    """State of Distributions: the rounds of every period.

    `told` are the entries of the last call and those that it caused in Splits, in the order of the chain.
    """

    def __init__(
        self,
        licences: LicenceMoney,
        catalogues: CatalogueRules,
        money: DistributionMoney,
        *,
        address: str,
        undo: Undo | None = None,
    ) -> None:
        self.licences = licences
        self.catalogues = catalogues
        self.money = money
        self.address = address
        self.rounds: dict[tuple[int, int, int], Round] = {}
        self.told: list[tuple[str, Entry]] = []
        self._undo = undo or Undo()

    # Rounds

    def round_of(self, licence: int, period: int, number: int) -> Round:
        """A round's stored state."""
        return self.rounds.get((licence, period, number)) or Round()

    def settled(self, licence: int, period: int) -> list[Distribution]:
        """The distributions of all settled rounds of a period, in order: what most calls take."""
        found: list[Distribution] = []
        while True:
            held = self.round_of(licence, period, len(found))
            if not held.settled or held.what is None:
                return found
            found.append(held.what)

    def last_stood(self, licence: int, period: int) -> tuple[bool, int]:
        """The last of the 12 periods before this one whose round 0 stood."""
        for back in range(1, min(PERIODS_BACK, period) + 1):
            if self.round_of(licence, period - back, 0).stage == STOOD:
                return True, period - back
        return False, 0

    def _call(self, caller: str, licence: int, period: int, number: int, now: int) -> Call:
        return Call(licence, period, self.licences.salt_of(licence, period), number, caller, now)

    def _last_call(
        self, caller: str, licence: int, period: int, rounds: Sequence[Distribution], now: int
    ) -> Call:
        """A call on the round of the last of these distributions."""
        if not rounds:
            raise Revert("Distributions_Mismatch", licence, period, 0)
        return self._call(caller, licence, period, len(rounds) - 1, now)

    def _held(self, call: Call) -> Round:
        return self.round_of(call.licence, call.period, call.round)

    def _put(self, call: Call, number: int, held: Round) -> None:
        self._undo.put(self.rounds, (call.licence, call.period, number), held)

    def _in_stage(self, call: Call, stage: int) -> Round:
        held = self._held(call)
        if held.stage != stage:
            raise call.error("WrongStage", call.round, held.stage)
        return held

    def _require_unsettled(self, call: Call) -> None:
        held = self._held(call)
        if held.settled:
            raise call.error("WrongStage", call.round, held.stage)

    @staticmethod
    def _require_committed(call: Call, number: int, held: Round, given: Distribution) -> None:
        if held.commitment != given.commitment:
            raise call.error("Mismatch", number)

    @staticmethod
    def _require_open(call: Call, held: Round) -> None:
        if call.now > held.deadline:
            raise call.error("WindowClosed", held.deadline)

    @staticmethod
    def _require_closed(call: Call, held: Round) -> None:
        if call.now <= held.deadline:
            raise call.error("WindowOpen", held.deadline)

    # Terms and dates

    def _rules(self, licence: int, period: int, terms_hash: bytes | None) -> Rules:
        """Checks the terms given (None: the licence's own); works out what follows from them for a period."""
        grant = self.licences.grants.get(licence)
        if grant is None:
            raise Revert("Licences_Unknown", licence)
        if terms_hash is not None and terms_hash != grant.terms_hash:
            raise Revert("Distributions_TermsMismatch", licence)
        terms = grant.terms
        if terms.distributions != self.address:
            raise Revert("Distributions_Elsewhere", licence, terms.distributions)
        work = self.licences._work(licence, "", 0)
        span = work.span(period) if terms.period_months and period <= LAST_PERIOD else None
        if span is None or span.start >= span.end:
            raise Revert("Distributions_NoSuchPeriod", licence, period)
        arbiter, _, dispute_window, arbiter_window = self.catalogues.rules_of(terms.catalogue)
        licensor_by = span.pay_by + terms.cure_days * DAY
        post_by = licensor_by + dispute_window
        decided_by = post_by + 2 * dispute_window + arbiter_window
        dates = Deadlines(
            span.start, span.end, span.pay_by, licensor_by, post_by, decided_by, decided_by + HELD_FOR
        )
        split_time = self.licences.split_time(work, period, span.start)
        return Rules(terms.catalogue, terms.token, arbiter, dispute_window, arbiter_window, split_time, dates)

    @staticmethod
    def _window_from(call: Call, rules: Rules) -> int:
        """The last second to object, if that window and the arbiter's end before the round's last date."""
        deadline = call.now + rules.dispute_window
        last = rules.dates.decided_by if call.round == 0 else rules.dates.held_until
        if deadline + rules.arbiter_window > last:
            raise call.error("TooLate", last)
        return deadline

    def _require_split(self, split: Split, amount: int) -> bytes:
        split_id = split.id
        if not self.money.is_published(split_id):
            raise Revert("Distributions_SplitNotPublished", split_id)
        if split.total > amount:
            raise Revert("Distributions_TotalAboveAmount", split.total, amount)
        return split_id

    # The fallback

    def _standing(self, rules: Rules) -> bytes:
        return self.catalogues.split_at(rules.catalogue, rules.split_time)

    def _fallback(self, call: Call, standing: bytes, last: Distribution) -> Objection:
        """What a period falls back to, as an objection names it."""
        found, last_period = self.last_stood(call.licence, call.period)
        if not found:
            return Objection(standing_split=standing)
        held = self.round_of(call.licence, last_period, 0)
        if held.commitment != last.commitment:
            raise Revert("Distributions_Mismatch", call.licence, last_period, 0)
        return Objection(last_split=last.split_id, last_total=last.total, standing_split=standing)

    @staticmethod
    def _fallback_rounds(token: str, objection: Objection) -> list[Distribution]:
        """The rounds of a fallback, settled at once; the last one takes everything."""
        rest = everything_to(token, objection.standing_split)
        if objection.last_split == ZERO32:
            return [rest]
        return [Distribution(token, objection.last_split, objection.last_total, 0), rest]

    # Money

    def _moved_by(self, call: Call, number: int, what: Distribution) -> int:
        """What a round has moved; it has to be settled, by this distribution."""
        held = self.round_of(call.licence, call.period, number)
        if not held.settled:
            raise call.error("WrongStage", number, held.stage)
        self._require_committed(call, number, held, what)
        return held.moved_in_all

    def _measure(
        self, call: Call, token: str, rounds: Sequence[Distribution], count: int
    ) -> tuple[int, list[int]]:
        """All that ever arrived, and what each round moved of it; the first `count` have to be settled."""
        arrived = self.money.balance(call.salt, token)
        moved = [self._moved_by(call, number, what) for number, what in enumerate(rounds[:count])]
        return arrived + sum(moved), moved + [0] * (len(rounds) - count)

    def _waiting(self, call: Call, token: str, settled: Sequence[Distribution]) -> tuple[int, int]:
        """What waits for the round after these, all of them settled, and what a sweep would move."""
        waits, moved = self._measure(call, token, settled, len(settled))
        sweepable = 0
        for what, before in zip(settled, moved, strict=True):
            part = _part_down(what, waits)
            waits -= part
            sweepable += part - before
        return waits, sweepable

    def _pass(self, call: Call, rounds: Sequence[Distribution], outcome: int, flags: Round) -> int:
        """Passes all money of a period through its rounds; those from the call's on are settled now.

        `flags` are stage and roles of these. Returns what was moved, at least 1.
        """
        token = rounds[0].token
        arrived, moved = self._measure(call, token, rounds, call.round)
        for number, what in enumerate(rounds):
            part = _part_down(what, arrived)
            if number >= call.round:
                stored = 0 if flags.stage == STOOD and part == what.total else part
                objection = self.round_of(call.licence, call.period, number).objection
                self._put(
                    call,
                    number,
                    replace(flags, deadline=0, what=what, objection=objection, moved=stored),
                )
                call.record(
                    "Settled",
                    round=number,
                    outcome=outcome,
                    token=what.token,
                    splitId=what.split_id,
                    total=what.total,
                    amount=what.amount,
                    arrived=arrived,
                    moved=part,
                )
            elif part != moved[number]:
                held = self.round_of(call.licence, call.period, number)
                self._put(call, number, replace(held, moved=part))
                call.record(
                    "Swept",
                    round=number,
                    token=what.token,
                    splitId=what.split_id,
                    arrived=arrived,
                    moved=part,
                )
            arrived -= part
            moved[number] = part - moved[number]
        if not any(moved):
            raise call.error("NothingToMove")
        for what, amount in zip(rounds, moved, strict=True):
            if amount:
                call.tell(self.money.move(call.salt, token, what.split_id, amount))
        return sum(moved)

    # Bonds

    def _pull_bond(self, call: Call, token: str, amount: int, least: int) -> int:
        arrived, entries = self.money.fund(call.caller, bond_salt(call.salt, call.round), token, amount)
        if arrived <= 0:
            raise Revert("Splits_NothingArrived", token)
        if arrived < least:
            raise Revert("Distributions_BondTooSmall", arrived, least)
        call.tell(entries)
        return arrived

    def _return_bond(self, call: Call, token: str, objector: str) -> None:
        """Gives a bond back, as a split of the objector alone."""
        split = own_split(objector)
        if not self.money.is_published(split.id):
            call.tell(self.money.publish(split.root))
        self._move_bond(call, token, objector, upheld=True, split_id=split.id)

    def _move_bond(self, call: Call, token: str, objector: str, *, upheld: bool, split_id: bytes) -> None:
        """Moves the whole account of a bond, and ends the objection."""
        salt = bond_salt(call.salt, call.round)
        amount = self.money.balance(salt, token)
        self._put(call, call.round, replace(self._held(call), objection=None))
        call.record(
            "BondMoved",
            round=call.round,
            objector=objector,
            upheld=upheld,
            token=token,
            splitId=split_id,
            amount=amount,
        )
        call.tell(self.money.move(salt, token, split_id, amount))

    def _done(self, call: Call) -> list[Entry]:
        """Ends a call; returns its own entries."""
        self.told = call.told
        return call.entries


def _part_down(what: Distribution, arrived: int) -> int:
    """As `Distribution.part_down`, with the contract's overflow."""
    if what.amount and arrived * what.total >= _WORD:
        raise Revert("Panic", _OVERFLOW)
    return what.part_down(arrived)


#: Stage and roles of rounds that fell back or were released.
FELL_BACK = Round(FELL)
#: A round that nobody has posted for.
VACANT = Round(NONE)
