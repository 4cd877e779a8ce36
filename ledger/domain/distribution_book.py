"""The executable model of contracts/Distributions.sol: objections, choices, settlement, sweeps, fallback, release.

A method is a call: it changes the book and returns the entries that the contract records, or raises the contract's
error and changes nothing. Amounts are base units, times Unix seconds, addresses lower-case hex strings. The terms
given with a call are named by their hash; None stands for the licence's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.domain.canonical import ZERO32
from ledger.domain.distribution_money import FELL_BACK, VACANT, Call
from ledger.domain.distribution_postings import DistributionPostings
from ledger.domain.distribution_types import (
    ARBITER_SILENT,
    CHOOSE_COUNTER,
    CHOOSE_FALLBACK,
    CHOOSE_POSTED,
    COUNTER_CHOSEN,
    FALLBACK_CHOSEN,
    NONE,
    NOTHING_POSTED,
    OBJECTED,
    OPEN,
    POSTED_CHOSEN,
    RELEASED,
    STOOD,
    UNOPPOSED,
    Distribution,
    Objection,
    Protest,
    Round,
    bond_of,
    everything_to,
)
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import Split, check_leaf, read_leaf
from ledger.domain.reverts import Revert


class DistributionBook(DistributionPostings):
    """The state machine of Distributions; dates and what can be done now are in distribution_views."""

    # Objection

    def object(
        self,
        caller: str,
        licence: int,
        period: int,
        rounds: Sequence[Distribution],
        protest: Protest,
        *,
        now: int,
        terms_hash: bytes | None = None,
        proved: bool = False,
    ) -> list[Entry]:
        """Objects to what was posted, with a bond. `proved`: the leaf is known without its proof."""
        rules = self._rules(licence, period, terms_hash)
        call = self._last_call(caller, licence, period, rounds, now)
        posted = rounds[-1]
        held = self._in_stage(call, OPEN)
        self._require_committed(call, call.round, held, posted)
        self._require_open(call, held)
        if caller == rules.arbiter:
            raise Revert("Distributions_ArbiterIsParty", caller)
        standing = self._standing(rules)
        leaf = protest.leaf
        split_id = leaf.split.id if proved else check_leaf(leaf.split, leaf.index, leaf.leaf, leaf.siblings)
        if read_leaf(leaf.leaf)[0] != caller or split_id not in (posted.split_id, standing):
            raise Revert("Distributions_NotHolder", caller, split_id)
        objection = Objection() if call.round else self._fallback(call, standing, protest.last)
        counter_split, counter_total = self._counter(protest.counter, posted)
        deadline = now + rules.arbiter_window
        with self._undo.call():
            bond = self._pull_bond(call, posted.token, protest.pay, bond_of(posted.amount))
            objection = objection._replace(
                objector=caller, bond=bond, counter_split=counter_split, counter_total=counter_total
            )
            self._put(call, call.round, replace(held, stage=OBJECTED, deadline=deadline, objection=objection))
        call.record(
            "Objected",
            round=call.round,
            token=posted.token,
            posted=posted.split_id,
            postedTotal=posted.total,
            amount=posted.amount,
            splitId=split_id,
            index=leaf.index,
            leaf=leaf.leaf,
            deadline=deadline,
            objector=objection.objector,
            bond=objection.bond,
            counterSplit=objection.counter_split,
            counterTotal=objection.counter_total,
            lastSplit=objection.last_split,
            lastTotal=objection.last_total,
            standingSplit=objection.standing_split,
        )
        return self._done(call)

    def _counter(self, counter: Split, posted: Distribution) -> tuple[bytes, int]:
        """Id and units of the counter-split; zeros where there is none."""
        if counter.total == 0:
            return ZERO32, 0
        split_id = self._require_split(counter, posted.amount)
        if split_id == posted.split_id:
            raise Revert("Distributions_CounterIsPosted", split_id)
        return split_id, counter.total

    def _objected(self, call: Call, rounds: Sequence[Distribution], objection: Objection) -> Round:
        held = self._in_stage(call, OBJECTED)
        self._require_committed(call, call.round, held, rounds[-1])
        if objection.hash != held.objection_hash:
            raise call.error("ObjectionMismatch", call.round)
        return held

    @staticmethod
    def _counter_of(posted: Distribution, objection: Objection) -> Distribution:
        if objection.counter_split == ZERO32:
            raise Revert("Distributions_BadChoice", CHOOSE_COUNTER)
        return posted._replace(split_id=objection.counter_split, total=objection.counter_total)

    def concede(
        self,
        caller: str,
        licence: int,
        period: int,
        rounds: Sequence[Distribution],
        objection: Objection,
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Puts the counter-split in the place of the posted one, as the one replacement."""
        rules = self._rules(licence, period, terms_hash)
        call = self._last_call(caller, licence, period, rounds, now)
        held = self._objected(call, rounds, objection)
        self._require_open(call, held)
        self._require_may_replace(call, rules, held)
        counter = self._counter_of(rounds[-1], objection)
        deadline = self._window_from(call, rules)
        by_arbiter = held.by_arbiter or caller == rules.arbiter
        after = replace(
            held, stage=OPEN, replaced=True, by_arbiter=by_arbiter, deadline=deadline, what=counter
        )
        with self._undo.call():
            self._put(call, call.round, after)
            call.record(
                "Conceded",
                round=call.round,
                token=counter.token,
                splitId=counter.split_id,
                total=counter.total,
                amount=counter.amount,
                deadline=deadline,
            )
            self._return_bond(call, counter.token, objection.objector)
        return self._done(call)

    def choose(
        self,
        caller: str,
        licence: int,
        period: int,
        rounds: Sequence[Distribution],
        objection: Objection,
        choice: int,
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """The arbiter chooses: 1 the posted split, 2 the counter-split, 3 the fallback."""
        rules = self._rules(licence, period, terms_hash)
        call = self._last_call(caller, licence, period, rounds, now)
        held = self._objected(call, rounds, objection)
        self._require_open(call, held)
        if caller != rules.arbiter:
            raise Revert("Distributions_NotArbiter", caller)
        parties = (self.catalogues.owner_of(rules.catalogue), self.licences.holders[licence])
        if held.by_arbiter or caller in parties:
            raise Revert("Distributions_ArbiterIsParty", caller)
        if not CHOOSE_POSTED <= choice <= CHOOSE_FALLBACK:
            raise Revert("Distributions_BadChoice", choice)
        with self._undo.call():
            if choice == CHOOSE_FALLBACK:
                self._carry_out_fallback(call, rounds, objection, FALLBACK_CHOSEN)
                return self._done(call)
            chosen, flags = list(rounds), replace(held, stage=STOOD)
            if choice == CHOOSE_COUNTER:
                chosen[-1] = self._counter_of(chosen[-1], objection)
                self._pass(call, chosen, COUNTER_CHOSEN, flags)
                self._return_bond(call, rules.token, objection.objector)
            else:
                self._pass(call, chosen, POSTED_CHOSEN, flags)
                self._move_bond(
                    call, rules.token, objection.objector, upheld=False, split_id=chosen[-1].split_id
                )
        return self._done(call)

    def _carry_out_fallback(
        self, call: Call, rounds: Sequence[Distribution], objection: Objection, outcome: int
    ) -> None:
        """Round 0 goes to its fallback; a later posting is taken away, and the money stays held."""
        token, split_id = rounds[-1].token, objection.standing_split
        if call.round == 0:
            self._pass(call, self._fallback_rounds(token, objection), outcome, FELL_BACK)
        else:
            self._moved_by(call, 0, rounds[0])
            split_id = rounds[0].split_id
            self._put(call, call.round, replace(VACANT, objection=objection))
            call.record("StayedHeld", round=call.round, outcome=outcome)
        if outcome == FALLBACK_CHOSEN:
            self._return_bond(call, token, objection.objector)
        else:
            self._move_bond(call, token, objection.objector, upheld=False, split_id=split_id)

    # Money

    def settle(
        self, caller: str, licence: int, period: int, rounds: Sequence[Distribution], *, now: int
    ) -> list[Entry]:
        """Settles a round that nobody objected to in time."""
        call = self._last_call(caller, licence, period, rounds, now)
        held = self._in_stage(call, OPEN)
        self._require_committed(call, call.round, held, rounds[-1])
        self._require_closed(call, held)
        with self._undo.call():
            self._pass(call, rounds, UNOPPOSED, replace(held, stage=STOOD))
        return self._done(call)

    def close_objection(
        self,
        caller: str,
        licence: int,
        period: int,
        rounds: Sequence[Distribution],
        objection: Objection,
        *,
        now: int,
    ) -> list[Entry]:
        """Carries out the fallback where the arbiter was silent."""
        call = self._last_call(caller, licence, period, rounds, now)
        self._require_closed(call, self._objected(call, rounds, objection))
        with self._undo.call():
            self._carry_out_fallback(call, rounds, objection, ARBITER_SILENT)
        return self._done(call)

    def fall_back(
        self,
        caller: str,
        licence: int,
        period: int,
        last: Distribution,
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Carries out the fallback where nothing was posted, after the hard deadline."""
        rules = self._rules(licence, period, terms_hash)
        call = self._call(caller, licence, period, 0, now)
        self._in_stage(call, NONE)
        if now <= rules.dates.decided_by:
            raise call.error("NotYet", rules.dates.decided_by)
        objection = self._fallback(call, self._standing(rules), last)
        with self._undo.call():
            self._pass(call, self._fallback_rounds(rules.token, objection), NOTHING_POSTED, FELL_BACK)
        return self._done(call)

    def sweep(
        self, caller: str, licence: int, period: int, rounds: Sequence[Distribution], *, now: int
    ) -> list[Entry]:
        """Moves what arrived since through all settled rounds."""
        if not rounds:
            raise Revert("Distributions_Mismatch", licence, period, 0)
        call = self._call(caller, licence, period, len(rounds), now)
        self._require_unsettled(call)
        with self._undo.call():
            self._pass(call, rounds, 0, VACANT)
        return self._done(call)

    def release(
        self,
        caller: str,
        licence: int,
        period: int,
        rounds: Sequence[Distribution],
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Releases all that is still held into the split of round 0."""
        rules = self._rules(licence, period, terms_hash)
        if not rounds:
            raise Revert("Distributions_Mismatch", licence, period, 0)
        call = self._call(caller, licence, period, len(rounds), now)
        self._in_stage(call, NONE)
        if now <= rules.dates.held_until:
            raise call.error("NotYet", rules.dates.held_until)
        waits, _ = self._waiting(call, rules.token, rounds)
        if waits == 0:
            raise call.error("NothingToMove")
        with self._undo.call():
            everything = [*rounds, everything_to(rules.token, rounds[0].split_id)]
            self._pass(call, everything, RELEASED, FELL_BACK)
        return self._done(call)
