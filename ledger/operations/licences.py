"""Licences as the chain holds them: terms out of their acceptance, state, breach, end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.reader import ChainLog
from ledger.chain.requests import Request
from ledger.domain.address import checksum_address
from ledger.domain.canonical import uint_word
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.errors import AuditFailed, ExitCode, LedgerError
from ledger.domain.journal import decode_entry, event_shapes
from ledger.domain.licence_types import ACTIVE, EXPIRED
from ledger.domain.terms import TermsDocument, parse_terms
from ledger.domain.terms_fields import format_time
from ledger.operations.plan import Effect, Plan, rehearse
from ledger.operations.session import Session
from ledger.operations.tokens import book_of_deployments


@dataclass(frozen=True)
class Licence:
    """A licence. `terms_data` are the bytes that every call about it takes; `state` is ILicences.State by
    name.
    """

    number: int
    terms: ChainTerms
    terms_data: bytes
    uri: str
    licensor: str
    holder: str
    fee: int
    offer_id: bytes
    destination: bytes
    block: int
    state: Any

    def standing(self, now: int) -> str:
        """How it stands, in words."""
        state, terms = self.state, self.terms
        if state.status == EXPIRED:
            return f"expired: its term ended {format_time(terms.end)}"
        if state.status != ACTIVE:
            return f"terminated {format_time(state.stop)}"
        if state.cureUntil:
            return f"in cure: period {state.curePeriod} is to be mended by {format_time(state.cureUntil)}"
        if terms.end and now >= terms.end:
            return f"over since {format_time(terms.end)}, its end not recorded yet"
        return f"begins {format_time(terms.start)}" if now < terms.start else "active"


def count(session: Session) -> int:
    """How many licences were granted, numbered from 1."""
    return int(session.ledger.licences.view("count"))


def read(session: Session, number: int) -> Licence:
    """One licence. Raises LedgerError for an unknown one, AuditFailed where the node's entry is not the
    accepted one.
    """
    stored = session.ledger.licences.view("termsHashOf", number)  # an unknown one is refused here
    logs = _accepted(session, number)
    if not logs:
        raise LedgerError(
            f"The node does not serve the acceptance of licence {number}.",
            session.rpc.shown,
            remedy="Ask a node with the whole history.",
        )
    return _licences(session, logs, [stored])[0]


def read_all(session: Session) -> list[Licence]:
    """Every licence, by number."""
    logs = _accepted(session)
    numbers = [(int.from_bytes(one.topics[1], "big"),) for one in logs]
    return _licences(session, logs, session.ledger.licences.views("termsHashOf", numbers))


def _accepted(session: Session, number: int | None = None) -> list[ChainLog]:
    topics = ["0x" + event_shapes("Licences")["Accepted"].topic.hex()]
    if number is not None:
        topics.append("0x" + uint_word(number).hex())
    first = book_of_deployments(session).first_block()
    reader = session.reader
    return list(reader.logs([session.ledger.licences.address], first, reader.head(), topics=topics))


def _licences(session: Session, logs: Sequence[ChainLog], stored: Sequence[Any]) -> list[Licence]:
    contract = session.ledger.licences
    entries = [decode_entry("Licences", one.raw()) for one in logs]
    numbers = [(entry.number,) for entry in entries]
    states, holders = contract.views("stateOf", numbers), contract.views("ownerOf", numbers)
    found = []
    for log, entry, digest, state, holder in zip(logs, entries, stored, states, holders, strict=True):
        for one in (digest, state, holder):
            if isinstance(one, LedgerError):
                raise one
        terms = ChainTerms.decode(entry["terms"])
        if terms.hash != digest:
            raise AuditFailed(
                f"The node tells other terms of licence {entry.number} than the contract holds.",
                session.rpc.shown,
                remedy="Ask another node.",
            )
        found.append(
            Licence(
                entry.number,
                terms,
                entry["terms"],
                entry["uri"],
                entry["licensor"],
                holder,
                entry["fee"],
                entry["offerId"],
                entry["destination"],
                log.block_number,
                state,
            )
        )
    return found


def document_of(session: Session, terms: ChainTerms) -> TermsDocument | None:
    """The terms document out of the store, its hash checked; None where the store lacks it."""
    try:
        content = session.files.get(terms.document)
    except AuditFailed:
        raise
    except LedgerError:
        return None
    return parse_terms(content.decode())


# ---- the end


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next in terminating a licence: the plan, and from when it can be terminated (0: now)."""

    plan: Plan
    act: str
    period: int
    cure_until: int


