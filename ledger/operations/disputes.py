"""Disputes over the figures of a period: proposed, answered, called before the arbiter, settled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.errors import ValueRefused
from ledger.domain.licence_types import BY_LICENSEE, BY_LICENSOR, Dispute
from ledger.domain.terms_fields import format_time
from ledger.operations.books import Books
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.report_files import ReportRow
from ledger.operations.reports import OtherFigures, other_figures
from ledger.operations.session import Session

PROPOSERS = {BY_LICENSEE: "the licensee", BY_LICENSOR: "the licensor"}


@dataclass(frozen=True, slots=True)
class Standing:
    """An open dispute, and who may do what about it. Times are Unix seconds."""

    licence: int
    period: int
    dispute: Dispute
    licensee: str
    licensor: str
    arbiter: str

    @property
    def proposer(self) -> str:
        """Address of the side that proposed."""
        return self.licensee if self.dispute.proposer == BY_LICENSEE else self.licensor

    @property
    def other(self) -> str:
        """Address of the side that may accept."""
        return self.licensor if self.dispute.proposer == BY_LICENSEE else self.licensee


def standing(books: Books, licence: int, period: int) -> Standing:
    """The open dispute over a period. Raises ValueRefused where there is none."""
    dispute = books.licences.dispute_of(licence, period)
    if dispute is None:
        raise ValueRefused(
            f"There is no open dispute over period {period} of licence {licence}.",
            remedy=f"See the periods: `licence-ledger report list {licence}`.",
        )
    catalogue = books.licences.grants[licence].terms.catalogue
    return Standing(
        licence,
        period,
        dispute,
        books.licences.holders[licence],
        books.catalogues.owner_of(catalogue),
        books.catalogues.rules_of(catalogue)[0],
    )


def plan_object(session: Session, books: Books, row: ReportRow, period: int, *, sender: str) -> OtherFigures:
    """Proposes other figures: the licensee lower ones, the licensor higher ones. Raises LedgerError."""
    made = other_figures(session, books, row, period, sender=sender)
    book, now = books.licences, session.now()
    entries = book.object(sender, row.licence, made.figures, now=now)  # refused here as the contract would
    deadline = entries[0]["deadline"]
    terms = book.grants[row.licence].terms.encode()
    request = session.ledger.licences.object(row.licence, terms, made.figures)
    token = made.token
    what = (
        f"a base of {shown_amount(token, made.base)} instead of {shown_amount(token, made.base_before)} "
        f"for period {period} of licence {row.licence}"
    )
    effect = Effect(
        checksum_address(sender),
        "proposes",
        what,
        f"line {shown_amount(token, made.line)}; to be answered by {format_time(deadline)}",
    )
    return replace(made, plan=Plan(sender, [effect], [request]))


def plan_call_arbiter(session: Session, books: Books, licence: int, period: int, *, sender: str) -> Plan:
    """Calls the catalogue's arbiter to choose. Either side, before the deadline. Raises LedgerError."""
    held = standing(books, licence, period)
    if held.arbiter == ZERO_ADDRESS:
        raise ValueRefused(
            "The catalogue names no arbiter: after the deadline the reported figures stand.",
            remedy=f"Settle it then: `licence-ledger report settle {licence} {period} --reject`.",
        )
    if held.arbiter in (held.licensee, held.licensor):
        raise ValueRefused(
            "The catalogue's arbiter is a side of this dispute itself, so it does not choose.",
            checksum_address(held.arbiter),
            remedy="Accept, withdraw, or wait until the reported figures stand.",
        )
    entries = books.licences.call_arbiter(sender, licence, period, now=session.now())
    terms = books.licences.grants[licence].terms.encode()
    request = session.ledger.licences.act(
        "callArbiter", licence, terms, period, occasion=_occasion(books, licence, period, held.dispute)
    )
    until = format_time(entries[0]["deadline"])
    to = f"over period {period} of licence {licence}; it has until {until}"
    effect = Effect(checksum_address(sender), "calls the arbiter", checksum_address(held.arbiter), to)
    return Plan(sender, [effect], [request])


def plan_settle(
    session: Session, books: Books, licence: int, period: int, *, sender: str, accepted: bool
) -> Plan:
    """Ends a dispute: the proposed figures stand if `accepted`, else those reported. Raises LedgerError."""
    held = standing(books, licence, period)
    occasion = _occasion(books, licence, period, held.dispute)
    entries = books.licences.settle(sender, licence, period, accepted=accepted, now=session.now())
    grant = books.licences.grants[licence]
    token = session.ledger.token(grant.terms.token)
    request = session.ledger.licences.settle(
        licence, grant.terms.encode(), period, accepted, occasion=occasion
    )
    line = sum(one["line"] for one in entries if one.name == "Booked")
    what = f"the dispute over period {period} of licence {licence}"
    to = f"for the proposed figures: line {shown_amount(token, line)}" if accepted else "for those reported"
    return Plan(sender, [Effect(checksum_address(sender), "settles", what, to)], [request])


def _occasion(books: Books, licence: int, period: int, dispute: Dispute) -> str:
    # A period may be disputed again: its version and the deadline tell one dispute from another.
    version = books.licences.periods[licence, period].version
    return f"{version}/{dispute.deadline}/{dispute.proposed_base}"
