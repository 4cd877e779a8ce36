"""Manifests against the chain: the file that a catalogue names, its works root, and the split that its shares give."""

from __future__ import annotations

from fractions import Fraction

from ledger.audit.findings import Duty
from ledger.audit.sources import ManifestNamed, SplitNamed
from ledger.domain.address import checksum_address
from ledger.domain.canonical import hex32
from ledger.domain.errors import LedgerError
from ledger.domain.manifest import Manifest
from ledger.domain.merkle_sum import read_leaf
from ledger.operations.audit_files.desk import Desk, Part, largest
from ledger.operations.manifests import names_of, tree_of

SPLIT_DIFFERS = "split differs from manifest"
TWICE = "work in two catalogues"


def check_manifests(desk: Desk) -> None:
    """Every manifest that was ever named, and every split that was announced. Nothing is said where none was."""
    named = [one for one in desk.sources.manifests if desk.scope.has_catalogue(one.catalogue)]
    if not named:
        return
    detail = "the works root of each file is the one on chain"
    with desk.part("files of manifests", len(named), detail) as part:
        for one in named:
            _check(desk, part, one)
        _twice(desk)
        splits = [one for one in desk.sources.splits if desk.scope.has_catalogue(one.catalogue)]
        same = differing = 0
        for announced in splits:
            holds = _split(desk, announced)
            same += holds is True
            differing += holds is False
        part.notes.append(f"{same:,} of {len(splits):,} splits pay as their manifest says")
        if differing:
            part.notes.append(f"{differing:,} pay otherwise")


def _check(desk: Desk, part: Part, one: ManifestNamed) -> None:
    where = f"catalogue {one.catalogue}"
    manifest = desk.manifest(one.file_hash, where)
    if manifest is None:
        return
    if not part.compare(one.works_root, manifest.works_root):
        what = (
            f"its manifest 0x{one.file_hash.hex()} has the works root {hex32(manifest.works_root)}, "
            f"on chain is {hex32(one.works_root)}"
        )
        desk.found("manifest", where, what, block=one.block, entry=f"Catalogues {one.entry}")


def _twice(desk: Desk) -> None:
    """Works that two standing manifests have: a fact, since the catalogues may license different rights in them."""
    standing = {one.catalogue: one for one in desk.sources.manifests}
    first: dict[str, tuple[int, str]] = {}
    shared: dict[tuple[int, int], list[str]] = {}
    for number, one in standing.items():
        manifest = desk.manifest(one.file_hash, f"catalogue {number}")
        for work in manifest.works if manifest is not None else ():
            known = {first[name]: name for name in reversed(names_of(work)) if name in first}
            for (other, theirs), name in known.items():
                if other != number:
                    shared.setdefault((number, other), []).append(f"{work.id!r} is {theirs!r} there ({name})")
            for name in names_of(work):
                first.setdefault(name, (number, work.id))
    for (number, other), told in shared.items():
        if desk.scope.has_catalogue(number) or desk.scope.has_catalogue(other):
            more = f"; and {len(told) - 3:,} more" if len(told) > 3 else ""
            what = "; ".join(told[:3]) + more
            owner = desk.replay.catalogues.owner_of(number)
            desk.duty(Duty(TWICE, f"catalogues {number} and {other}", what, standing[number].time, who=owner))


def _split(desk: Desk, one: SplitNamed) -> bool | None:
    """Whether a split is the one that its manifest gives; None where nobody can say.

    A list of units may be announced in the place of a manifest, so a difference is a fact, not a lie.
    """
    where = f"catalogue {one.catalogue}"
    held = [desk.manifest(named.file_hash, where) for named in desk.sources.manifests_about(one)]
    known = [manifest for manifest in held if manifest is not None]
    if any(_gives(manifest, one.split) for manifest in known):
        return True
    if not known or None in held:
        return None
    manifest = known[0]
    apart = differences(desk, one.split, manifest)
    told = [
        f"{checksum_address(payee)} gets {_ppm(is_)}, by the manifest {_ppm(should)}"
        for payee, is_, should in apart
    ]
    desk.duty(
        Duty(
            SPLIT_DIFFERS,
            f"catalogue {one.catalogue}, split {hex32(one.split)[:18]}",
            "; ".join(told) or "its payees have the same parts in other units",
            one.time,
            split=one.split,
            who=desk.replay.catalogues.owner_of(one.catalogue),
        )
    )
    return False


def _gives(manifest: Manifest, split: bytes) -> bool:
    try:
        return tree_of(manifest).id == split
    except LedgerError:
        return False  # nobody in it has a payee


def differences(desk: Desk, split: bytes, manifest: Manifest) -> list[tuple[str, Fraction, Fraction]]:
    """The payees whose part of a split is farthest from the manifest's: payee, part, part by the manifest."""
    known = desk.replay.splits.publications.get(split)
    if known is None:
        return []
    pays: dict[str, Fraction] = {}
    for words in known.pages.values():
        for word in words:
            payee, units = read_leaf(word)
            if units:
                pays[payee] = pays.get(payee, Fraction(0)) + Fraction(units, known.split.total)
    try:
        units_of = dict(manifest.units().entries)
    except LedgerError:
        units_of = {}
    whole = sum(units_of.values())
    should = {payee: Fraction(units, whole) for payee, units in units_of.items()}
    apart = {payee: pays.get(payee, Fraction(0)) - should.get(payee, Fraction(0)) for payee in pays | should}
    scaled = ((payee, int(part * 10**24)) for payee, part in apart.items() if part)
    return [
        (payee, pays.get(payee, Fraction(0)), should.get(payee, Fraction(0))) for payee, _ in largest(scaled)
    ]


def _ppm(part: Fraction) -> str:
    return f"{float(part * 100):.4f} %"
