"""A statement as one HTML file: no script, nothing from elsewhere, readable on a phone, on paper and in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources

from ledger.domain.address import checksum_address
from ledger.domain.terms_fields import format_time
from ledger.report.columns import first_day, last_day
from ledger.report.pictures import WORKS_SHOWN, work_sums
from ledger.report.plots import money_over_time, split_bars, waterfall
from ledger.report.statement import (
    HELD_BACK,
    NO_PAYEE,
    OPENING,
    PAYOUT,
    RollUp,
    Row,
    Statement,
)
from ledger.report.words import (
    AMOUNTS,
    amount_text,
    check_commands,
    day_of,
    derivation,
    percent_of,
    period_of,
    standing_of,
    sum_lines,
    unit_of,
    what_of,
)


def to_html(statement: Statement) -> bytes:
    """The whole page, UTF-8."""
    style = (
        resources.files("ledger").joinpath("data", "statement", "statement.css").read_text(encoding="utf-8")
    )
    title = f"Statement for {statement.holder}, {period_of(statement)}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        # Whatever a name holds, nothing in this page runs or is fetched.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>",
        *body(statement),
        "</main></body></html>",
    ]
    return ("\n".join(parts) + "\n").encode()


def body(statement: Statement) -> list[str]:
    """What stands in the page."""
    return [
        *_head(statement),
        *_sums(statement),
        *_plots(statement),
        *_rows(statement),
        *_works(statement),
        *_waiting(statement),
        *_checks(statement),
    ]


def _mono(text: str) -> str:
    return f'<span class="mono">{escape(text)}</span>'


def _head(statement: Statement) -> list[str]:
    facts = [("Period", escape(period_of(statement)) + ", UTC")]
    if statement.payees:
        facts.append(("Paid to", "<br>".join(_mono(one) for one in statement.shown_payees)))
    facts += [
        ("Statement", _mono(statement.id)),
        ("Standing", escape(standing_of(statement))),
        ("Block hash", _mono("0x" + statement.block_hash.hex())),
    ]
    parts = [f"<h1>{escape(statement.holder)}</h1>", '<p class="soft">Statement of earnings</p>']
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in facts)
    parts.append(f'<dl class="facts">{listed}</dl>')
    if statement.notes:
        parts.append(
            '<div class="notes">' + "".join(f"<p>{escape(one)}</p>" for one in statement.notes) + "</div>"
        )
    return parts


def _sums(statement: Statement) -> list[str]:
    cards = map(_sum_card, statement.sums)
    return ['<h2>What was earned and paid</h2><div class="cards">', *cards, "</div>"]


def _sum_card(one: RollUp) -> str:
    show = one.currency.plain
    rows = "".join(
        f'<tr><td>{sign}</td><td>{name}</td><td class="n">{escape(one.currency.shown(amount))}</td></tr>'
        for sign, name, amount in sum_lines(one)
    )
    held = (
        f'<p class="soft">Held outside this balance: {escape(one.currency.shown(one.held))}</p>'
        if one.held
        else ""
    )
    check = " ".join(f"{sign} {show(amount)}" for sign, _, amount in sum_lines(one)).strip()
    return (
        f'<section class="card"><h3>{escape(one.currency.symbol)}</h3>'
        f'<p class="soft">Owed at the end</p><p class="big">{escape(one.currency.shown(one.closing))}</p>'
        f'<table class="sums"><tbody>{rows}</tbody></table>'
        f'<p class="soft">Checked: {escape(check)}</p>{held}</section>'
    )


def _plots(statement: Statement) -> list[str]:
    cards = []
    period = statement.period
    end = period.end if statement.final else max(period.start + 1, min(period.end, statement.block_time))
    for one in statement.sums:
        points = statement.points.get(one.currency.address, ())
        if len(points) > 1:
            picture = money_over_time(points, period.start, end, one.currency)
            caption = "Credits to you (with the opening balance) and payouts; the band between them is owed."
            cards.append(_figure(f"Money over time, {one.currency.symbol}", picture, caption))
    for flow in statement.flows:
        row = flow.row
        caption = (
            f"Report {row.report}, {first_day(row.period_start)} to {last_day(row.period_end)}, in "
            f"{row.currency.symbol}. Each part has a scale of its own."
        )
        cards.append(_figure("One report, from gross to you", waterfall(flow), caption))
    for split in statement.splits:
        licences = ", ".join(str(one) for one in split.licences)
        caption = f"Split 0x{split.split_id.hex()[:16]}…" + (f", of licence {licences}" if licences else "")
        cards.append(_figure("How the split divides money", split_bars(split), caption))
    if not cards:
        return []
    return ['<h2>In pictures</h2><div class="cards">', *cards, "</div>"]


def _figure(title: str, picture: str, caption: str) -> str:
    return f'<figure class="card"><h3>{escape(title)}</h3>{picture}<figcaption>{escape(caption)}</figcaption></figure>'


def _rows(statement: Statement) -> list[str]:
    rows = [row for row in statement.rows if row.kind not in (HELD_BACK, NO_PAYEE)]
    rows = [row for row in rows if row.kind != OPENING or row.net]
    if not rows:
        return ["<h2>Line by line</h2><p>Nothing was credited or paid in this period.</p>"]
    unit = unit_of(row.currency for row in rows)
    amounts = [f">{one}" for one in AMOUNTS]
    head = ("Date", "What", *amounts, f">To you, {unit}" if unit else ">To you", "Status")
    names = [one.removeprefix(">") for one in head]
    parts = [
        '<h2>Line by line</h2><table class="rows"><caption>“To you” sums to what is owed at the end; payouts count '
        "against it.</caption><thead><tr>",
        *(
            f'<th scope="col"{" class=n" if one[0] == ">" else ""}>{escape(one.removeprefix(">"))}</th>'
            for one in head
        ),
        "</tr></thead><tbody>",
    ]
    parts += [_row(statement, row, names, unit) for row in rows]
    return [*parts, "</tbody></table>"]


def _row(statement: Statement, row: Row, names: Sequence[str], unit: str) -> str:
    show = row.currency.plain
    amounts = [
        "" if not one else show(one) for one in (row.earned, row.adjustment, row.interest, row.recouped)
    ]
    amounts.append(amount_text(row.currency, row.net, unit))
    cells = [f'<td class="day" data-name="{names[0]}">{day_of(row.time)}</td>']
    cells.append(f'<td class="wide">{_what(statement, row)}</td>')
    for name, text in zip(names[2:7], amounts, strict=True):
        cells.append(
            f'<td class="{"n" if text else "n none"}" data-name="{escape(name)}">{escape(text)}</td>'
        )
    tag = f'<span class="tag {row.status}">{row.status}</span>' if row.kind != PAYOUT else ""
    cells.append(f'<td data-name="{names[7]}">{tag}</td>')
    return "<tr>" + "".join(cells) + "</tr>"


def _what(statement: Statement, row: Row) -> str:
    facts = statement.licences.get(row.licence) if row.licence is not None else None
    text = escape(what_of(row))
    if facts is not None:
        title = f": {escape(facts.service)}" if facts.service else ""
        text += f'<br><span class="soft">Licence {facts.number}{title}</span>'
    if len(statement.payees) > 1:
        text += f"<br>{_mono(checksum_address(row.payee))}"
    lines = derivation(row)
    event = row.event
    if event is None:
        return text
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(figure)}</dd>" for name, figure in lines)
    proof = f"<p>Transaction {_mono('0x' + event.transaction.hex())}, block {event.block:,}, log {event.log_index}"
    if row.booking is not None:
        proof += f"; report file {_mono('0x' + row.booking.report_hash.hex())}"
    return f"{text}<details><summary>Why</summary><dl>{listed}</dl>{proof}</p></details>"


def _works(statement: Statement) -> list[str]:
    works = work_sums(statement.rows)
    if not works:
        return []
    unit = unit_of(one.currency for one in works)
    earned = escape(f"Earned, {unit}" if unit else "Earned")
    parts = [
        '<h2>By work</h2><table class="rows"><thead><tr><th scope="col">Work</th><th scope="col">Right</th>'
        f'<th scope="col">Holder</th><th scope="col" class="n">Share</th><th scope="col" class="n">{earned}</th></tr>'
        "</thead><tbody>"
    ]
    for one in works[:WORKS_SHOWN]:
        work, amount = one.work, amount_text(one.currency, one.amount, unit)
        title = escape(work.title or work.work)
        small = " · ".join(filter(None, (work.work if work.title != work.work else "", work.identifier)))
        parts.append(
            f'<tr><td class="wide">{title}<br><span class="soft mono">{escape(small)}</span></td>'
            f'<td data-name="Right">{escape(work.right_type)}</td><td data-name="Holder">{escape(work.holder)}</td>'
            f'<td class="n" data-name="Share">{percent_of(work.share_ppm)}</td>'
            f'<td class="n" data-name="{earned}">{escape(amount)}</td></tr>'
        )
    parts.append("</tbody></table>")
    if len(works) > WORKS_SHOWN:
        parts.append(
            f"<p>And {len(works) - WORKS_SHOWN:,} more works: the CSV and JSON forms name all of them.</p>"
        )
    return parts


def _waiting(statement: Statement) -> list[str]:
    rows = statement.of_kind(HELD_BACK, NO_PAYEE)
    if not rows:
        return []
    parts = [
        "<h2>Waiting for a payee</h2><p>None of this is in the balance: it is paid once the licensor has matched the "
        "holder with an address.</p>",
        '<table class="rows"><thead><tr><th scope="col">Work</th><th scope="col">Right</th><th scope="col" class="n">'
        'Amount</th><th scope="col">Status</th></tr></thead><tbody>',
    ]
    for row in rows:
        work = row.works[0]
        amount = row.currency.shown(row.held) if row.kind == HELD_BACK else "not valued"
        parts.append(
            f'<tr><td class="wide">{escape(work.title or work.work)}</td><td data-name="Right">'
            f'{escape(work.right_type)}</td><td class="n" data-name="Amount">{escape(amount)}</td>'
            f'<td data-name="Status"><span class="tag {row.status}">{row.status}</span></td></tr>'
        )
    return [*parts, "</tbody></table>"]


def _checks(statement: Statement) -> list[str]:
    parts = [
        "<h2>Check it yourself</h2><p>Every amount follows from the chain’s entries: your part of a credit is "
        "floor(to × units ÷ of) − floor(from × units ÷ of), where <em>from</em> and <em>to</em> are all that was ever "
        "credited to the split before and after it.</p>",
        "<pre>" + "\n".join(escape(one) for one in check_commands(statement)) + "</pre>",
    ]
    if statement.leaves:
        parts.append("<details><summary>Your places in the splits</summary>")
        for one in statement.leaves:
            show = one.currency.shown
            parts.append(
                f"<p>Split {_mono('0x' + one.split_id.hex())}, leaf {one.index}: {one.units:,} of {one.total:,} units; "
                f"credited to the split {escape(show(one.cumulative))}, earned {escape(show(one.earned))}, paid "
                f"{escape(show(one.paid))}, owed {escape(show(one.owed))} ({escape(one.how)}).</p>"
            )
        parts.append("</details>")
    contracts = ", ".join(
        f"{name} {checksum_address(one)}" for name, one in sorted(statement.contracts.items())
    )
    parts.append(
        f'<p class="soft mono">Chain {statement.chain_id}, block {statement.block:,} of '
        f"{format_time(statement.block_time)}; {escape(contracts)}</p>"
    )
    return parts
