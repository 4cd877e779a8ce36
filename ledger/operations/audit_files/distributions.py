"""Distributions worked out again: usage report, manifest and rule give the split that was posted, or they do not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.audit.sources import Booking, Posted
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32, hex32
from ledger.domain.distribution_types import STOOD
from ledger.domain.errors import LedgerError
from ledger.domain.licence_types import MISSING, SETTLED
from ledger.domain.merkle_sum import read_leaf
from ledger.operations import distribution_build
from ledger.operations.audit_files.desk import Desk, Part, largest
from ledger.operations.audit_files.usage import UsageReport, UsageReports

if TYPE_CHECKING:
    from ledger.domain.terms import TermsDocument
    from ledger.usage.distribution_folder import BuiltDistribution


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a posting is worked out of."""

    usage: UsageReport
    terms: TermsDocument


def check_distributions(desk: Desk, usage: UsageReports) -> None:
    """Every posting, also those that were replaced or did not stand. Nothing is said where there is none."""
    named = [one for one in desk.sources.postings if desk.scope.has_licence(one.licence)]
    if not named:
        return
    hashed = [one for one in named if one.usage_hash != ZERO32]
    detail = "worked out again, the split's id is the one posted"
    with desk.part("files of distributions", len(hashed), detail) as part:
        for one in hashed:
            _check(desk, usage, part, one)
        if len(hashed) < len(named):
            part.notes.append(f"{len(named) - len(hashed):,} postings name no usage file")
        chosen = _without_files(desk, named)
        if chosen:
            part.notes.append(f"{chosen:,} rounds stood by a counter-split, which names no file")
        if usage.read_again:
            part.notes.append(f"{usage.read_again:,} usage reports read again from their files")
        if usage.taken:
            part.notes.append(
                f"{usage.taken:,} usage reports taken as imported: their files are not in the store"
            )


def _without_files(desk: Desk, named: list[Posted]) -> int:
    """Rounds that stood by a split which nobody posted."""
    posted = {(one.licence, one.period, one.round, one.split) for one in named}
    return sum(
        1
        for (licence, period, number), held in desk.replay.distributions.rounds.items()
        if held.stage == STOOD
        and held.what is not None
        and desk.scope.has_licence(licence)
        and (licence, period, number, held.what.split_id) not in posted
        and any((licence, period, number) == one[:3] for one in posted)
    )


def _check(desk: Desk, usage: UsageReports, part: Part, one: Posted) -> None:
    report = usage.get(one.usage_hash, one.licence, one.period)
    terms = desk.terms(one.licence)
    if report is None or terms is None:
        return
    desk.tell("recomputing", 1, 0, desk.history.entries)
    try:
        made = _rework(desk, one, Inputs(report, terms))
    except LedgerError as error:
        part.compare(one.split, b"")
        _found(desk, one, f"its files give no split: {' '.join(filter(None, (error.what, error.why)))}")
        return
    if made is None:
        return
    _compare(desk, part, one, made)
    _below(desk, one, report, terms)


# ---- working it out again


def _rework(desk: Desk, one: Posted, inputs: Inputs) -> BuiltDistribution | None:
    """The distribution that the files give; None, and told, where a manifest is missing."""
    before: list[Posted] = []
    for number in range(one.round):
        posted = [
            other
            for other in desk.sources.postings
            if (other.licence, other.period, other.round) == (one.licence, one.period, number)
        ]
        before.append(posted[-1])
    if before:
        made = _chain(desk, one, before, inputs)
        if made is None or made.split_id == one.split:
            return made
        # No supplement, then: what waits was divided by use anew.
        anew = _build(desk, one, inputs, one.amount, "anew")
        return anew if anew is not None and anew.split_id == one.split else made
    return _build(desk, one, inputs, one.amount, "first")


def _chain(desk: Desk, one: Posted, before: list[Posted], inputs: Inputs) -> BuiltDistribution | None:
    """A supplement: what the rounds before it held, among payees known when it was posted."""
    rounds = desk.replay.distributions.rounds
    made: BuiltDistribution | None = None
    for number, posted in enumerate([*before, one]):
        if made is None:
            stood = rounds[one.licence, one.period, number].what
            made = _build(desk, posted, inputs, stood.amount if stood else posted.amount, "round-0")
            if made is None:
                return None
            continue
        manifest = _manifest(desk, posted)
        if manifest is None:
            return None
        if not made.held:
            return made
        folder = _place(desk, one, f"round-{number}")
        made = distribution_build.build_supplement(folder, made.folder, manifest, inputs.terms)
    return made


