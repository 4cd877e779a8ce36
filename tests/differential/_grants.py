"""Random steps of catalogues and of grants: settings, announcements, owners, offers, acceptances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from _pair import keccak
from coincurve import PrivateKey
from strategies import (
    ARBITER,
    BUYER,
    FIGURE,
    GENESIS,
    LICENSEE,
    LICENSOR,
    LICENSOR_KEY,
    STRANGER,
    address,
    random_terms,
)

from ledger.domain.calendar import DAY, YEAR
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import MAX_SECONDS, Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.model import Ledger
from ledger.domain.royalty import NO_LIMIT, Tier


def address_of(key: bytes) -> str:
    """The address of a private key."""
    return "0x" + keccak(PrivateKey(key).public_key.format(compressed=False)[1:])[12:].hex()


HEIR_KEY = keccak(b"heir")
HEIR, POOR = address_of(HEIR_KEY), address("poor")
KEYS = {LICENSOR: LICENSOR_KEY, HEIR: HEIR_KEY}
LATEST = GENESIS + 60 * YEAR
URIS = ("", "ipfs://terms", "https://example.org/terms-of-a-rather-long-name/ü.json")
#: One bad field each, by the position that Licences_BadTerms names; 27 is the encoding.
BAD_TERMS: dict[int, dict[str, Any]] = {
    0: {"document": bytes(32)},
    1: {"works_root": bytes(32)},
    4: {"token": ZERO_ADDRESS},
    5: {"scope": 0, "exclusive": 0},
    6: {"scope": 1, "exclusive": 2},
    7: {"start": 946_684_799},
    8: {"end": 946_684_800, "start": 946_684_800},
    10: {"upfront_fee": FIGURE},
    13: {"deduction_cap_ppm": 1_000_001},
    14: {"period_months": 0, "tiers": (), "guarantee": 1},
    15: {"cap": FIGURE},
    16: {"late_rate_ppm": 10_000_001},
    18: {"period_months": 2},
    20: {"days_to_report": 2, "days_to_pay": 1},
    22: {"attribution_duty": 4},
    26: {"period_months": 1, "tiers": (Tier(5, 1), Tier(5, 1), Tier(NO_LIMIT, 1))},
    27: {"period_months": 1, "tiers": tuple(Tier(min(at * 9, NO_LIMIT), 1) for at in range(1, 18))},
}


@dataclass(frozen=True)
class Step:
    """One call: the model's method, who calls it and when, and its arguments; `terms` are those given with it."""

    name: str
    caller: str
    now: int
    args: dict[str, Any] = field(default_factory=dict)
    terms: ChainTerms | None = None


@dataclass
class Plan:
    """A licence to be granted."""

    terms: ChainTerms
    offered: Offer | None = None
    tries: int = 0


