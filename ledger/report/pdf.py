"""A statement on paper: PDF by Typst, tagged for screen readers, with the fonts that the package carries.

No time of making and no font of the machine is in it: the same statement gives the same bytes.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Literal

from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError
from ledger.domain.terms_fields import format_time
from ledger.report.columns import first_day, last_day
from ledger.report.glyphs import printable
from ledger.report.pictures import WORKS_SHOWN, work_sums
from ledger.report.plots import WIDTH, lettering, money_over_time, split_bars, waterfall
from ledger.report.statement import HELD_BACK, NO_PAYEE, OPENING, PAYOUT, Row, Statement
from ledger.report.words import (
    AMOUNTS,
    amount_text,
    check_commands,
    day_of,
    percent_of,
    period_of,
    short_address,
    standing_of,
    sum_lines,
    unit_of,
    what_of,
)

#: In the order in which a letter is looked for; the last has the letters of East Asia.
FONTS = (
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Droid Sans Fallback",
)
#: Letters of a figure that fit into a column of the lines, and into a card beside another.
_COLUMN, _CARD = 22, 22


def to_pdf(statement: Statement) -> bytes:
    """The PDF. Raises LedgerError where Typst is not installed or fails."""
    made = _compile(statement, "pdf")
    return made if isinstance(made, bytes) else made[0]


def to_png(statement: Statement, *, pixels_per_inch: int = 96) -> list[bytes]:
    """The pages as pictures, for looking at."""
    made = _compile(statement, "png", ppi=pixels_per_inch)
    return [made] if isinstance(made, bytes) else list(made)


def _compile(statement: Statement, format_: Literal["pdf", "png"], **more: Any) -> Any:
    try:
        import typst
    except ImportError:
        raise LedgerError(
            "PDF needs the package typst.",
            remedy="Install it: pip install typst; or choose csv, json or html.",
        ) from None
    data = resources.files("ledger").joinpath("data")
    template = data.joinpath("statement", "statement.typ").read_bytes()
    content = json.dumps(_printable(_data(statement)), ensure_ascii=False)
    if format_ == "pdf":
        more["pdf_standards"] = ["ua-1"]
    with resources.as_file(data.joinpath("fonts")) as fonts:
        try:
            return typst.compile(
                template,
                format=format_,
                sys_inputs={"statement": content},
                font_paths=[str(fonts)],
                ignore_system_fonts=True,
                **more,
            )
        except RuntimeError as error:
            raise LedgerError("The PDF cannot be made.", why=str(error)[:500]) from error


def _data(statement: Statement) -> dict[str, Any]:
    rows = [row for row in statement.rows if row.kind not in (HELD_BACK, NO_PAYEE)]
    rows = [row for row in rows if row.kind != OPENING or row.net]
    works = work_sums(statement.rows)
    more = len(works) - WORKS_SHOWN
    unit, works_unit = unit_of(row.currency for row in rows), unit_of(one.currency for one in works)
    lines = [_row(statement, row, unit) for row in rows]
    contracts = ", ".join(
        f"{name} {checksum_address(one)}" for name, one in sorted(statement.contracts.items())
    )
    return {
        "title": f"Statement for {statement.holder}, {period_of(statement)}",
        "fonts": list(FONTS),
        "plot_width": WIDTH,
        "holder": statement.holder,
        "facts": _facts(statement),
        "notes": list(statement.notes),
        "sums": _sums(statement),
        "plots": _plots(statement),
        "heads": [*AMOUNTS, f"To you, {unit}" if unit else "To you"],
        "rows": lines,
        # Figures too long for columns of their own stand below one another.
        "dense": max([0, *(len(amount) for line in lines for amount in line["amounts"])]) > _COLUMN,
        "works": [
            {
                "title": one.work.title or one.work.work,
                "small": " · ".join(
                    filter(
                        None, (one.work.work if one.work.title != one.work.work else "", one.work.identifier)
                    )
                ),
                "right": one.work.right_type,
                "holder": one.work.holder,
                "share": percent_of(one.work.share_ppm),
                "amount": amount_text(one.currency, one.amount, works_unit),
            }
            for one in works[:WORKS_SHOWN]
        ],
        "works_head": f"Earned, {works_unit}" if works_unit else "Earned",
        "more": f"And {more:,} more works: the CSV and JSON forms name all of them." if more > 0 else "",
        "waiting": [
            {
                "title": row.works[0].title or row.works[0].work,
                "right": row.works[0].right_type,
                "amount": row.currency.shown(row.held) if row.kind == HELD_BACK else "not valued",
                "status": row.status,
            }
            for row in statement.of_kind(HELD_BACK, NO_PAYEE)
        ],
        "commands": check_commands(statement),
        "leaves": [
            f"Split 0x{one.split_id.hex()}, leaf {one.index}: {one.units:,} of {one.total:,} units; credited to the "
            f"split {one.currency.shown(one.cumulative)}, earned {one.currency.shown(one.earned)}, paid "
            f"{one.currency.shown(one.paid)}, owed {one.currency.shown(one.owed)} ({one.how})."
            for one in statement.leaves
        ],
        "place": f"Chain {statement.chain_id}, block {statement.block:,} of {format_time(statement.block_time)}; "
        f"{contracts}",
        "footer": [statement.id, statement.holder[:60], period_of(statement)],
    }


def _printable(value: Any) -> Any:
    """All texts of the data, the letters that no font has written out."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(one) for one in value]
    if isinstance(value, dict):
        return {name: _printable(one) for name, one in value.items()}
    return value