def _build(desk: Desk, one: Posted, inputs: Inputs, amount: int, name: str) -> BuiltDistribution | None:
    manifest = _manifest(desk, one)
    if manifest is None:
        return None
    return distribution_build.build_distribution(
        _place(desk, one, name),
        [inputs.usage.table],
        manifest,
        inputs.terms,
        amount,
        usage_hash=inputs.usage.hash,
        licence=one.licence,
        period=one.period,
    )


def _place(desk: Desk, one: Posted, name: str) -> Path:
    return desk.scratch / f"distribution-{one.entry}-{name}"


def _manifest(desk: Desk, one: Posted) -> Any:
    where = _where(one)
    held = desk.manifest_of(one.manifest_root, where, licence=one.licence, period=one.period)
    if held is None and not desk.sources.file_of(one.manifest_root):
        what = f"no catalogue names a file for the works root {hex32(one.manifest_root)}"
        desk.gap("works manifest", one.manifest_root, where, what, licence=one.licence, period=one.period)
    return held


# ---- comparing


def _compare(desk: Desk, part: Part, one: Posted, made: BuiltDistribution) -> None:
    same = part.compare(one.split, made.split_id)
    if one.rule_hash != made.rule_hash:
        what = f"the rule posted is {hex32(one.rule_hash)}, the terms' is {hex32(made.rule_hash)}"
        _found(desk, one, what)
    if same and (one.total, one.amount) == (made.total, made.amount):
        return
    apart = _apart(desk, one, made)
    told = [f"{checksum_address(payee)} gets {posted:,}, by the file {due:,}" for payee, posted, due in apart]
    what = (
        f"posted are {one.total:,} of {one.amount:,} base units as split {hex32(one.split)}, the files give "
        f"{made.total:,} of {made.amount:,} as {hex32(made.split_id)}"
    )
    if told:
        what += f": {'; '.join(told)}"
    first = apart[0] if apart else None
    _found(desk, one, what, payee=first[0] if first else None, amount=first[1] - first[2] if first else None)


def _apart(desk: Desk, one: Posted, made: BuiltDistribution) -> list[tuple[str, int, int]]:
    """The payees with the greatest differences: payee, units posted, units by the files."""
    posted: dict[str, int] = {}
    for words in desk.replay.splits.publications[one.split].pages.values():
        for word in words:
            payee, units = read_leaf(word)
            if units:
                posted[payee] = posted.get(payee, 0) + units
    due: dict[str, int] = {}
    for payee, units in made.units():
        due[payee] = due.get(payee, 0) + units
    apart = ((payee, posted.get(payee, 0) - due.get(payee, 0)) for payee in posted | due)
    found = largest((payee, units) for payee, units in apart if units)
    return [(payee, posted.get(payee, 0), due.get(payee, 0)) for payee, _ in found]


def _below(desk: Desk, one: Posted, report: UsageReport, terms: TermsDocument) -> None:
    """A report below the books of the licensee that the usage report itself shows."""
    standing = _standing(desk, one.licence, one.period)
    gross = report.gross(one.licence, terms.money.symbol)
    if standing is None or gross is None:
        return
    shown = int(gross * 10**terms.money.decimals)
    if shown <= standing.gross:
        return
    missing = shown - standing.gross
    what = (
        f"its usage report {hex32(report.hash)} shows a gross revenue of {shown:,} base units, booked are "
        f"{standing.gross:,}: {missing:,} are missing in the books"
    )
    desk.found(
        "report below its usage file",
        f"licence {one.licence}, period {one.period}",
        what,
        block=standing.block,
        licence=one.licence,
        period=one.period,
        token=one.token,
        amount=missing,
        entry=f"Licences {standing.entry}",
    )


def _standing(desk: Desk, licence: int, period: int) -> Booking | None:
    """The figures that stand as reported; None where a dispute or nobody's report decided them."""
    told = [
        one
        for one in desk.sources.bookings
        if (one.licence, one.period) == (licence, period) and one.kind > 0
    ]
    return told[-1] if told and told[-1].kind not in (MISSING, SETTLED) else None


def _where(one: Posted) -> str:
    return f"licence {one.licence}, period {one.period}, distribution {one.round}"


def _found(desk: Desk, one: Posted, what: str, **more: Any) -> None:
    desk.found(
        "distribution",
        _where(one),
        what,
        block=one.block,
        licence=one.licence,
        period=one.period,
        split=one.split,
        token=one.token,
        entry=f"Distributions {one.entry}",
        **more,
    )
