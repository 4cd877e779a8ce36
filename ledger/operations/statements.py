"""A rights holder's statement: found by address or name, its books read up to the period's end, and written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.domain.address import checksum_address
from ledger.domain.calendar import month_start
from ledger.domain.canonical import canonical_hash
from ledger.domain.errors import AuditFailed, LedgerError, UnreachableError, ValueRefused
from ledger.domain.text import clean
from ledger.operations import books as books_of
from ledger.operations.books import Books
from ledger.operations.payouts import tree_from
from ledger.operations.report_files import last_second
from ledger.operations.session import Session
from ledger.operations.statement_facts import Facts, Named
from ledger.operations.statement_waits import waiting_rows
from ledger.operations.times import parse_time
from ledger.report.compile import Compiled, compile_rows, how_paid
from ledger.report.history import leaves_of
from ledger.report.origins import Records
from ledger.report.pictures import flow_of, split_bars_of
from ledger.report.statement import LeafFacts, Period, Row, Statement, roll_ups

#: The formats that a statement is written in, and the endings of their files.
FORMATS = ("csv", "json", "html", "pdf")


@dataclass(frozen=True, slots=True)
class Written:
    """One file of a statement."""

    format: str
    path: Path
    content: bytes = field(repr=False)


# ---- the period


def parse_period(text: str) -> Period:
    """The time of `2026`, `2026-03`, `2026-Q1` or `START..END`, UTC, the last day included. Raises ValueRefused."""
    if named := _calendar(text):
        return Period(*named, text.upper())
    first_text, dots, last_text = text.partition("..")
    if not dots or not first_text or not last_text:
        raise ValueRefused(
            f"{clean(text)!r} is no period.",
            remedy="Write 2026, 2026-03, 2026-Q1 or 2026-01-15..2026-02-14 (the last day is included; times are UTC).",
        )
    first, last = _calendar(first_text), _calendar(last_text)
    start = first[0] if first else parse_time(first_text)
    end = last[1] if last else last_second(last_text) + 1
    if end <= start:
        raise ValueRefused(f"The period {clean(text)} ends before it begins.")
    return Period(start, end, text)


def _calendar(text: str) -> tuple[int, int] | None:
    """Start and end of a year, a quarter or a month; None for anything else."""
    found = re.fullmatch(r"([0-9]{4})(?:-(?:(0[1-9]|1[0-2])|[Qq]([1-4])))?", text, re.ASCII)
    if found is None or int(found[1]) < 1970:
        return None
    month, quarter = found[2], found[3]
    first, months = (int(month) - 1, 1) if month else (3 * int(quarter) - 3, 3) if quarter else (0, 12)
    start = int(found[1]) * 12 + first
    return month_start(start), month_start(start + months)


# ---- the statement


def compile_statement(
    session: Session,
    holder: str,
    period: str,
    *,
    distributions: Sequence[Path] = (),
    progress: Callable[[int], None] | None = None,
) -> Statement:
    """The statement of a holder (address, account or name of a manifest) for a period.

    The books are read up to the last block before the period's end, so that the statement of a period that is over
    is the same whenever it is made. Raises LedgerError for an unknown holder, AuditFailed where sums differ.
    """
    asked = parse_period(period)
    head = _block(session, session.reader.head())
    if _time(head) < asked.start:
        raise ValueRefused(
            f"The period {asked.text} has not begun: the chain's last block is of "
            f"{datetime.fromtimestamp(_time(head), UTC):%Y-%m-%d %H:%M:%S} UTC."
        )
    block, final = _last_block_before(session, asked.end, head)
    books = books_of.read(session, block=_number(block), progress=progress)
    facts = Facts(session, books, [path.expanduser() for path in distributions])
    named = _find(session, books, facts, holder)
    return statement_of(session, books, facts, named, asked, block, final=final)


def statement_of(
    session: Session,
    books: Books,
    facts: Facts,
    named: Named,
    asked: Period,
    block: dict[str, Any],
    *,
    final: bool,
    records: Records | None = None,
) -> Statement:
    """The statement of a holder out of books that are read up to `block`, as the node serves it.

    `records`: a choice of the books' entries that leaves out nothing about the holder. Raises AuditFailed where sums
    differ.
    """
    made = compile_rows(records or books, named.payees, asked, facts)
    closing = _closing(books, made)
    rows = [*made.rows, *waiting_rows(books, facts, named, asked)]
    if not rows:
        # An empty statement still says of which money it is empty.
        rows = [
            Row("opening", asked.start, one, named.payees[0] if named.payees else "") for one in facts.used()
        ]
    licences = {row.licence: facts.licence(row.licence) for row in rows if row.licence is not None}
    statement = Statement(
        "",
        named.name,
        named.payees,
        asked,
        session.rpc.chain_id,
        session.ledger.journal_addresses,
        _number(block),
        bytes.fromhex(block["hash"][2:]),
        _time(block),
        final,
        tuple(rows),
        roll_ups(rows, closing),
        _leaves(books, facts, made),
        dict(sorted(licences.items())),
        split_bars_of(rows, books.splits.publications, facts.names, named.payees),
        flow_of(rows),
        made.points,
        tuple(_notes(books, facts, named, made)),
    )
    return replace(statement, id=_id(statement))


def _id(statement: Statement) -> str:
    """A name that follows from what the statement is of: chain, contracts, holder, period, last block."""
    digest = canonical_hash(
        {
            "chain": statement.chain_id,
            "contracts": statement.contracts,
            "holder": statement.holder,
            "payees": list(statement.payees),
            "period": [statement.period.start, statement.period.end],
            "block": "0x" + statement.block_hash.hex(),
        }
    )
    return f"LL-{digest.hex()[:16].upper()}"


def _block(session: Session, number: int) -> dict[str, Any]:
    held = session.rpc.call("eth_getBlockByNumber", hex(number), False)
    if held is None:
        raise UnreachableError(
            f"The node gives no block {number}.",
            session.rpc.shown,
            remedy="Ask a node with the whole history.",
        )
    return dict(held)


def _number(block: dict[str, Any]) -> int:
    return int(block["number"], 16)


def _time(block: dict[str, Any]) -> int:
    return int(block["timestamp"], 16)


def _last_block_before(session: Session, end: int, head: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The last block whose time is before `end`, and whether a later one exists, so that it stays the last."""
    if _time(head) < end:
        return head, False
    low, high = 0, _number(head)
    best = _block(session, 0)
    while high - low > 1:
        middle = _block(session, (low + high) // 2)
        if _time(middle) < end:
            low, best = _number(middle), middle
        else:
            high = _number(middle)
    return best, True


# ---- the holder


def _find(session: Session, books: Books, facts: Facts, holder: str) -> Named:
    """Who is meant: an address, an account, or a holder's name in a manifest. Raises ValueRefused."""
    name = holder.strip()
    if facts.has_name(name):
        return facts.named(name)
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", name) or name.startswith(("0x", "dev:")):
        return _by_address(books, facts, session.address(name))
    try:
        return _by_address(books, facts, session.address(name))
    except ValueRefused:
        raise
    except LedgerError:
        pass
    near = difflib.get_close_matches(name, facts.holders(), n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueRefused(
        f"There is no rights holder {clean(name)!r} in the manifests of the store, and no account of that name.",
        remedy=f"{hint}Give the payee's address, or name the store that has the manifest: --files DIR or URL.",
    )


def _by_address(books: Books, facts: Facts, payee: str) -> Named:
    if not leaves_of(books.events, payee):
        raise ValueRefused(
            f"{checksum_address(payee)} is a payee of no split that was published before the period's end.",
            remedy="See the payees of a catalogue: `licence-ledger catalogue show NUMBER --payees`.",
        )
    return Named(facts.names.get(payee) or checksum_address(payee), (payee,), given_by_address=True)


# ---- checks and notes


def _closing(books: Books, made: Compiled) -> dict[str, int]:
    """What the payees are owed, by token; the model's own books must say the same of every leaf."""
    for leaf in made.leaves:
        held = books.splits.entitled(leaf.split_id, leaf.token, leaf.index)
        paid = books.splits.paid_to(leaf.split_id, leaf.token, leaf.index)
        if (held, paid) != (leaf.earned_in_all, leaf.paid_in_all):
            raise AuditFailed(
                "A leaf's credits and payouts are not what the books hold.",
                f"split 0x{leaf.split_id.hex()}, leaf {leaf.index}",
                f"Earned {leaf.earned_in_all}, paid {leaf.paid_in_all}; the books hold {held} and {paid}.",
            )
    return made.closing


def _leaves(books: Books, facts: Facts, made: Compiled) -> tuple[LeafFacts, ...]:
    found = []
    for leaf in made.leaves:
        try:
            proof, proved = tuple(tree_from(books, leaf.split_id).leaf_proof(leaf.index)), True
        except LedgerError:
            proof, proved = (), False
        found.append(
            LeafFacts(
                leaf.split_id,
                facts.currency(leaf.token),
                leaf.payee,
                leaf.index,
                leaf.units,
                leaf.total,
                leaf.cumulative,
                leaf.earned_in_all,
                leaf.paid_in_all,
                leaf.owed,
                how_paid(leaf),
                proof,
                proved,
            )
        )
    return tuple(found)


def _notes(books: Books, facts: Facts, named: Named, made: Compiled) -> list[str]:
    notes = []
    for payee in named.payees:
        others = sorted(facts.sharing(payee) - {named.name})
        if others:
            notes.append(
                f"{checksum_address(payee)} is also the payee of {', '.join(others[:5])}"
                f"{' and others' if len(others) > 5 else ''}: this statement is of all that it gets."
            )
    notes += _refused(made)
    for payee in named.payees:
        standing = books.splits.standing_address(payee)
        if standing:
            notes.append(
                f"Claims by anyone for {checksum_address(payee)} go to {checksum_address(standing)}."
            )
    return notes + facts.notes()


def _refused(made: Compiled) -> Iterator[str]:
    """What the token would not transfer, by payee."""
    failed: dict[str, set[tuple[int, bytes]]] = {}
    waits: set[str] = set()
    for leaf, event in made.failed:
        failed.setdefault(leaf.payee, set()).add((event.time, event.transaction))
        if leaf.owed:
            waits.add(leaf.payee)
    for payee, listed in failed.items():
        time, transaction = max(listed)
        many = f"{len(listed)} transfers to {checksum_address(payee)}, the last"
        yield (
            f"The token refused {many if len(listed) > 1 else f'a transfer to {checksum_address(payee)}'} on "
            f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d} (0x{transaction.hex()}). Nothing is lost: "
            + (
                "it stays owed, and can be paid by a later page that names this payee, or claimed, by the payee's own "
                "signature to another address too."
                if payee in waits
                else "it was paid since."
            )
        )


# ---- files


def formats_of(asked: Sequence[str], out: Path) -> list[str]:
    """The formats asked for, each once; without any, the one that the file's ending names. Raises ValueRefused."""
    listed = [part.strip().lower() for one in asked for part in one.split(",") if part.strip()]
    listed = listed or [out.suffix.removeprefix(".").lower()]
    for one in listed:
        if one not in FORMATS:
            raise ValueRefused(
                f"There is no format {clean(one)!r}." if one else "No format is named.",
                "--format",
                remedy=f"Formats are {', '.join(FORMATS)}; several are divided by commas.",
            )
    return list(dict.fromkeys(listed))


def path_of(out: Path, format_: str, *, alone: bool) -> Path:
    """Where a format is written: the file named; of several formats each beside it with its own ending."""
    if alone:
        return out
    stem = out.with_suffix("") if out.suffix.removeprefix(".").lower() in FORMATS else out
    return stem.with_name(f"{stem.name}.{format_}")


def render(statement: Statement, formats: Sequence[str], out: Path) -> list[Written]:
    """The statement in each format. Nothing is written."""
    from ledger.report.html_page import to_html
    from ledger.report.pdf import to_pdf
    from ledger.report.tables import to_csv, to_json

    makers: dict[str, Callable[[Statement], bytes]] = {
        "csv": to_csv,
        "json": to_json,
        "html": to_html,
        "pdf": to_pdf,
    }
    alone = len(formats) == 1
    return [Written(one, path_of(out, one, alone=alone), makers[one](statement)) for one in formats]