def _facts(statement: Statement) -> list[dict[str, Any]]:
    facts = [("Period", f"{period_of(statement)}, UTC", False)]
    facts += [("Paid to", one, True) for one in statement.shown_payees]
    facts += [
        ("Statement", statement.id, True),
        ("Standing", standing_of(statement), False),
        ("Block hash", "0x" + statement.block_hash.hex(), True),
    ]
    return [{"name": name, "text": text, "mono": mono} for name, text, mono in facts]


def _sums(statement: Statement) -> list[dict[str, Any]]:
    return [
        {
            "unit": one.currency.symbol,
            "closing": one.currency.plain(one.closing),
            "long": max(len(one.currency.plain(amount)) for _, _, amount in sum_lines(one)) > _CARD,
            "lines": [
                {"sign": sign, "name": name, "amount": one.currency.plain(amount)}
                for sign, name, amount in sum_lines(one)
            ],
            "held": one.currency.shown(one.held) if one.held else "",
        }
        for one in statement.sums
    ]


def _plots(statement: Statement) -> list[dict[str, Any]]:
    found = []
    period = statement.period
    end = period.end if statement.final else max(period.start + 1, min(period.end, statement.block_time))
    for one in statement.sums:
        points = statement.points.get(one.currency.address, ())
        if len(points) > 1:
            picture = money_over_time(points, period.start, end, one.currency, alone=True)
            caption = "Credits to you (with the opening balance) and payouts; the band between them is owed."
            found.append((f"Money over time, {one.currency.symbol}", picture, caption))
    for flow in statement.flows:
        row = flow.row
        caption = (
            f"Report {row.report}, {first_day(row.period_start)} to {last_day(row.period_end)}, in "
            f"{row.currency.symbol}. Each part has a scale of its own."
        )
        found.append(("One report, from gross to you", waterfall(flow, alone=True), caption))
    for split in statement.splits:
        licences = ", ".join(str(one) for one in split.licences)
        caption = f"Split 0x{split.split_id.hex()[:16]}…" + (f", of licence {licences}" if licences else "")
        found.append(("How the split divides money", split_bars(split, alone=True), caption))
    plots = []
    for title, drawn, caption in found:
        svg, words = lettering(drawn)
        alt = f"{title}. {caption}"
        plots.append({"title": title, "svg": svg, "words": words, "caption": caption, "alt": alt})
    return plots


def _row(statement: Statement, row: Row, unit: str) -> dict[str, Any]:
    show = row.currency.plain
    facts = statement.licences.get(row.licence) if row.licence is not None else None
    licence = f"Licence {facts.number}" + (f": {facts.service}" if facts.service else "") if facts else ""
    detail = ""
    if row.booking is not None:
        one = row.booking
        gross = f"gross {show(one.gross)}, " if one.gross is not None else ""
        detail = f"{row.report}: {gross}net {show(one.base)}, line {show(one.line)}"
    if row.event is not None:
        detail += f"{'; ' if detail else ''}transaction 0x{row.event.transaction.hex()[:16]}…, block {row.event.block}"
    if len(statement.payees) > 1 and row.payee:
        detail += f"; {short_address(row.payee)}"
    amounts = [show(one) if one else "" for one in (row.earned, row.adjustment, row.interest, row.recouped)]
    return {
        "date": day_of(row.time),
        "what": what_of(row),
        "licence": licence,
        "detail": detail,
        "amounts": [*amounts, amount_text(row.currency, row.net, unit)],
        "status": "" if row.kind == PAYOUT else row.status,
    }
