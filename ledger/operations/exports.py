"""Licence terms in the standards, of a file or of a licence; and two terms side by side."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.chain_terms import ChainTerms
from ledger.domain.errors import LedgerError
from ledger.domain.exports.formats import EXPORTERS
from ledger.domain.exports.subject import Export, Granted, Subject
from ledger.domain.terms import TermsDocument
from ledger.operations import licences
from ledger.operations.session import Session


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie on the web, and the currency that the token stands for; empty where nobody says so."""

    content: str = ""
    terms: str = ""
    currency: str = ""


def export(subject: Subject, format_: str) -> Export:
    """The terms in a format. Raises LedgerError for an unknown one."""
    if format_ not in EXPORTERS:
        raise LedgerError(
            f"There is no format {format_!r}.", remedy=f"Formats are {', '.join(EXPORTERS)}: --format FORMAT."
        )
    return EXPORTERS[format_](subject)


def of_document(document: TermsDocument, places: Places, chain_id: int | None) -> Subject:
    """Terms that nobody accepted yet. The chain's id, where it is known, names accounts and token fully."""
    return Subject(document, None, chain_id, places.content, places.terms, places.currency)


def of_licence(session: Session, number: int, given: TermsDocument | None, places: Places) -> Subject:
    """A licence, its document out of the store or `given`. Raises LedgerError where neither has it."""
    held = licences.read(session, number)
    document = given or licences.document_of(session, held.terms)
    if document is None:
        raise LedgerError(
            f"The terms document of licence {number} is not in the store: the chain knows its hash only.",
            "0x" + held.terms.document.hex(),
            remedy="Ask the licensor for it and give it: --terms FILE.",
        )
    check_document(document, held.terms, number)
    granted = Granted(session.rpc.chain_id, session.ledger.licences.address, number, held.holder)
    place = places.terms or (held.uri if "://" in held.uri else "")
    return Subject(document, granted, session.rpc.chain_id, places.content, place, places.currency)


def check_document(document: TermsDocument, terms: ChainTerms, number: int) -> None:
    """Refuses a document that is not the licence's."""
    if document.hash != terms.document:
        raise LedgerError(
            f"The document is not that of licence {number}.",
            why=f"Its hash is 0x{document.hash.hex()}; the licence's document has 0x{terms.document.hex()}.",
            remedy="Give the document that was accepted, unchanged.",
        )
