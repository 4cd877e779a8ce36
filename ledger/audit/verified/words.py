"""Which words of storage have to be proved anew: those that new entries changed, by the model, and some at random."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from ledger.audit.history import History
from ledger.audit.words import Scope
from ledger.audit.words_licences import NONCES_A_WORD

#: What a history has otherwise than the checkpoint before it, by the part's name: each item's key, and its old value
#: in a tuple, which is empty where there was none.
Changes = Mapping[str, Mapping[Any, tuple[Any, ...]]]

#: Parts that stand behind no word of storage.
_NO_WORDS = frozenset(
    {
        "replay.heads",
        "replay.counts",
        "replay.splits.funded",
        "replay.splits.moved",
        "replay.splits.paid",
        "replay._split_replay._controllers",
        "replay.attributions.records",
        "destinations",
        "moved_from",
        "lines",
        "credited_at",
    }
)
_BY_SPLIT = ("cumulatives", "page_states", "checkpoints", "accounts")
_BY_LICENCE = ("grants", "holders", "states", "sources")
_BY_PERIOD = ("periods", "disputes")


def touched(changes: Changes, history: History) -> Scope | None:
    """What to prove of a ledger that changed so. None where it cannot be told: then all is."""
    replay, left = history.replay, dict(changes)

    def taken(path: str) -> set[Any]:
        return set(left.pop(path, ()))

    for path in _NO_WORDS:
        taken(path)
    books = "replay.splits."
    published, credited = taken(books + "publications"), left.get(books + "cumulatives", {})
    placed, own = set(left.get(books + "page_states", ())), taken("own_slots")
    checked = set(left.get(books + "checkpoints", ()))
    splits = (
        published | {one[0] for name in _BY_SPLIT for one in taken(books + name)} | {one[0] for one in own}
    )
    pages = {(split, page) for split, _, page in placed} | {(split, 0) for split, _ in own}
    for split in {one[0] for one, old in credited.items() if not old} | published:
        # A credit does not write to pages, but the first one in a token makes its pages words to be proved.
        known = replay.splits.publications.get(split)
        pages |= {(split, page) for page in range(known.split.pages if known else 0)}
    payees = taken(books + "standing") | taken(books + "nonces")
    catalogues = taken("replay.catalogues.catalogues")
    books = "replay.licences."
    holders, live = left.get(books + "holders", {}), taken(books + "live")
    licences = {number for name in _BY_LICENCE for number in taken(books + name)} | taken("set_off_heads")
    periods = {key for name in _BY_PERIOD for key in taken(books + name)}
    periods |= {one[:2] for one in taken("replay.distributions.rounds")}
    licences |= {licence for licence, _ in periods}
    nonces = {(licensor, nonce // NONCES_A_WORD) for licensor, nonce in taken(books + "nonces")}
    offers = taken(books + "offers")
    # One past the last period is proved absent.
    periods |= {(number, replay.licences.states[number].next_period) for number in licences}
    if left or not {one for one, _ in live} <= {
        replay.licences.grants[one].terms.catalogue for one in licences
    }:
        return None
    return Scope(
        splits=frozenset(splits),
        pages=frozenset(pages),
        leaves=frozenset((split, index) for split, _, index in checked),
        licences=frozenset(licences),
        catalogues=frozenset(catalogues),
        payees=frozenset(payees),
        periods=frozenset(periods),
        offers=frozenset(offers),
        nonces=frozenset(nonces),
        licence_holders=frozenset(
            one for number, old in holders.items() for one in (replay.licences.holders[number], *old)
        ),
        counts=True,
    )


def sample(history: History, many: int) -> Scope:
    """Some of everything at random, that nobody can foretell: about so many of each kind."""
    replay, draw = history.replay, random.SystemRandom()

    def some(of: Iterable[Hashable]) -> list[Any]:
        held = list(of)
        return draw.sample(held, min(many, len(held)))

    periods = some(replay.licences.periods)
    pages = some(replay.splits.page_states)
    return Scope(
        splits=frozenset(some(replay.splits.publications)) | {one[0] for one in pages},
        pages=frozenset((split, page) for split, _, page in pages),
        leaves=frozenset((split, index) for split, _, index in some(replay.splits.checkpoints)),
        licences=frozenset(licence for licence, _ in periods),
        catalogues=frozenset(some(replay.catalogues.catalogues)),
        payees=frozenset(some(replay.splits.standing)),
        periods=frozenset(periods),
    )
