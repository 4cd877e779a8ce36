"""What the entries do not tell of a statement: names, works and terms out of the store, tokens, distributions."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path

from ledger.domain.canonical import ZERO32
from ledger.domain.chain_terms import SCOPES
from ledger.domain.errors import AuditFailed, LedgerError, ValueRefused
from ledger.domain.manifest import Manifest, Share, Work
from ledger.domain.royalty import PPM
from ledger.domain.terms import TermsDocument
from ledger.domain.text import clean
from ledger.operations.books import Books
from ledger.operations.licences import document_of
from ledger.operations.manifests import kept_manifest, tree_of
from ledger.operations.session import Session
from ledger.report.history import LeafHistory
from ledger.report.statement import Currency, LicenceFacts, WorkShare

_USES = {
    "TRAIN": "aill::AiTraining",
    "FINE_TUNE": "aill::AiFineTuning",
    "INFER": "aill::AiInference",
    "COMMERCIAL_OUTPUT": "aill::AiInference",
    "RETRIEVE": "aill::AiRetrieval",
    "INDEX": "aill::AiRetrieval",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A rights holder: its name and its payees (none: nobody has matched it yet)."""

    name: str
    payees: tuple[str, ...]
    given_by_address: bool = False


@dataclass(frozen=True, slots=True)
class DistributionWork:
    """A row of a distribution's works.parquet; `units` are base units of its amount, `payee` is None where held."""

    work: str
    right_type: str
    holder: str
    payee: str | None
    share_ppm: int
    usages: int | None
    credit: int | None
    units: int
    state: str


@dataclass(frozen=True)
class ReadDistribution:
    """A distribution folder that is a split's, its files checked."""

    folder: Path
    split_id: bytes
    licence: int | None
    period: int | None
    token: str
    rows: tuple[DistributionWork, ...]

    @property
    def credit(self) -> int:
        """All attribution weight, each work once."""
        by_work = {row.work: row.credit or 0 for row in self.rows}
        return sum(by_work.values())


