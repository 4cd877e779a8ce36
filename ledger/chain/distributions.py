"""The contract Distributions as Python sees it: each act becomes a Request, each view a value.

`terms` are the bytes of ChainTerms.encode(), `settled` the distributions of all settled rounds of the period in order,
`rounds` these and, last, the one posted (`DistributionBook.settled` and `round_of` know them). An act that may rightly
be repeated with the same call data, since the arbiter took a posting away, takes an `occasion`: say the deadline of
the round, or for a sweep all that has arrived. Amounts are base units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.chain.contract import Contract, leaf_value, split_value, value_or_raise
from ledger.chain.requests import Request
from ledger.domain.distribution_types import Deadlines, Distribution, Objection, Outlook, Posting, Protest

Rounds = Sequence[Distribution]


def _posting(posting: Posting) -> tuple[Any, ...]:
    return (
        split_value(posting.split),
        posting.amount,
        posting.usage_hash,
        posting.manifest_root,
        posting.rule_hash,
        posting.uri,
    )


class Distributions(Contract):
    """IDistributions: which split the money of a usage-weighted period goes to."""

    def post(
        self,
        licence: int,
        terms: bytes,
        period: int,
        settled: Rounds,
        posting: Posting,
        *,
        occasion: str = "",
    ) -> Request:
        """Posts a distribution for the first round that is not settled."""
        return self._post("post", licence, terms, period, settled, posting, occasion)

    def replace(
        self,
        licence: int,
        terms: bytes,
        period: int,
        settled: Rounds,
        posting: Posting,
        *,
        occasion: str = "",
    ) -> Request:
        """Replaces what was posted, once."""
        return self._post("replace", licence, terms, period, settled, posting, occasion)

    def _post(
        self,
        function: str,
        licence: int,
        terms: bytes,
        period: int,
        settled: Rounds,
        posting: Posting,
        occasion: str,
    ) -> Request:
        note = f"{function} a distribution of period {period} of licence {licence}, round {len(settled)}"
        return self.request(
            function,
            licence,
            terms,
            period,
            list(settled),
            _posting(posting),
            note=note,
            occasion=occasion,
        )

    def object(
        self, licence: int, terms: bytes, period: int, rounds: Rounds, protest: Protest, *, occasion: str = ""
    ) -> Request:
        """Objects to what was posted. The bond is pulled by the sender's allowance to this contract."""
        given = (leaf_value(protest.leaf), split_value(protest.counter), protest.last, protest.pay)
        note = f"object to the distribution of period {period} of licence {licence}"
        return self.request(
            "object", licence, terms, period, list(rounds), given, note=note, occasion=occasion
        )

    def concede(
        self,
        licence: int,
        terms: bytes,
        period: int,
        rounds: Rounds,
        objection: Objection,
        *,
        occasion: str = "",
    ) -> Request:
        """Puts the counter-split in the place of the posted one."""
        note = f"concede the objection to period {period} of licence {licence}"
        return self.request(
            "concede", licence, terms, period, list(rounds), objection, note=note, occasion=occasion
        )

    def choose(
        self,
        licence: int,
        terms: bytes,
        period: int,
        rounds: Rounds,
        objection: Objection,
        choice: int,
        *,
        occasion: str = "",
    ) -> Request:
        """The arbiter chooses: 1 the posted split, 2 the counter-split, 3 the fallback."""
        what = {1: "the posted split", 2: "the counter-split", 3: "the fallback"}.get(choice, str(choice))
        note = f"choose {what} for period {period} of licence {licence}"
        return self.request(
            "choose", licence, terms, period, list(rounds), objection, choice, note=note, occasion=occasion
        )

    def settle(self, licence: int, period: int, rounds: Rounds, *, occasion: str = "") -> Request:
        """Settles a round that nobody objected to in time. Anyone may send it."""
        note = f"settle round {len(rounds) - 1} of period {period} of licence {licence}"
        return self.request("settle", licence, period, list(rounds), note=note, occasion=occasion)

    def close_objection(
        self, licence: int, period: int, rounds: Rounds, objection: Objection, *, occasion: str = ""
    ) -> Request:
        """Carries out the fallback where the arbiter was silent. Anyone may send it."""
        note = f"close the objection to period {period} of licence {licence}"
        return self.request(
            "closeObjection", licence, period, list(rounds), objection, note=note, occasion=occasion
        )

    def fall_back(self, licence: int, terms: bytes, period: int, last: Distribution) -> Request:
        """Carries out the fallback where nothing was posted. Anyone may send it."""
        note = f"carry out the fallback of period {period} of licence {licence}"
        return self.request("fallBack", licence, terms, period, last, note=note)

    def sweep(self, licence: int, period: int, settled: Rounds, *, occasion: str) -> Request:
        """Moves what arrived since through all settled rounds. Anyone may send it."""
        note = f"sweep late money of period {period} of licence {licence}"
        return self.request("sweep", licence, period, list(settled), note=note, occasion=occasion)

    def release(
        self, licence: int, terms: bytes, period: int, settled: Rounds, *, occasion: str = ""
    ) -> Request:
        """Releases all that is still held into the split of round 0. Anyone may send it."""
        note = f"release what is held of period {period} of licence {licence}"
        return self.request("release", licence, terms, period, list(settled), note=note, occasion=occasion)

    # Views; those that depend on the time are asked at block "pending".

    def deadlines(self, licence: int, terms: bytes, period: int, *, block: str = "latest") -> Deadlines:
        """The dates of a period."""
        return Deadlines(*self.view("deadlinesOf", licence, terms, period, block=block))

    def outlook(
        self, licence: int, terms: bytes, period: int, settled: Rounds, *, block: str = "pending"
    ) -> Outlook:
        """What can be done about a period now."""
        return Outlook(*self.view("outlookOf", licence, terms, period, list(settled), block=block))

    def rounds(self, licence: int, period: int, numbers: Sequence[int]) -> list[Any]:
        """IDistributions.Round of each round, as named tuples. Raises LedgerError."""
        return [
            value_or_raise(one) for one in self.views("roundOf", [(licence, period, one) for one in numbers])
        ]

    def last_stood(self, licence: int, period: int) -> tuple[bool, int]:
        """The last of the 12 periods before this one whose round 0 stood."""
        held = self.view("lastStood", licence, period)
        return held.found, held.lastPeriod

    def standing_split(self, licence: int, terms: bytes, period: int) -> bytes:
        """The standing split of a period."""
        return bytes(self.view("standingSplit", licence, terms, period))
