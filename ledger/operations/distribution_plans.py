"""A period's distribution from its built folder: worked out for what waits, published, bound, proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.chain import publication
from ledger.chain.requests import Outcome, Request, raise_failures
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.domain.calendar import calendar_period
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.licence_views import span_of
from ledger.domain.merkle_sum import MerkleSumTree, Split
from ledger.domain.money import parse_amount
from ledger.operations import books as reading
from ledger.operations import distribution_build, licences
from ledger.operations.catalogues import state_of
from ledger.operations.distributions import Files, Standing, standing
from ledger.operations.manifests import kept_manifest, read_manifest
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session
from ledger.operations.splits import missing_pages, publish_requests, short, sized

if TYPE_CHECKING:
    from ledger.domain.licence_book import LicenceBook
    from ledger.domain.manifest import Manifest
    from ledger.usage.distribution_folder import BuiltDistribution

#: Pages of a publication that are built and sent at a time, on a local node and on others: memory does not grow with
#: the split, and a public node takes no trial of more than 5 MB. Powers of two, so that no run is cut.
_PART_LOCAL, _PART = 2048, 512
#: Pages of the transaction that a plan shows.
_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Built:
    """A built folder as a posting needs it. Amounts are base units of `token`."""

    folder: Path
    licence: int
    period: int
    token: str
    split: Split
    payees: int
    amount: int
    usage_hash: bytes
    manifest_root: bytes
    rule_hash: bytes
    rule: str

    def files(self, uri: str = "") -> Files:
        """The hashes that the posting binds."""
        return Files(self.usage_hash, self.manifest_root, self.rule_hash, uri)


def build(
    session: Session,
    licence: int,
    period: int,
    usage: Path,
    out: Path,
    *,
    amount: str = "",
    manifest: str = "",
    supplement: Path | None = None,
    progress: Callable[[int], None] = lambda steps: None,
) -> Built:
    """Divides what waits for a period, or `amount` whole tokens of it, into a folder. Raises LedgerError.

    `supplement`: the folder of the distribution before, whose held part is divided among holders known now.
    """
    books = reading.read(session)
    held = standing(session, books, licence, period)
    granted = licences.read(session, licence)
    document = licences.document_of(session, granted.terms)
    if document is None:
        raise LedgerError(
            f"The terms document of licence {licence} is not in the store.",
            f"0x{granted.terms.document.hex()}",
            "It names the allocation rule.",
            "Put the document's file into the store, or give another: --files.",
        )
    works = _manifest(session, granted.terms.catalogue, manifest)

    def say(text: str) -> None:
        progress(1)

    if supplement is not None:
        if amount:
            raise ValueRefused("A supplement divides what was held.", remedy="Leave --amount out.")
        read_built(supplement, licence, period, held.token)
        made = distribution_build.build_supplement(out, supplement, works, document, progress=say)
        return _built(made, licence, period, held.token)
    _is_of_period(usage, books.licences, licence, period, session.now())
    usage_hash, table = _usage(usage)
    units = _amount(session, held, amount)
    made = distribution_build.build_distribution(
        out,
        [table],
        works,
        document,
        units,
        usage_hash=usage_hash,
        licence=licence,
        period=period,
        progress=say,
    )
    return _built(made, licence, period, held.token)


def _manifest(session: Session, catalogue: int, file: str) -> Manifest:
    if not file:
        return kept_manifest(session.files, state_of(session, catalogue).file_hash)
    try:
        return read_manifest(Path(file).expanduser().read_bytes(), file)
    except OSError as error:
        raise LedgerError("The file cannot be read.", file, error.strerror or str(error)) from error


def _usage(folder: Path) -> tuple[bytes, Path]:
    """Hash and table of an imported usage report, its files checked."""
    from ledger.operations.usage_files import REPORT_FILE, verify_folder

    held = verify_folder(folder)
    if not (held["accepted"]["lines"] or held["unmatched"]["lines"]):
        raise LedgerError(
            "The usage report has no line that counts, so it divides nothing.",
            str(folder),
            "Every usage line was rejected, or there was none.",
            "See why: `licence-ledger usage check FILE...`; then import a corrected report.",
        )
    return keccak256((folder / REPORT_FILE).read_bytes()), folder / "usage.parquet"


def _is_of_period(folder: Path, book: LicenceBook, licence: int, period: int, now: int) -> None:
    """Refuses a report of other days than the period's; where the licence begins or ends within a calendar period,
    the whole calendar period is taken too. A table that names no days is taken for the period's.
    """
    from ledger.operations.usage_files import read_description
    from ledger.usage.cells import read_date
    from ledger.usage.records import HEAD

    terms, span = book.grants[licence].terms, span_of(book, licence, period, now=now)
    first, last = _days(span.start, span.end)
    allowed = {(first, last), _days(*calendar_period(terms.start, terms.period_months, period))}
    for file in read_description(folder)["files"]:
        cells = [*file["head"], *[""] * len(HEAD.columns)]
        texts = [cells[HEAD.place(name)] for name in ("UsageStartDate", "UsageEndDate")]
        if not any(texts):
            continue
        days = tuple(read_date(text) for text in texts)
        if days not in allowed:
            raise ValueRefused(
                f"The usage report is not of period {period} of licence {licence}: its days are "
                f"{texts[0] or 'none'} to {texts[1] or 'none'}.",
                f"{folder}, {file['name']}",
                f"The period runs from {first} to {last}, both included; a report is of one whole period.",
                "Give the report of this period, or build the period that the report is of.",
            )


def _days(start: int, end: int) -> tuple[date, date]:
    """The first and the last day (UTC) of a time from `start` up to `end`."""
    first, last = (datetime.fromtimestamp(time, UTC).date() for time in (start, end - 1))
    return first, last


def _amount(session: Session, held: Standing, text: str) -> int:
    """Base units to be divided: at most what waits."""
    token = session.ledger.token(held.token)
    waits = held.outlook.waits
    units = parse_amount(text, token.decimals) if text else waits
    if not waits:
        raise LedgerError(
            f"Nothing waits for period {held.period} of licence {held.licence}.",
            remedy=f"It has to be paid first: `licence-ledger report pay {held.licence}`.",
        )
    if not 0 < units <= waits:
        raise ValueRefused(
            f"{shown_amount(token, units)} cannot be distributed: {shown_amount(token, waits)} wait.",
            "--amount",
            remedy="Leave it out to distribute all of it.",
        )
    return units


def read_built(folder: Path, licence: int, period: int, token: str) -> Built:
    """A built folder of this licence and period, every file checked. Raises LedgerError."""
    made = distribution_build.open_distribution(folder)
    made.check()
    source = made.source
    if (source.licence, source.period) != (licence, period):
        raise ValueRefused(
            f"The folder is a distribution of period {source.period} of licence {source.licence}.",
            str(folder),
            remedy=f"Give the one of period {period} of licence {licence}, or build it.",
        )
    if source.token and source.token != token:
        raise ValueRefused(
            f"The folder divides {checksum_address(source.token)}, the licence is paid in {checksum_address(token)}.",
            str(folder),
            remedy="Build it anew from the licence's terms.",
        )
    return _built(made, licence, period, token)


def _built(made: BuiltDistribution, licence: int, period: int, token: str) -> Built:
    source = made.source
    return Built(
        made.folder,
        licence,
        period,
        token,
        Split(made.root, made.total, made.depth),
        made.payees,
        made.amount,
        source.usage_hash,
        source.works_root,
        made.rule_hash,
        str(made.rule.document().get("key", "")),
    )


# ---- publication


def tree_of_folder(folder: Path) -> MerkleSumTree:
    """The split of a built folder, checked. Raises LedgerError."""
    made = distribution_build.open_distribution(folder)
    return made.tree


def plan_publish(session: Session, tree: MerkleSumTree) -> tuple[Plan, list[int]]:
    """What publishing the missing pages would do, with the first transactions; and their numbers."""
    sender = session.address()
    missing = missing_pages(session, tree)
    what = f"{sized(len(missing), 'page')} of split {short(tree.id)}"
    who = checksum_address(sender)
    effects = [Effect(who, "publishes", what, sized(tree.leaves, "payee"))] if missing else []
    first = _requests(session, tree, missing[:_SHOWN])
    return Plan(sender, effects, first), missing


def publish(
    session: Session,
    sender: Sender,
    tree: MerkleSumTree,
    missing: list[int],
    step: Callable[[int], None] = lambda pages: None,
) -> list[Outcome]:
    """Publishes pages, many transactions at a time; `step` hears how many pages more are public. Raises LedgerError."""
    outcomes: list[Outcome] = []
    size = _PART_LOCAL if session.is_local else _PART
    for start in range(0, len(missing), size):
        part = missing[start : start + size]
        # No trial of all first: nobody refuses a checked tree, and a local node takes no trial of so many bytes.
        outcomes += sender.send(_requests(session, tree, part))
        raise_failures(outcomes)
        step(len(part))
    return outcomes


def _requests(session: Session, tree: MerkleSumTree, pages: list[int]) -> list[Request]:
    """A local node takes transactions of any size and counts gas as we do: large calls, nothing estimated."""
    if session.is_local:
        return list(publication.publish_requests(tree, pages, session.ledger.splits.address))
    return publish_requests(session, tree, pages)


# ---- proofs


@dataclass(frozen=True, slots=True)
class PayeeProof:
    """That a payee has units in a split; `on_chain`: the contract says what it owes for this proof."""

    split: Split
    payee: str
    units: int
    index: int
    leaf: bytes
    words: list[bytes]

    def data(self) -> dict[str, Any]:
        """As values for `--json`: what Splits.claim takes."""
        return {
            "split": self.split.id,
            "root": self.split.root,
            "total": str(self.split.total),
            "depth": self.split.depth,
            "payee": checksum_address(self.payee),
            "units": str(self.units),
            "index": self.index,
            "leaf": self.leaf,
            "siblings": self.words,
        }


def prove(folder: Path, payee: str) -> PayeeProof:
    """The proof of a payee's leaf in a built folder. Raises LedgerError where it has none."""
    made = distribution_build.open_distribution(folder)
    tree = made.tree
    proof = made.prove(payee)
    return PayeeProof(tree.split, payee, proof.units, proof.index, proof.leaf, proof.words)


def prove_all(folder: Path, out: Path, step: Callable[[int], None] | None = None) -> int:
    """The proofs of all payees into one Parquet file; how many."""
    return distribution_build.prove_all(folder, out, step)