class Grants:
    """Makes the steps of one history up to its licences."""

    def __init__(
        self, rng: Random, ledger: Ledger, tokens: list[str], splits: list[bytes], homeless: bytes
    ) -> None:
        self.rng, self.ledger, self.book = rng, ledger, ledger.licences
        self.splits, self.homeless = splits, homeless
        # The last one has no split yet.
        last = ledger.catalogues.count
        self.catalogue = last if rng.random() < 0.03 else rng.randrange(1, last)
        token = rng.choices(tokens, (80, 16, 4))[0]
        self.plans = [self._plan(token) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
        self.now = max(GENESIS, self.plans[0].terms.start + rng.randrange(-30 * DAY, 120 * DAY))
        self.scale = 10 ** rng.randrange(2, 14)
        self.nonce = rng.choice((0, 1, 2**255, 2**256 - 40))
        #: Steps that come next, right ones all of them.
        self.script: list[Callable[[], Step]] = []
        self.length = rng.randrange(8, 17)

    def _plan(self, token: str) -> Plan:
        rng = self.rng
        terms = random_terms(rng, catalogue=self.catalogue, token=token)
        if rng.random() < 0.6:
            terms = replace(terms, exclusive=0)
        return Plan(terms)

    def _make(self, name: str, caller: str, **args: Any) -> Step:
        return Step(name, caller, self.now, args)

    @property
    def owner(self) -> str:
        return self.ledger.catalogues.owner_of(self.catalogue)

    def _one_of(self, right: str, chance: float = 0.94) -> str:
        """Who may do it, most of the time."""
        rng = self.rng
        return right if rng.random() < chance else rng.choice((LICENSEE, BUYER, LICENSOR, HEIR, STRANGER))

    def _until(self, time: int) -> None:
        self.now = max(self.now, min(time, LATEST))

    def _catalogue_step(self) -> Step:
        rng = self.rng
        # Every place of the list, and one past the end.
        catalogue = (
            self.catalogue if rng.random() < 0.95 else rng.choice((0, self.ledger.catalogues.count + 1))
        )
        owner = self.owner if self.catalogue <= self.ledger.catalogues.count else LICENSOR
        pending = self.ledger.catalogues.catalogues.get(self.catalogue)
        invited = pending is not None and pending.pending_owner in (HEIR, ARBITER)
        match rng.choices(range(5), (6, 2, 3 if invited else 1, 1, 1))[0]:
            case 0:
                split = rng.choice(self.splits) if rng.random() < 0.93 else self.homeless
                return self._make("announce", self._one_of(owner), catalogue=catalogue, split_id=split)
            case 1:
                to = rng.choice((HEIR, HEIR, LICENSOR, ARBITER, ZERO_ADDRESS))
                return self._make(
                    "offer_ownership", self._one_of(owner), catalogue=catalogue, pending_owner=to
                )
            case 2:
                heir = ARBITER if pending and pending.pending_owner == ARBITER else HEIR
                return self._make("accept_ownership", self._one_of(heir, 0.8), catalogue=catalogue)
            case 3:
                root = rng.choice((bytes(32), *[rng.randbytes(32)] * 5))
                file = rng.choice((bytes(32), *[rng.randbytes(32)] * 5))
                uri = rng.choice(URIS)
                return self._make(
                    "replace_manifest",
                    self._one_of(owner),
                    catalogue=catalogue,
                    works_root=root,
                    file_hash=file,
                    uri=uri,
                )
            case _:
                return self._make("create", rng.choice((LICENSOR, HEIR)), settings=self._settings())

    def _settings(self) -> Settings:
        rng = self.rng
        good = Settings(
            rng.randbytes(32),
            rng.randbytes(32),
            rng.choice((ARBITER, ZERO_ADDRESS)),
            rng.choice((0, 1, MAX_SECONDS)),
            rng.choice((3600, MAX_SECONDS)),
            rng.choice((3600, MAX_SECONDS)),
            rng.choice(URIS),
        )
        bad: list[dict[str, Any]] = [
            {"works_root": bytes(32)},
            {"file_hash": bytes(32)},
            {"notice": MAX_SECONDS + 1},
            {"dispute_window": rng.choice((0, 3599, MAX_SECONDS + 1))},
            {"arbiter_window": rng.choice((0, 3599, 2**32 - 1))},
        ]
        return good if rng.random() < 0.4 else replace(good, **rng.choice(bad))

    def _grant(self, plan: Plan) -> Step:
        rng = self.rng
        plan.tries += 1
        self.nonce += 1
        self.now += rng.choice((0, 0, 1, DAY))
        owner = self.owner if self.catalogue <= self.ledger.catalogues.count else LICENSOR
        offer = Offer(self.nonce, self.now + rng.choice((0, 5 * DAY, 5 * DAY)), rng.choice(URIS))
        terms = plan.terms
        roll = rng.random()
        if roll < 0.10:
            terms = replace(terms, **rng.choice(list(BAD_TERMS.values())))
        elif roll < 0.15:
            offer = replace(offer, deadline=self.now - rng.choice((1, DAY)))
        elif roll < 0.19:
            offer = replace(offer, nonce=self.nonce - 1)
        elif roll < 0.22:
            return self._make("cancel_nonce", owner, nonce=self.nonce - rng.randrange(2))
        elif roll < 0.26 and terms.end:
            self._until(terms.end)
            offer = replace(offer, deadline=self.now + DAY)
        if plan.offered and plan.offered.deadline < self.now and rng.random() < 0.8:
            plan.offered = None
        if plan.offered is None and rng.random() < 0.25:
            plan.offered = offer if roll >= 0.10 else None
            return self._make("offer", self._one_of(owner, 0.9), terms=terms, offer=offer)
        if plan.offered and rng.random() < 0.7:
            offer, signed = plan.offered, None
        else:
            signed = rng.choices((True, False, None), (92, 5, 3))[0]
        if signed and owner not in KEYS:
            signed = None  # the arbiter, which has no key
        caller = rng.choices((LICENSEE, BUYER, POOR, STRANGER), (84, 6, 6, 4))[0]
        if self.script:
            caller = LICENSEE
        return self._make("accept", caller, terms=terms, offer=offer, signed=signed)
