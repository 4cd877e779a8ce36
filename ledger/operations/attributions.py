"""Training runs and batches of outputs: recorded under a licence, listed, checked against their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.chain.requests import Outcome, Request
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.domain.attribution import FINE_TUNE, TRAIN, Credits, WorksUsed, model_text
from ledger.domain.attribution_book import Batch, Recorded, Training
from ledger.domain.attribution_checks import (
    NOTED,
    Flaw,
    FlawKind,
    check_batch_file,
    check_credits,
    check_resends,
    check_training_file,
    place_of,
    repeated_outputs,
)
from ledger.domain.canonical import hex32, keccak256
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.errors import AuditFailed, Findings, LedgerError, ValueRefused
from ledger.domain.licence_types import Grant
from ledger.domain.manifest import Manifest
from ledger.operations import books as books_of
from ledger.operations.attribution_files import read_credits, read_works
from ledger.operations.books import Books
from ledger.operations.licences import document_of
from ledger.operations.manifests import kept_manifest
from ledger.operations.plan import Effect, Plan
from ledger.operations.session import Session, send_all
from ledger.operations.splits import short, sized

KINDS = {"training": TRAIN, "fine-tuning": FINE_TUNE}


@dataclass(frozen=True, slots=True)
class File:
    """A file that the user gave: its bytes, and its name for messages."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Model:
    """The model as the command line names it; empty: as the terms document does."""

    name: str = ""
    version: str = ""


@dataclass
class Record:
    """What would be recorded. `before`: it is recorded already, so nothing is sent."""

    licence: int
    what: Training | Batch
    content: bytes
    plan: Plan
    before: Recorded | None
    flaws: list[Flaw] = field(default_factory=list)


# ---- recording


def plan_training(
    session: Session,
    licence: int,
    file: File,
    kind: int,
    model: Model,
    *,
    manifest: Manifest | None,
    uri: str,
) -> Record:
    """A training run by the list of the works it used. Raises LedgerError for whatever would be refused."""
    ids = read_works(file.content, file.name)
    books = books_of.read(session)
    grant = grant_of(books, licence)
    licensed = manifest or licensed_manifest(session, books, grant.terms)
    if licensed is None:
        raise LedgerError(
            f"The works manifest of licence {licence} is not in the store.",
            hex32(grant.terms.works_root),
            "The leaves of a training run are those of the manifest.",
            "Ask the licensor for it and give it: --manifest FILE.",
        )
    _require_root(licensed, grant)
    try:
        used = WorksUsed(licensed, ids)
    except ValueRefused as error:
        error.where = file.name
        raise
    run = Training(
        kind, _model(session, grant.terms, model), used.root, len(used), keccak256(file.content), uri
    )
    return _planned(session, books, grant, run, file)


def plan_outputs(
    session: Session, licence: int, file: File, model: Model, *, manifest: Manifest | None, uri: str
) -> Record:
    """A batch of outputs by its credits. `flaws` are what a check will find. Raises LedgerError."""
    batch = read_credits(file.content, file.name)
    books = books_of.read(session)
    grant = grant_of(books, licence)
    licensed = manifest or licensed_manifest(session, books, grant.terms)
    if licensed is not None:
        _require_root(licensed, grant)
    flaws = check_credits(batch, _ids(licensed))
    hard = Findings()
    for flaw in flaws:
        if flaw.kind not in NOTED:
            hard.add(flaw.where, flaw.what)
    hard.raise_if_any("The batch was refused", file.name)
    told = Batch(
        _model(session, grant.terms, model),
        batch.root,
        len(batch),
        batch.output_count,
        keccak256(file.content),
        uri,
    )
    record = _planned(session, books, grant, told, file)
    record.flaws = flaws
    return record


def _planned(session: Session, books: Books, grant: Grant, what: Training | Batch, file: File) -> Record:
    sender, number = session.address(), grant.number
    who, book, contract = checksum_address(sender), books.attributions, session.ledger.attributions
    key = (number, what.kind if isinstance(what, Training) else 0, what.root)
    before = book.records.get(key)
    request: Request
    if isinstance(what, Training):
        doing = f"{'training' if what.kind == TRAIN else 'fine-tuning'} on {sized(what.leaves, 'work')}"
        request = contract.record_training(number, grant.terms.encode(), what)
        if before is None:
            book.record_training(sender, number, what, now=session.now())
    else:
        doing = f"{sized(what.outputs, 'output')} with {sized(what.leaves, 'credit')}"
        request = contract.record_outputs(number, grant.terms.encode(), what)
        if before is None:
            book.record_outputs(sender, number, what, now=session.now())
    effect = Effect(who, "records", doing, f"under licence {number}, root {short(what.root)}")
    plan = Plan(sender, [effect], [request]) if before is None else Plan(sender, [])
    return Record(number, what, file.content, plan, before)


def record(session: Session, sender: Sender, made: Record) -> list[Outcome]:
    """Keeps the file and records it. Raises LedgerError."""
    session.files.put(made.content)
    return send_all(sender, made.plan.requests)


def grant_of(books: Books, licence: int) -> Grant:
    """A licence by its number. Raises LedgerError for an unknown one."""
    grant = books.licences.grants.get(licence)
    if grant is None:
        raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
    return grant


