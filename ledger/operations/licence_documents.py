"""What a licence's terms document adds to the terms on chain, where the store has it."""

from __future__ import annotations

from ledger.domain.chain_terms import ChainTerms
from ledger.operations.licences import document_of
from ledger.operations.session import Session


def deduction_kinds(session: Session, terms: ChainTerms) -> frozenset[str]:
    """The kinds of deductions that the document allows; empty where it names none or is not in the store."""
    document = document_of(session, terms)
    return frozenset(document.money.deduction_kinds) if document is not None else frozenset()
