"""Everything that Licences and Catalogues show, compared with the model: states, views, fold, replay."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from _codec import encode
from _pair import Pair, is_entry, raw, same_refusal
from _steps import Maker
from _town import Town
from strategies import ARBITER

from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import _TYPE, ChainTerms
from ledger.domain.journal import event_shapes
from ledger.domain.licence_types import Figures
from ledger.domain.licence_views import due_of, quote
from ledger.domain.replay import CONTRACTS
from ledger.domain.reverts import Revert

STATE = ["uint256"] * 6 + ["bool"] + ["uint256"] * 5
WORDS = ["uint256"] * 6
DUE = f"({','.join([*WORDS, 'uint256[]', *WORDS, 'bool', *WORDS[:3], 'bytes32'])})"
#: A period far beyond those that the contracts count.
FAR = 2**40
TOPICS = {shape.topic: name for one in CONTRACTS for name, shape in event_shapes(one).items()}


@functools.lru_cache(maxsize=64)
def encoded(terms: ChainTerms) -> bytes:
    """abi.encode(Terms), by the encoder of these tests."""
    fields = [getattr(terms, name) for name in terms.__dataclass_fields__]
    fields[-1] = [(tier.up_to, tier.rate_ppm) for tier in terms.tiers]
    return encode([_TYPE], [fields])


def figures_args(one: Figures) -> tuple[Any, ...]:
    """ILicences.Figures."""
    return one.period, one.version, one.gross, one.deductions, one.max_due, one.report_hash


class States:
    """What a history compares beside its steps."""

    def __init__(self, town: Town, rng: Random) -> None:
        self.town, self.rng = town, rng
        self.pair: Pair = town.pair
        self.ledger, self.replay = town.copies()
        self.book = self.ledger.licences
        self.logs: list[tuple[int, int, Any]] = []
        self.known_offers: set[bytes] = set()
        self.maker = Maker(rng, self.ledger, list(town.fees), town.split_ids, town.homeless)

    def same_states(self, tally: Counter[tuple[str, str]]) -> None:
        """Compares every licence, view, catalogue, credit, and the replay of all logs."""
        for licence in self.book.grants:
            self._same_licence(licence, range(self.book.states[licence].next_period))
            self._same_views(licence, tally)
        self._same_catalogues()
        self._same_money()
        self._same_replay()
        self._told_features(tally)

    def _same_licence(self, licence: int, periods: Iterable[int]) -> None:
        shows, state = self.town.licences.shows, self.book.states[licence]
        given = [state.status, state.accepted_at, state.terminated_at, state.next_period, state.open_periods]
        given += [state.open_disputes, state.transferable, state.set_off, state.sum_a, state.sum_b]
        shows("stateOf", [licence], STATE, [*given, state.cure_until, state.cure_period])
        sources = [(one.destination, one.amount) for one in self.book.sources.get(licence, ())]
        # What is set off lapses with the licence; its sources are not looked at any more.
        if state.set_off:
            for index, source in enumerate([*sources, (bytes(32), 0)]):
                shows("setOffAt", [licence, index], ["bytes32", "uint256"], source)
        for period in periods:
            one = self.book.periods.get((licence, period))
            stored = [0] * 6
            if one:
                stored = [one.base, one.open, one.version, one.booked_at, one.interest_numerator]
                stored.append(one.interest_up_to)
            shows("periodOf", [licence, period], ["uint256"] * 6, stored)
            dispute = self.book.dispute_of(licence, period)
            told: list[Any] = [0, 0, 0, False]
            if dispute:
                told = [dispute.proposer, dispute.proposed_base, dispute.deadline, dispute.arbiter_called]
            shows("disputeOf", [licence, period], ["uint256"] * 3 + ["bool"], told)

    def _same_views(self, licence: int, tally: Counter[tuple[str, str]]) -> None:
        rng, book, now = self.rng, self.book, self.pair.time
        licences, terms = self.town.licences, encoded(book.grants[licence].terms)
        licences.shows("ownerOf", [licence], ["address"], [book.holders[licence]])
        licences.shows("locked", [licence], ["bool"], [book.locked(licence)])
        licences.shows("termsHashOf", [licence], ["bytes32"], [book.grants[licence].terms_hash])
        following = book.states[licence].next_period
        for period in {following, max(0, following - 1), rng.randrange(following + 3), rng.choice((0, FAR))}:
            try:
                due: Any = due_of(book, licence, period, now=now)
                kinds, values = [DUE], [[getattr(due, name) for name in due.__dataclass_fields__]]
            except Revert as error:
                due, kinds, values = error, [], []
            self._same_view("dueOf", [licence, terms, period], due, kinds, values, tally)
        for _ in range(2):
            period = rng.randrange(following + 2)
            one = book.periods.get((licence, period))
            version = one.version if one else 0
            figures = Figures(
                period, rng.randrange(2 ** rng.randrange(1, 105)), rng.randrange(2**60), version
            )
            try:
                told: Any = quote(book, licence, figures, now=now)
                kinds, values = ["int256", "uint256"], list(told)
            except Revert as error:
                told, kinds, values = error, [], []
            self._same_view("quote", [licence, terms, figures_args(figures)], told, kinds, values, tally)

    def _same_view(
        self, name: str, args: list[Any], told: Any, kinds: list[str], values: list[Any], tally: Any
    ) -> None:
        if not isinstance(told, Revert):
            tally[name, "ok"] += 1
            self.town.views.shows(name, args, kinds, values)
            return
        tally[name, told.name] += 1
        same_refusal(self.town.views.call(name, *args), told, f"{name}({args[0]}, {args[2:]})")

    def _same_catalogues(self) -> None:
        shows, book, rng = self.town.catalogues.shows, self.ledger.catalogues, self.rng
        shows("count", [], ["uint256"], [book.count])
        number = min(self.maker.catalogue, book.count)
        known = book.known(number)
        shows("ownerOf", [number], ["address"], [known.owner])
        shows("pendingOwnerOf", [number], ["address"], [known.pending_owner])
        one = known.settings
        shows("manifestOf", [number], ["bytes32"] * 2, [one.works_root, one.file_hash])
        shows("rulesOf", [number], ["address"] + ["uint256"] * 3, book.rules_of(number))
        shows("splitCount", [number], ["uint256"], [len(known.splits)])
        for position in range(len(known.splits)):
            values = book.split_by_position(number, position)
            shows("splitByPosition", [number, position], ["bytes32", "uint256"], values)
        times = [effective + rng.choice((-1, 0, 1)) for effective, _ in known.splits]
        for time in [*times, self.pair.time]:
            try:
                shows("splitAt", [number, time], ["bytes32"], [book.split_at(number, time)])
            except Revert as error:
                same_refusal(self.town.catalogues.call("splitAt", number, time), error, "splitAt")
        live = self.town.licences.shows
        for bit in range(10):
            live("liveOf", [number, bit], ["uint256"] * 2, self.book.live_of(number, bit))

    def _same_money(self) -> None:
        splits, licences, book = self.town.splits, self.town.licences, self.ledger.splits
        for (split_id, token), amount in book.cumulatives.items():
            splits.shows("cumulative", [split_id, token], ["uint256"], [amount])
        for (account, token), amount in book.accounts.items():
            splits.shows("accountBalance", [account, token], ["uint256"], [amount])
        licences.shows("count", [], ["uint256"], [self.book.count])
        for (licensor, nonce), used in self.book.nonces.items():
            licences.shows("nonceUsed", [licensor, nonce], ["bool"], [used])
        for digest in self.known_offers:
            licences.shows("offeredBy", [digest], ["address"], [self.book.offers[digest]])

    def _same_replay(self) -> None:
        """The raw logs fold to the heads and replay to the model's state (P-14)."""
        names = {contract.address: name for name, contract in self.town.contracts.items()}
        replay = self.replay
        for contract in self.town.contracts:
            replay.heads.pop("folded " + contract, None)
        for time, block, log in self.logs:
            contract = names.get(log.address)
            if contract and is_entry(contract, log):
                replay.feed(contract, raw(log, block, time))
        replay.finish()
        for contract in self.town.contracts:
            head = self.pair.head(self.town.contracts[contract])
            assert replay.heads[contract] == head, f"the fold of {contract}"
        ours, theirs = self.book, replay.licences
        for name in (
            "states",
            "periods",
            "holders",
            "sources",
            "live",
            "nonces",
            "offers",
            "grants",
            "disputes",
        ):
            assert getattr(theirs, name) == getattr(ours, name), f"replay: {name}"
        assert replay.catalogues.catalogues == self.ledger.catalogues.catalogues, "replay: catalogues"
        assert replay.splits.cumulatives == self.ledger.splits.cumulatives, "replay: cumulatives"
        assert replay.splits.accounts == self.ledger.splits.accounts, "replay: accounts"

    def _told_features(self, tally: Counter[tuple[str, str]]) -> None:
        """Counts what the history met, so that the mix is known."""
        tally["licences", str(self.book.count)] += 1
        for grant in self.book.grants.values():
            terms, state = grant.terms, self.book.states[grant.number]
            met = {
                "over life": terms.tiers_over_life,
                "per period": not terms.tiers_over_life,
                "guarantee": terms.guarantee,
                "advance": terms.advance_amount,
                "cap": terms.cap,
                "cap reached": terms.cap and self.book.owed_of(terms, state.sum_a, state.sum_b) == terms.cap,
                "deduction cap": terms.deduction_cap_ppm,
                "weighted": terms.distributions != ZERO_ADDRESS,
                "exclusive": terms.exclusive,
                "transferable": terms.transferable,
                "no reports": terms.period_months == 0,
                "fee token": self.town.fees[terms.token],
                "set-off left": state.set_off,
                "ended": state.status > 1,
                "held by the arbiter": self.book.holders[grant.number] == ARBITER,
                "offered by the arbiter": self.ledger.catalogues.owner_of(terms.catalogue) == ARBITER,
            }
            for name, holds in met.items():
                tally["feature", name] += bool(holds)
        for _, _, log in self.logs:
            tally["entry", TOPICS.get(log.topics[0], "")] += 1