class Facts:
    """Looks things up once. Names are cleaned: nothing in them steers a terminal or turns a line around."""

    def __init__(self, session: Session, books: Books, distributions: Sequence[Path] = ()) -> None:
        self.session = session
        self.books = books
        self._missing: dict[str, None] = {}
        self._documents: dict[int, TermsDocument | None] = {}
        self._weights: dict[int, dict[str, list[tuple[Work, Share, Fraction]]]] = {}
        self._currencies: dict[str, Currency] = {}
        self.manifests: list[Manifest] = self._read_manifests()
        self.by_split: dict[bytes, Manifest] = self._splits()
        self.distributions = {one.split_id: one for one in map(_read_distribution, distributions)}
        #: The holder's name of each payee; of several the first, in the order of the manifests.
        self.names: dict[str, str] = {}
        self._payees: dict[str, dict[str, None]] = {}
        self._sharing: dict[str, set[str]] = {}
        for _, share in self._shares():
            name = clean(share.holder)
            held = self._payees.setdefault(name, {})
            if share.payee:
                held[share.payee] = None
                self.names.setdefault(share.payee, name)
                self._sharing.setdefault(share.payee, set()).add(name)

        self._missing_manifests = dict(self._missing)

    def for_one(self) -> Facts:
        """The same for one more statement: its notes and its symbols are of what that one asks for alone."""
        found = copy.copy(self)
        found._missing = dict(self._missing_manifests)
        found._currencies = {}
        return found

    # ---- names

    def has_name(self, name: str) -> bool:
        """Whether a manifest names this holder."""
        return clean(name) in self._payees

    def named(self, name: str) -> Named:
        """The holder of this name, with every payee that the manifests give it."""
        return Named(clean(name), tuple(self._payees[clean(name)]))

    def holders(self) -> list[str]:
        """Every holder's name."""
        return list(self._payees)

    def sharing(self, payee: str) -> set[str]:
        """The holders that one address is the payee of."""
        return self._sharing.get(payee, set())

    def _shares(self) -> Iterable[tuple[Work, Share]]:
        for manifest in self.manifests:
            for work in manifest.works:
                for share in work.shares:
                    yield work, share

    def _read_manifests(self) -> list[Manifest]:
        """Every manifest that a catalogue had, the newest first, as far as the store has it."""
        hashes: dict[bytes, int] = {}
        for event in self.books.events:
            if event.name in ("CatalogueCreated", "ManifestReplaced"):
                hashes[event.entry["fileHash"]] = event.entry.number
        found = []
        for file_hash, number in reversed(hashes.items()):
            try:
                found.append(kept_manifest(self.session.files, file_hash))
            except AuditFailed:
                raise
            except LedgerError:
                self._missing[
                    f"A manifest of catalogue {number} (0x{file_hash.hex()}) is not in the store: "
                    "its works and names are not told here."
                ] = None
        return found

    def _splits(self) -> dict[bytes, Manifest]:
        found: dict[bytes, Manifest] = {}
        for manifest in self.manifests:
            try:
                found.setdefault(tree_of(manifest).id, manifest)
            except LedgerError:
                continue
        return found

    # ---- licences and tokens

    def licence(self, number: int) -> LicenceFacts:
        """What a licence's terms say that a statement names."""
        terms = self.books.licences.grants[number].terms
        document = self.document(number)
        uses = [_USES[name] for bit, name in enumerate(SCOPES) if terms.scope >> bit & 1 and name in _USES]
        territory = ""
        if document is not None:
            reach = document.reach.territories
            territory = "|".join(reach.include) + "".join(f"|-{one}" for one in reach.exclude)
        return LicenceFacts(
            number,
            self.books.licences.holders[number],
            clean(document.title) if document is not None else "",
            tuple(dict.fromkeys(uses)),
            territory,
            clean(f"{document.model.name} {document.model.version}") if document is not None else "",
            terms.start,
            terms.end,
        )

    def document(self, number: int) -> TermsDocument | None:
        """The terms document, where the store has it."""
        if number not in self._documents:
            grant = self.books.licences.grants[number]
            self._documents[number] = document_of(self.session, grant.terms)
        if self._documents[number] is None:
            self._missing[
                f"The terms document of licence {number} is not in the store: title, model and territory are not "
                "told here."
            ] = None
        return self._documents[number]

    def currency(self, token: str) -> Currency:
        """A token; its symbol is made unlike the others' by its address. Unknown decimals: base units.

        The tokens of licences come first: one that anybody gave a split may call itself as it likes.
        """
        if not self._currencies:
            for one in self._licensed():
                self._name(one)
        return self._name(token)

    def used(self) -> list[Currency]:
        """The tokens of all licences, in their order."""
        return [self.currency(one) for one in self._licensed()]

    def _licensed(self) -> Iterable[str]:
        return dict.fromkeys(grant.terms.token for grant in self.books.licences.grants.values())

    def _name(self, token: str) -> Currency:
        if token not in self._currencies:
            held = self.session.ledger.token(token)
            try:
                symbol = clean(held.symbol) or "token"
            except ValueRefused:  # there is no code any more
                symbol = "token"
            try:
                decimals = held.decimals
            except ValueRefused:
                decimals, symbol = 0, f"{symbol} base units"
            if any(one.symbol == symbol for one in self._currencies.values()):
                symbol = f"{symbol} {token}"
            self._currencies[token] = Currency(token, symbol, decimals)
        return self._currencies[token]

    # ---- works

    def works(self, leaf: LeafHistory) -> tuple[WorkShare, ...]:
        """The works that a leaf's units come from: by the distribution's table, else by the split's manifest."""
        if leaf.split_id in self.distributions:
            return self._distributed(self.distributions[leaf.split_id], leaf)
        manifest = self.by_split.get(leaf.split_id)
        if manifest is None:
            return ()
        parts = self._parts(manifest).get(leaf.payee, [])
        scale = lcm(*(value.denominator for _, _, value in parts)) if parts else 1
        return tuple(
            WorkShare(
                clean(work.id),
                clean(work.title),
                identifiers_text(work),
                clean(share.right_type),
                clean(share.holder),
                share.ppm,
                int(value * scale),
            )
            for work, share, value in parts
        )

    def _parts(self, manifest: Manifest) -> dict[str, list[tuple[Work, Share, Fraction]]]:
        """The weighted shares of a manifest by payee, reckoned once."""
        if id(manifest) not in self._weights:
            found: dict[str, list[tuple[Work, Share, Fraction]]] = {}
            for work in manifest.works:
                rights = {share.right_type for share in work.shares}
                weights = {right: manifest.right_weights.get(right, Fraction(1)) for right in rights}
                whole = sum(weights.values(), Fraction(0))
                for share in work.shares:
                    value = work.weight * weights[share.right_type] / whole * share.part
                    if share.payee and value:
                        found.setdefault(share.payee, []).append((work, share, value))
            self._weights[id(manifest)] = found
        return self._weights[id(manifest)]

    def _distributed(self, held: ReadDistribution, leaf: LeafHistory) -> tuple[WorkShare, ...]:
        mine = [row for row in held.rows if row.payee == leaf.payee and row.units]
        if sum(row.units for row in mine) != leaf.units:
            raise AuditFailed(
                "The works of the distribution do not sum to the payee's units.",
                str(held.folder),
                remedy="Build the distribution again.",
            )
        return tuple(self.work_share(held, row) for row in mine)

    def work_share(self, held: ReadDistribution, row: DistributionWork) -> WorkShare:
        """A row of a distribution's works, with title and identifiers where a manifest has them."""
        known = self._work(row.work)
        whole = held.credit
        return WorkShare(
            clean(row.work),
            clean(known.title) if known else "",
            identifiers_text(known) if known else "",
            clean(row.right_type),
            clean(row.holder),
            row.share_ppm,
            row.units,
            row.usages,
            row.credit * PPM // whole if row.credit is not None and whole else None,
        )

    def _work(self, work_id: str) -> Work | None:
        for manifest in self.manifests:
            try:
                return manifest.work(work_id)
            except LedgerError:
                continue
        return None

    def notes(self) -> list[str]:
        """What could not be told."""
        return sorted(self._missing)


def identifiers_text(work: Work) -> str:
    """A work's identifiers and content hash, `KIND::value`, divided by |."""
    listed = [f"{str(one.kind).upper()}::{one.value}" for one in work.identifiers]
    if work.content_hash != ZERO32:
        listed.append(f"CONTENTHASH::0x{work.content_hash.hex()}")
    return clean("|".join(listed))


def _read_distribution(folder: Path) -> ReadDistribution:
    """A distribution folder, whole: files as its manifest hashes them, table and split as they are named."""
    import pyarrow.parquet as pq

    from ledger.usage.distribution_folder import WORKS, BuiltDistribution

    built = BuiltDistribution(folder)
    built.check()
    rows = tuple(
        DistributionWork(
            one["work"] or "",
            one["right_type"] or "",
            one["holder"] or "",
            "0x" + one["payee"].hex() if one["payee"] else None,
            int(one["share_ppm"] or 0),
            int(one["work_usages"]) if one["work_usages"] is not None else None,
            int(one["work_credit"]) if one["work_credit"] is not None else None,
            int(one["units"] or 0),
            one["state"],
        )
        for one in pq.read_table(folder / WORKS).to_pylist()
    )
    source = built.source
    return ReadDistribution(folder, built.split_id, source.licence, source.period, source.token, rows)