def _owner_only(session: Session, licence: Licence) -> str:
    sender = session.address()
    owner = session.ledger.catalogues.view("ownerOf", licence.terms.catalogue)
    if owner != sender:
        raise LedgerError(
            f"Only the licensor, {checksum_address(owner)}, may terminate licence {licence.number}.",
            remedy="Give the licensor's account: --from NAME.",
        )
    return sender


def next_step(session: Session, licence: Licence) -> Step:
    """Notice where no cure runs, termination where the time to cure has passed. Raises LedgerError.

    While the cure runs it raises an error with exit code 6: the same command is to be run again later.
    """
    sender = _owner_only(session, licence)
    state, number = licence.state, licence.number
    who = checksum_address(sender)
    if state.status != ACTIVE:
        raise LedgerError(f"Licence {number} has ended: it is {licence.standing(session.now())}.")
    if state.cureUntil and session.now() > state.cureUntil:
        request = _act(session, licence, "terminate")
        plan = Plan(
            sender,
            [Effect(who, "terminates", f"licence {number}", _breach_words(state.curePeriod))],
            [request],
        )
        refused = rehearse(session, plan).refused
        if refused is None:
            return Step(plan, "terminate", state.curePeriod, 0)
        raise refused
    if state.cureUntil:
        raise LedgerError(
            f"Licence {number} cannot be ended yet: it can be cured until {format_time(state.cureUntil)}.",
            why=f"Notice was given: {_breach_words(state.curePeriod)}.",
            remedy="Run the same command after that.",
            exit_code=ExitCode.INCOMPLETE,
        )
    period = _breach(session, sender, licence)
    until = session.now() + licence.terms.cure_days * 86_400
    words = f"{_breach_words(period)}; {licence.terms.cure_days} days to cure"
    effect = Effect(
        who, "gives notice to", checksum_address(licence.holder), f"under licence {number}: {words}"
    )
    plan = Plan(sender, [effect], [_act(session, licence, "giveNotice", period)])
    return Step(plan, "giveNotice", period, until)


def _breach_words(period: int) -> str:
    return f"period {period} is overdue"


def _act(session: Session, licence: Licence, function: str, *arguments: Any) -> Request:
    # A notice may be given again after a cure, so what was booked until now makes the occasion.
    state = licence.state
    occasion = f"{state.nextPeriod}/{state.openPeriods}/{state.sumA}/{session.now() // 86_400}"
    return session.ledger.licences.act(
        function, licence.number, licence.terms_data, *arguments, occasion=occasion
    )


def _breach(session: Session, sender: str, licence: Licence) -> int:
    """The earliest period of which the contract would take notice. Raises LedgerError where none is."""
    if licence.terms.period_months:
        booked = licence.state.nextPeriod
        held = session.ledger.licences.periods(licence.number, range(booked))
        candidates: list[int] = [*(number for number, one in enumerate(held) if one.open), booked]
        for period in candidates:
            trial = Plan(sender, [], [_act(session, licence, "giveNotice", period)])
            if rehearse(session, trial).refused is None:
                return period
    raise LedgerError(
        f"Licence {licence.number} is not in breach.",
        why="A breach is a payment beyond its due date and grace, or a report beyond its deadline.",
        remedy="See what is due and when: `licence-ledger agenda`.",
    )


def plan_expire(session: Session, licence: Licence) -> Plan:
    """Recording that the term is over, which frees the scope. Anyone may. Raises LedgerError before the
    end.
    """
    sender, terms = session.address(), licence.terms
    if licence.state.status != ACTIVE:
        raise LedgerError(f"Licence {licence.number} is {licence.standing(session.now())} already.")
    if terms.end == 0 or session.now() < terms.end:
        when = "it has no end" if terms.end == 0 else f"it ends {format_time(terms.end)}"
        raise LedgerError(
            f"The term of licence {licence.number} is not over: {when}.",
            remedy="A licence in breach is ended by `licence-ledger licence terminate`."
            if terms.end == 0
            else "Run the same command after that.",
        )
    request = session.ledger.licences.act("expire", licence.number, licence.terms_data)
    effect = Effect(
        checksum_address(sender), "records", f"the end of licence {licence.number}", "its scope is free"
    )
    return Plan(sender, [effect], [request])
