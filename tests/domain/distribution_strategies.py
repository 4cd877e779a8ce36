"""Random histories of weighted licences from a `random.Random`: reports, payments, postings, objections, late money.

The steps are chosen by looking at the model, so that short histories go far; wrong calls stand among the right ones.
`play` runs one on the model; a Solidity test sends the same and compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from strategies import ARBITER, BUYER, GENESIS, LICENSEE, LICENSOR, STRANGER, address, all_pages, random_terms

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, PPM, Tier

HOLDERS = tuple(map(address, ("ann", "ben", "cleo")))
HEIR, DONOR, POOR = map(address, ("heir", "donor", "poor"))
PEOPLE = (LICENSOR, LICENSEE, ARBITER, STRANGER, BUYER, HEIR, POOR, *HOLDERS)
UNITS = 2**96
DISTRIBUTION_CALLS = (
    *("post", "replace", "object", "concede", "choose"),
    *("settle", "close_objection", "fall_back", "sweep", "release"),
)
#: Calls that take no terms.
WITHOUT_TERMS = ("settle", "close_objection", "sweep")
LICENCE_CALLS = ("report", "pay", "restate", "give_notice", "terminate", "move")


@dataclass(frozen=True)
class Step:
    """One call: the model's method, its arguments by name, caller and time. `terms`: those given; None: none are."""

    name: str
    caller: str
    now: int
    args: dict[str, Any] = field(default_factory=dict)
    terms: ChainTerms | None = None


def play(ledger: Ledger, step: Step) -> list[tuple[str, Entry]] | Revert:
    """Runs a step on the model: all entries that it causes, by contract; or its error.

    The entries are in the order of the chain, but for those of Splits that a payment of Licences causes: these come
    first.
    """
    args = dict(step.args)
    try:
        match step.name:
            case "publish":
                entries = ledger.splits.publish(step.caller, args["tree"].split, all_pages(args["tree"]))
                return [("Splits", one) for one in entries]
            case "donate":
                return [("Splits", one) for one in ledger.splits.fund_account(step.caller, **args)]
            case "announce":
                entries = ledger.catalogues.announce(step.caller, **args, now=step.now)
                return [("Catalogues", one) for one in entries]
            case "offer_ownership" | "accept_ownership":
                entries = getattr(ledger.catalogues, step.name)(step.caller, **args)
                return [("Catalogues", one) for one in entries]
        if step.name in LICENCE_CALLS:
            ledger.pulled.clear()
            if step.name != "move":
                args["now"] = step.now
            entries = getattr(ledger.licences, step.name)(step.caller, **args)
            return [("Splits", one) for one in ledger.pulled] + [("Licences", one) for one in entries]
        if step.terms is not None:
            args["terms_hash"] = step.terms.hash
        getattr(ledger.distributions, step.name)(step.caller, **args, now=step.now)
        return list(ledger.distributions.told)
    except Revert as error:
        return error


@dataclass(frozen=True)
class Setting:
    """What a history starts from: a catalogue, the splits that it may announce, the terms of its licences."""

    settings: Settings
    trees: tuple[MerkleSumTree, ...]
    terms: tuple[ChainTerms, ...]


def random_setting(rng: Random, tokens: tuple[str, ...], distributions: str) -> Setting:
    """A catalogue with short or long windows, and three licences: two weighted ones, and one of another kind."""
    settings = Settings(
        rng.randbytes(32),
        rng.randbytes(32),
        rng.choice((ARBITER,) * 9 + (ZERO_ADDRESS, LICENSOR, HOLDERS[0])),
        notice=rng.choice((0, 10 * DAY)),
        dispute_window=rng.choice((3600, 2 * DAY, 20 * DAY)),
        arbiter_window=rng.choice((3600, 5 * DAY, 30 * DAY)),
    )
    trees = tuple(tree_of(rng, rng.randrange(3, 10**6), rng.randrange(2, 6)) for _ in range(3))
    common = {
        "catalogue": 1,
        "licensee": ZERO_ADDRESS,
        "exclusive": 0,
        "start": GENESIS + rng.randrange(60 * DAY),
        "transferable": True,
        "upfront_fee": 0,
        "advance": False,
        "tiers_over_life": False,
        "deduction_cap_ppm": 0,
        "guarantee": 0,
        "cap": 0,
        "tiers": (Tier(NO_LIMIT, PPM),),
    }
    terms = []
    for number in range(3):
        report = rng.randrange(10)
        more = {
            "token": rng.choice(tokens),
            "end": rng.choice((0, 0, common["start"] + rng.randrange(40 * DAY, 300 * DAY))),
            "period_months": rng.choice((1, 1, 1, 3)),
            "days_to_report": report,
            "days_to_pay": report + rng.randrange(20),
            "cure_days": rng.choice((0, 5)),
            "distributions": distributions if number < 2 else rng.choice((ZERO_ADDRESS, STRANGER)),
        }
        if number == 2 and rng.random() < 0.3:
            more |= {"distributions": distributions, "period_months": 0, "tiers": ()}
        terms.append(random_terms(rng, **{**common, **more}))
    return Setting(settings, trees, tuple(terms))


def tree_of(rng: Random, total: int, leaves: int) -> MerkleSumTree:
    """A split of `total` units, or of as many as fit, among the people and others."""
    known = rng.sample((*HOLDERS, *HOLDERS, POOR, LICENSEE, STRANGER), min(leaves, total))
    payees = [one if rng.random() < 0.7 else "0x" + rng.randbytes(20).hex() for one in dict.fromkeys(known)]
    total = min(total, len(payees) * (UNITS - 1))
    left, units = total, []
    for others in range(len(payees) - 1, -1, -1):
        most = min(UNITS - 1, left - others)
        least = max(1, left - others * (UNITS - 1))
        units.append(most if others == 0 else rng.randint(least, max(least, most)))
        left -= units[-1]
    return MerkleSumTree.build(zip(payees, units, strict=True))


def prepare(ledger: Ledger, setting: Setting, at: int) -> list[tuple[str, Entry]]:
    """Publishes, creates catalogue 1, and grants the licences at `at`; returns all entries."""
    told: list[tuple[str, Entry]] = []
    for tree in setting.trees:
        told += [("Splits", one) for one in ledger.splits.publish(LICENSOR, tree.split, all_pages(tree))]
    told += [("Catalogues", one) for one in ledger.catalogues.create(LICENSOR, setting.settings)]
    announced = ledger.catalogues.announce(LICENSOR, 1, setting.trees[0].id, at)
    told += [("Catalogues", one) for one in announced]
    for nonce, terms in enumerate(setting.terms):
        offer = Offer(nonce, at, "")
        told += [("Licences", one) for one in ledger.licences.offer(LICENSOR, terms, offer, now=at)]
        told += [("Licences", one) for one in ledger.licences.accept(LICENSEE, terms, offer, now=at)]
    return told
