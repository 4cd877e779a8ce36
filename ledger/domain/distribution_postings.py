"""The model of Distributions, second part: what is posted for a round, and its one replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.domain.distribution_money import Call, DistributionRounds, Rules
from ledger.domain.distribution_types import (
    AS_LICENSEE,
    AS_LICENSOR,
    MAX_ROUNDS,
    NONE,
    OPEN,
    Distribution,
    Posting,
    Round,
)
from ledger.domain.journal import Entry
from ledger.domain.reverts import Revert


class DistributionPostings(DistributionRounds):
    """Postings and replacements."""

    def post(
        self,
        caller: str,
        licence: int,
        period: int,
        settled: Sequence[Distribution],
        posting: Posting,
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Posts a distribution for the first round that is not settled."""
        rules = self._rules(licence, period, terms_hash)
        call = self._call(caller, licence, period, len(settled), now)
        if now < rules.dates.end:
            raise call.error("PeriodNotOver", rules.dates.end)
        if call.round >= MAX_ROUNDS:
            raise call.error("RoundsUsedUp")
        self._in_stage(call, NONE)
        by_licensee = self._role_now(call, rules) == AS_LICENSEE
        flags = Round(OPEN, by_licensee=by_licensee, by_arbiter=caller == rules.arbiter)
        return self._post(call, rules, settled, posting, flags)

    def replace(
        self,
        caller: str,
        licence: int,
        period: int,
        settled: Sequence[Distribution],
        posting: Posting,
        *,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Replaces what was posted, once, while objections are heard."""
        rules = self._rules(licence, period, terms_hash)
        call = self._call(caller, licence, period, len(settled), now)
        held = self._in_stage(call, OPEN)
        self._require_open(call, held)
        self._require_may_replace(call, rules, held)
        flags = replace(held, replaced=True, by_arbiter=held.by_arbiter or caller == rules.arbiter)
        return self._post(call, rules, settled, posting, flags)

    def _role_now(self, call: Call, rules: Rules) -> int:
        """Who the caller posts as."""
        first = call.round == 0
        if first and call.now > rules.dates.post_by:
            raise call.error("PostingClosed", rules.dates.post_by)
        if self.catalogues.owner_of(rules.catalogue) == call.caller:
            return AS_LICENSOR
        if (
            first
            and call.now > rules.dates.licensor_by
            and self.licences.holders[call.licence] == call.caller
        ):
            return AS_LICENSEE
        raise self._may_not_post(call)

    @staticmethod
    def _may_not_post(call: Call) -> Revert:
        return Revert("Distributions_MayNotPost", call.licence, call.period, call.caller)

    def _require_may_replace(self, call: Call, rules: Rules, held: Round) -> None:
        if held.replaced:
            raise call.error("Replaced", call.round)
        licensor = self.catalogues.owner_of(rules.catalogue)
        if call.caller != (self.licences.holders[call.licence] if held.by_licensee else licensor):
            raise self._may_not_post(call)

    def _post(
        self, call: Call, rules: Rules, settled: Sequence[Distribution], posting: Posting, flags: Round
    ) -> list[Entry]:
        split_id = self._require_split(posting.split, posting.amount)
        waits, _ = self._waiting(call, rules.token, settled)
        if posting.amount > waits:
            raise Revert("Distributions_AmountAboveWaiting", posting.amount, waits)
        deadline = self._window_from(call, rules)
        what = Distribution(rules.token, split_id, posting.split.total, posting.amount)
        with self._undo.call():
            self._put(call, call.round, replace(flags, deadline=deadline, what=what))
        call.record(
            "Posted",
            round=call.round,
            role=AS_LICENSEE if flags.by_licensee else AS_LICENSOR,
            replacing=flags.replaced,
            arbiter=rules.arbiter,
            token=what.token,
            splitId=what.split_id,
            total=what.total,
            amount=what.amount,
            waits=waits,
            deadline=deadline,
            usageHash=posting.usage_hash,
            manifestRoot=posting.manifest_root,
            ruleHash=posting.rule_hash,
            uri=posting.uri,
        )
        return self._done(call)
