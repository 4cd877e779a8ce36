"""Whom an auditor means by a rights holder's name."""

from __future__ import annotations

import re

from ledger.domain.address import checksum_address, parse_address
from ledger.domain.errors import ValueRefused
from ledger.domain.text import clean
from ledger.operations.session import Session


def holder_address(session: Session, text: str) -> str:
    """An address of its digits, of an account's name, or of a holder's name in a manifest of the store.

    The name is only looked up: what is proved is the address. Raises LedgerError.
    """
    name = text.strip()
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", name) or name.startswith(("0x", "dev:")):
        return (parse_address(name) if name.startswith("0x") else session.address(name)).lower()
    from ledger.operations.books import read
    from ledger.operations.statement_facts import Facts

    facts = Facts(session, read(session), [])
    if not facts.has_name(name):
        return session.address(name).lower()
    payees = facts.named(name).payees
    if len(payees) == 1:
        return payees[0].lower()
    many = ", ".join(map(checksum_address, payees))
    raise ValueRefused(
        f"{clean(name)!r} has {len(payees)} payees in the manifests.",
        remedy=f"Name one of them: {many}."
        if payees
        else "Nobody has matched this holder to an address yet.",
    )