def licensed_manifest(session: Session, books: Books, terms: ChainTerms) -> Manifest | None:
    """The manifest that the terms license, out of the store; None where the store lacks it."""
    for event in books.events:
        if event.contract == "Catalogues" and event.entry.args.get("worksRoot") == terms.works_root:
            try:
                held = kept_manifest(session.files, event.entry["fileHash"])
            except AuditFailed:
                raise
            except LedgerError:
                continue
            if held.works_root == terms.works_root:
                return held
    return None


def _require_root(manifest: Manifest, grant: Grant) -> None:
    if manifest.works_root != grant.terms.works_root:
        raise ValueRefused(
            f"The manifest is not the one that licence {grant.number} is for.",
            why=f"Its works root is {hex32(manifest.works_root)}, the terms' {hex32(grant.terms.works_root)}.",
        )


def _ids(manifest: Manifest | None) -> set[str] | None:
    return None if manifest is None else {work.id for work in manifest.works}


def _model(session: Session, terms: ChainTerms, model: Model) -> str:
    name, version = model.name, model.version
    if not (name and version):
        document = document_of(session, terms)
        if document is None:
            raise LedgerError(
                "The terms document is not in the store, so the model's name is not known.",
                hex32(terms.document),
                remedy="Give --model NAME --model-version VERSION.",
            )
        name, version = name or document.model.name, version or document.model.version
    return model_text(name, version)


# ---- listing and checking


def records_of(books: Books, licence: int | None) -> list[Recorded]:
    """What is recorded, oldest first: of one licence, or of all."""
    if licence is not None:
        grant_of(books, licence)
    return [one for one in books.attributions.records.values() if licence in (None, one.licence)]


def kept_credits(session: Session, recorded: Recorded) -> Credits | None:
    """The credits of a recorded batch out of the store; None where the store lacks the file."""
    try:
        content = session.files.get(recorded.what.file_hash)
    except AuditFailed:
        raise
    except LedgerError:
        return None
    return read_credits(content, hex32(recorded.what.file_hash))


def kept_works(session: Session, recorded: Recorded, manifest: Manifest) -> WorksUsed | None:
    """The works of a recorded run out of the store; None where the store lacks the file."""
    try:
        content = session.files.get(recorded.what.file_hash)
    except AuditFailed:
        raise
    except LedgerError:
        return None
    return WorksUsed(manifest, read_works(content, hex32(recorded.what.file_hash)))


def check_file(
    session: Session, licence: int | None, file: File, manifest: Manifest | None
) -> tuple[Credits, list[Flaw], Recorded | None]:
    """A batch's file by itself, and where a licence is named against its works and records."""
    batch = read_credits(file.content, file.name)
    if licence is None:
        return batch, check_credits(batch, _ids(manifest)), None
    books = books_of.read(session)
    licensed = manifest or licensed_manifest(session, books, grant_of(books, licence).terms)
    flaws = check_credits(batch, _ids(licensed))
    recorded = books.attributions.records.get((licence, 0, batch.root))
    if recorded is None:
        digest = keccak256(file.content)
        named = (one for one in books.attributions.of_licence(licence) if one.what.file_hash == digest)
        recorded = next(named, None)
    if recorded is not None:
        flaws += check_batch_file(recorded, batch)
    others = [
        (one, kept)
        for one, kept in _batches(session, books, licence)
        if kept is not None and one is not recorded
    ]
    if recorded is None:
        # A batch that is not recorded yet is told by the root that it would have.
        recorded_as = Recorded(licence, Batch("", batch.root, len(batch), batch.output_count), "", 0)
        flaws += repeated_outputs([*others, (recorded_as, batch)])
    else:
        flaws += repeated_outputs([*others, (recorded, batch)])
    return batch, flaws, recorded


def check_licence(session: Session, licence: int) -> tuple[list[Recorded], list[Flaw]]:
    """Every record of a licence against its file in the store, and all of them together."""
    books = books_of.read(session)
    licensed = licensed_manifest(session, books, grant_of(books, licence).terms)
    records = records_of(books, licence)
    flaws = check_resends(books.attributions, licence)
    batches = []
    for one, batch in _batches(session, books, licence):
        if batch is None:
            flaws.append(_missing(one))
            continue
        batches.append((one, batch))
        flaws += check_batch_file(one, batch) + check_credits(batch, _ids(licensed))
    for one in records:
        if isinstance(one.what, Training):
            flaws += _check_run(session, one, licensed)
    return records, [*flaws, *repeated_outputs(batches)]


def _check_run(session: Session, recorded: Recorded, manifest: Manifest | None) -> list[Flaw]:
    if manifest is None:
        what = "the works manifest is not in the store"
        return [Flaw(FlawKind.MISSING_FILE, place_of(recorded), what)]
    try:
        used = kept_works(session, recorded, manifest)
    except ValueRefused as error:
        return [Flaw(FlawKind.UNKNOWN_WORK, place_of(recorded), error.what)]
    if used is None:
        return [_missing(recorded)]
    return check_training_file(recorded, used.root, len(used))


def _batches(session: Session, books: Books, licence: int) -> Iterator[tuple[Recorded, Credits | None]]:
    for one in books.attributions.of_licence(licence):
        if isinstance(one.what, Batch):
            yield one, kept_credits(session, one)


def _missing(recorded: Recorded) -> Flaw:
    what = f"its file {hex32(recorded.what.file_hash)} is not in the store"
    return Flaw(FlawKind.MISSING_FILE, place_of(recorded), what)
