"""The executable model of contracts/Catalogues.sol: manifests, the dated list of splits, ownership.

A method is a call: it changes the book and returns the entries that the contract records, or raises the
contract's error and changes nothing. Times are Unix seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS, uint_word
from ledger.domain.journal import Entry
from ledger.domain.reverts import Revert
from ledger.domain.undo import Undo

MAX_SECONDS = 3650 * DAY
MIN_WINDOW = 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """What is fixed when a catalogue is created, and its first manifest. Windows are seconds."""

    works_root: bytes
    file_hash: bytes
    arbiter: str = ZERO_ADDRESS
    notice: int = 0
    dispute_window: int = MIN_WINDOW
    arbiter_window: int = MIN_WINDOW
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The state of one catalogue. `splits` is the list of (effective time, split id)."""

    owner: str
    settings: Settings
    pending_owner: str = ZERO_ADDRESS
    splits: tuple[tuple[int, bytes], ...] = ()


class CatalogueBook:
    """The state of Catalogues. `is_published` asks Splits about a split; by default all are public."""

    def __init__(
        self, is_published: Callable[[bytes], bool] = lambda split_id: True, undo: Undo | None = None
    ) -> None:
        self.catalogues: dict[int, Catalogue] = {}
        self._is_published = is_published
        self._undo = undo or Undo()

    # Changes

    def create(self, caller: str, settings: Settings) -> list[Entry]:
        """Creates a catalogue that the caller owns; its number is the entry's id."""
        _check_manifest(settings.works_root, settings.file_hash)
        if settings.notice > MAX_SECONDS:
            raise Revert("Catalogues_BadSetting", 3)
        for window, which in ((settings.dispute_window, 4), (settings.arbiter_window, 5)):
            if not MIN_WINDOW <= window <= MAX_SECONDS:
                raise Revert("Catalogues_BadSetting", which)
        number = self.count + 1
        self._put(number, Catalogue(caller, settings))
        args = {
            "worksRoot": settings.works_root,
            "fileHash": settings.file_hash,
            "arbiter": settings.arbiter,
            "notice": settings.notice,
            "disputeWindow": settings.dispute_window,
            "arbiterWindow": settings.arbiter_window,
            "uri": settings.uri,
        }
        return [Entry("CatalogueCreated", uint_word(number), caller, args)]

    def replace_manifest(
        self, caller: str, catalogue: int, works_root: bytes, file_hash: bytes, uri: str
    ) -> list[Entry]:
        """Replaces the works manifest."""
        known = self._owned(catalogue, caller)
        _check_manifest(works_root, file_hash)
        settings = replace(known.settings, works_root=works_root, file_hash=file_hash, uri=uri)
        self._put(catalogue, replace(known, settings=settings))
        args = {"worksRoot": works_root, "fileHash": file_hash, "uri": uri}
        return [Entry("ManifestReplaced", uint_word(catalogue), caller, args)]

    def announce(self, caller: str, catalogue: int, split_id: bytes, now: int) -> list[Entry]:
        """Announces a published split: the first takes effect at once, any other after the notice.

        A pending one is overwritten. A notice of zero counts as one second, so that no second changes its
        split.
        """
        known = self._owned(catalogue, caller)
        if not self._is_published(split_id):
            raise Revert("Catalogues_SplitNotPublished", split_id)
        standing = known.splits
        effective = now
        if standing:
            effective += max(known.settings.notice, 1)
            if standing[-1][0] > now:
                standing = standing[:-1]
        self._put(catalogue, replace(known, splits=(*standing, (effective, split_id))))
        args = {"position": len(standing), "splitId": split_id, "effective": effective}
        return [Entry("SplitAnnounced", uint_word(catalogue), caller, args)]

    def offer_ownership(self, caller: str, catalogue: int, pending_owner: str) -> list[Entry]:
        """Names the next owner; the zero address takes the nomination back."""
        known = self._owned(catalogue, caller)
        self._put(catalogue, replace(known, pending_owner=pending_owner))
        return [Entry("OwnershipOffered", uint_word(catalogue), caller, {"pendingOwner": pending_owner})]

    def accept_ownership(self, caller: str, catalogue: int) -> list[Entry]:
        """Takes a catalogue over."""
        known = self.known(catalogue)
        if caller != known.pending_owner:
            raise Revert("Catalogues_NotPendingOwner", catalogue, caller)
        self._put(catalogue, replace(known, owner=caller, pending_owner=ZERO_ADDRESS))
        return [Entry("OwnershipMoved", uint_word(catalogue), caller, {"previousOwner": known.owner})]

    def _put(self, number: int, catalogue: Catalogue) -> None:
        with self._undo.call():
            self._undo.put(self.catalogues, number, catalogue)

    # Views

    @property
    def count(self) -> int:
        """How many catalogues there are."""
        return len(self.catalogues)

    def known(self, catalogue: int) -> Catalogue:
        """A catalogue's state."""
        if catalogue not in self.catalogues:
            raise Revert("Catalogues_Unknown", catalogue)
        return self.catalogues[catalogue]

    def owner_of(self, catalogue: int) -> str:
        """The owner, who is the licensor."""
        return self.known(catalogue).owner

    def rules_of(self, catalogue: int) -> tuple[str, int, int, int]:
        """Arbiter, notice, dispute window, arbiter window."""
        rules = self.known(catalogue).settings
        return rules.arbiter, rules.notice, rules.dispute_window, rules.arbiter_window

    def split_at(self, catalogue: int, time: int) -> bytes:
        """The split in force at `time`."""
        splits = self.known(catalogue).splits
        position = bisect_right(splits, time, key=lambda one: one[0])
        if position == 0:
            raise Revert("Catalogues_NoSplitAt", catalogue, time)
        return splits[position - 1][1]

    def split_by_position(self, catalogue: int, position: int) -> tuple[bytes, int]:
        """An announced split and when it takes effect."""
        splits = self.known(catalogue).splits
        if position >= len(splits):
            raise Revert("Catalogues_NoPosition", catalogue, position)
        effective, split_id = splits[position]
        return split_id, effective

    def _owned(self, catalogue: int, caller: str) -> Catalogue:
        known = self.known(catalogue)
        if caller != known.owner:
            raise Revert("Catalogues_NotOwner", catalogue, caller)
        return known


def _check_manifest(works_root: bytes, file_hash: bytes) -> None:
    if works_root == ZERO32:
        raise Revert("Catalogues_BadSetting", 1)
    if file_hash == ZERO32:
        raise Revert("Catalogues_BadSetting", 2)
