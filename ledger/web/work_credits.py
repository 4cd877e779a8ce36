"""Credits to a rights holder's works: what attribution records say of them, as far as their files are in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.domain.attribution import FINE_TUNE
from ledger.domain.attribution_book import Recorded, Training
from ledger.domain.errors import AuditFailed, LedgerError, ValueRefused
from ledger.operations.attributions import kept_credits, kept_works, licensed_manifest
from ledger.web.figures import day, hex_of
from ledger.web.snapshot import Snapshot

#: Works named in one record.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class CreditedWork:
    """One record of a licence that names works of the holder. `weight`: their share of all weight, in per cent."""

    licence: int
    kind: str
    model: str
    day: str
    works: int
    named: tuple[str, ...]
    outputs: int
    weight: str
    root: str
    file_hash: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A record with what its file says of each work: outputs that credit it, and their weight."""

    record: Recorded
    known: bool
    works: dict[str, tuple[int, int]]

    @property
    def kind(self) -> str:
        """What was recorded."""
        if isinstance(self.record.what, Training):
            return "fine-tuning" if self.record.what.kind == FINE_TUNE else "training"
        return "outputs"


def counted_records(snapshot: Snapshot) -> list[Counted]:
    """Every record, its file read once."""
    found = snapshot.__dict__.get("_counted")
    if found is None:
        found = [_count(snapshot, one) for one in snapshot.books.attributions.records.values()]
        snapshot.__dict__["_counted"] = found
    return list(found)


def _count(snapshot: Snapshot, record: Recorded) -> Counted:
    session, books = snapshot.session, snapshot.books
    works: dict[str, tuple[int, int]] = {}
    try:
        if isinstance(record.what, Training):
            manifest = licensed_manifest(session, books, books.licences.grants[record.licence].terms)
            used = kept_works(session, record, manifest) if manifest is not None else None
            if used is None:
                return Counted(record, False, {})
            return Counted(record, True, dict.fromkeys(used.ids, (0, 0)))
        credits_ = kept_credits(session, record)
    except (AuditFailed, ValueRefused, LedgerError):
        # A file that is damaged says nothing; the audit names it.
        return Counted(record, False, {})
    if credits_ is None:
        return Counted(record, False, {})
    for work, part in zip(credits_.works, credits_.weights, strict=True):
        outputs, weight = works.get(work, (0, 0))
        works[work] = (outputs + 1, weight + part)
    return Counted(record, True, works)


def works_of(snapshot: Snapshot, payee: str) -> dict[str, str]:
    """The ids and titles of the works in which a payee has a share."""
    index = snapshot.__dict__.get("_works")
    if index is None:
        index = {}
        for manifest in snapshot.facts.manifests:
            for work in manifest.works:
                for share in work.shares:
                    if share.payee is not None:
                        index.setdefault(share.payee, {}).setdefault(work.id, work.title or work.id)
        snapshot.__dict__["_works"] = index
    return dict(index.get(payee, {}))


def credited_works(snapshot: Snapshot, payee: str) -> Iterator[CreditedWork]:
    """The records that name works of a payee, and those whose file nobody has shown."""
    mine = works_of(snapshot, payee)
    licences = set(snapshot.licences_of(payee))
    for one in counted_records(snapshot):
        what = one.record.what
        if one.record.licence not in licences:
            continue
        named = [work for work in one.works if work in mine]
        if one.known and not named:
            continue
        outputs = sum(one.works[work][0] for work in named)
        whole = sum(weight for _, weight in one.works.values())
        weight = sum(one.works[work][1] for work in named)
        scaled = weight * 10_000 // whole if whole else 0
        yield CreditedWork(
            one.record.licence,
            one.kind,
            what.model,
            day(one.record.time),
            len(named),
            tuple(mine[work] for work in named[:_NAMED]),
            outputs,
            f"{scaled // 100}.{scaled % 100:02d} %" if whole else "",
            hex_of(what.root),
            hex_of(what.file_hash) if one.known else "",
        )
