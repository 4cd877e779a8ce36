"""Attribution records against their files, and the duties of credit that follow from usage reports."""

from __future__ import annotations

from ledger.audit.findings import Duty
from ledger.domain.attribution import WorksUsed
from ledger.domain.attribution_book import Recorded, Training
from ledger.domain.attribution_checks import (
    NOTED,
    Flaw,
    FlawKind,
    UsageReported,
    check_batch_file,
    check_credits,
    check_duties,
    check_resends,
    check_training_file,
    place_of,
    repeated_outputs,
)
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.manifest import Manifest
from ledger.operations.attribution_files import read_credits, read_works
from ledger.operations.audit_files.desk import ATTRIBUTION, Desk, Part
from ledger.operations.audit_files.usage import UsageReports

#: Flaws of the parties' records that the records themselves admit: facts, as duties are.
_FACTS = NOTED | {FlawKind.REPEATED_OUTPUT}
_KINDS = {
    FlawKind.MISSING_CREDITS: "missing credits",
    FlawKind.MISSING_TRAINING: "missing training record",
    FlawKind.WEIGHTS: "weights of an output",
    FlawKind.CONTENT: "content of an output",
    FlawKind.UNKNOWN_WORK: "credit to an unknown work",
    FlawKind.REPEATED_OUTPUT: "output credited twice",
}


def check_attributions(desk: Desk, usage: UsageReports) -> None:
    """Every record against its file, and every licence's duty of credit against its usage reports."""
    for licence in desk.replay.licences.grants:
        if desk.scope.has_licence(licence):
            _duties(desk, usage, licence)
    named = [one for one in desk.replay.attributions.records.values() if desk.scope.has_licence(one.licence)]
    if not named:
        return
    detail = "the leaves of each file hash to the root recorded"
    with desk.part("files of attributions", len(named), detail) as part:
        for licence in dict.fromkeys(one.licence for one in named):
            _licence(desk, part, licence)


def _licence(desk: Desk, part: Part, licence: int) -> None:
    book = desk.replay.attributions
    for flaw in check_resends(book, licence):
        _found(desk, licence, flaw)
    root = desk.replay.licences.grants[licence].terms.works_root
    manifest = desk.manifest_of(root, f"licence {licence}", licence=licence)
    batches = []
    for one in book.of_licence(licence):
        content = desk.read(ATTRIBUTION, one.what.file_hash, place_of(one), licence=licence)
        if content is None:
            continue
        name = f"0x{one.what.file_hash.hex()}"
        try:
            if isinstance(one.what, Training):
                _training(desk, part, one, content, manifest)
                continue
            batch = read_credits(content, name)
        except LedgerError as error:
            part.compare(one.what.root, b"")
            _found(
                desk,
                licence,
                Flaw(FlawKind.MISSING_LEAVES, place_of(one), f"its file cannot be read: {error}"),
            )
            continue
        part.compare(one.what.root, batch.root)
        batches.append((one, batch))
        flaws = check_batch_file(one, batch)
        flaws += check_credits(batch, None if manifest is None else {work.id for work in manifest.works})
        _batch(desk, one, flaws)
    for flaw in repeated_outputs(batches):
        _fact(desk, licence, flaw, batches[-1][0].time)


def _training(desk: Desk, part: Part, one: Recorded, content: bytes, manifest: Manifest | None) -> None:
    if manifest is None:
        return  # its leaves are those of the manifest, whose absence is told
    try:
        used = WorksUsed(manifest, read_works(content, f"0x{one.what.file_hash.hex()}"))
    except ValueRefused as error:
        part.compare(one.what.root, b"")
        _found(desk, one.licence, Flaw(FlawKind.UNKNOWN_WORK, place_of(one), error.what))
        return
    part.compare(one.what.root, used.root)
    for flaw in check_training_file(one, used.root, len(used)):
        _found(desk, one.licence, flaw)


def _batch(desk: Desk, one: Recorded, flaws: list[Flaw]) -> None:
    for flaw in flaws:
        if flaw.kind in _FACTS:
            _fact(desk, one.licence, Flaw(flaw.kind, f"{place_of(one)}, {flaw.where}", flaw.what), one.time)
        else:
            _found(desk, one.licence, flaw)


def _found(desk: Desk, licence: int, flaw: Flaw) -> None:
    desk.found("attribution", flaw.where, f"{flaw.kind}: {flaw.what}", licence=licence)


def _fact(desk: Desk, licence: int, flaw: Flaw, since: int, period: int | None = None) -> None:
    who = desk.replay.licences.holders[licence]
    desk.duty(Duty(_KINDS[flaw.kind], flaw.where, flaw.what, since, licence, period, who=who))


def _duties(desk: Desk, usage: UsageReports, licence: int) -> None:
    """By the usage report that each period's last posting names."""
    from ledger.audit.history import span_of

    grant = desk.replay.licences.grants[licence]
    last = {one.period: one for one in desk.sources.postings if one.licence == licence and one.round == 0}
    reported: list[UsageReported] = []
    for period, posted in sorted(last.items()):
        report = usage.get(posted.usage_hash, licence, period)
        if report is not None:
            reported.append(report.reported(period))
    until = desk.verdict.time
    for flaw in check_duties(
        desk.replay.attributions, licence, grant.terms.attribution_duty, reported, until=until
    ):
        _, _, number = flaw.where.partition("period ")
        use = flaw.what.split(" ")[0]
        period = int(number) if number else min(one.period for one in reported if use in one.uses)
        _fact(desk, licence, flaw, span_of(desk.replay, licence, period).report_by, period)
