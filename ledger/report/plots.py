"""Plots as SVG, drawn in whole tenths of a pixel, so that the same figures give the same bytes.

Colours are classes (`p-…`): the page's style sheet colours them there, and `alone=True` puts a style for paper into
the picture itself. Paper takes its words apart from it (`lettering`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape, unescape

from ledger.domain.terms_fields import format_time
from ledger.report.statement import Currency, Flow, FlowStep, Point, SplitBars

WIDTH = 360
_PAPER = """
.p-axis{stroke:#c9d1d9;stroke-width:1}.p-mine{fill:#0b6e4f}.p-other{fill:#b8c4cf}
.p-sum{fill:#34536f}.p-less{fill:#c2703d}.p-more{fill:#2f8f6b}.p-owed{fill:#f2d8a7}
.p-credited{fill:none;stroke:#34536f;stroke-width:2}
.p-paid{fill:none;stroke:#0b6e4f;stroke-width:2;stroke-dasharray:5 3}
.p-link{stroke:#8a97a5;stroke-width:1;stroke-dasharray:2 2}
"""
_WORDS = re.compile(
    r'<text x="([0-9.-]+)" y="([0-9.-]+)"( text-anchor="end")?(?: class="([a-z-]*)")?>([^<]*)</text>'
)
#: Tenths of a pixel for names before bars, and before a waterfall.
_NAMES, _STEPS = 1500, 1300


def _n(tenths: int) -> str:
    """Tenths of a pixel as a number."""
    whole, rest = divmod(abs(tenths), 10)
    return ("-" if tenths < 0 else "") + (f"{whole}.{rest}" if rest else str(whole))


def _svg(height: int, title: str, parts: Iterable[str], *, alone: bool) -> str:
    size = f' width="{WIDTH}" height="{height}"' if alone else ""
    style = f"<style>{_PAPER}</style>" if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"{size} role="img" class="plot">'
        f"<title>{escape(title)}</title>{style}{''.join(parts)}</svg>"
    )


def _text(x: int, y: int, text: str, *, end: bool = False, kind: str = "") -> str:
    anchor = ' text-anchor="end"' if end else ""
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{anchor}{name}>{escape(text)}</text>'


def _box(x: int, y: int, width: int, height: int, kind: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" class="{kind}"/>'


def _line(x1: int, y1: int, x2: int, y2: int, kind: str) -> str:
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" class="{kind}"/>'


def lettering(svg: str) -> tuple[str, list[dict[str, str | bool]]]:
    """A picture without its words, and the words: where each stands, and how.

    What draws pictures for paper takes the letters of a word from one font, and some names crash it; what sets the
    rest of the page shows every name.
    """
    words = [
        {"x": x, "y": y, "end": bool(end), "kind": kind, "text": unescape(text)}
        for x, y, end, kind, text in _WORDS.findall(svg)
    ]
    return _WORDS.sub("", svg), words


def _width(letter: str) -> int:
    """About how wide a letter is, in tenths of a pixel."""
    if unicodedata.category(letter)[0] == "M":
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return 110
    return 100 if letter in "MWmw@%…" else 72 if letter.isupper() else 60


def _length(text: str) -> int:
    return sum(map(_width, text))


def _clip(text: str, room: int) -> str:
    """Text that fits into so many tenths of a pixel."""
    if _length(text) <= room:
        return text
    kept = ""
    room -= _width("…")
    for letter in text:
        room -= _width(letter)
        if room < 0:
            break
        kept += letter
    return kept.rstrip() + "…"


def rough(currency: Currency, units: int) -> str:
    """An amount for a plot, without symbol: two decimals at most, rounded down."""
    text = currency.decimal(abs(units))
    whole, point, rest = text.partition(".")
    rest = rest[:2].ljust(2, "0") if point else ""
    shown = f"{int(whole):,}" + (f".{rest}" if rest else "")
    return ("−" if units < 0 else "") + shown


def percent(part: int, whole: int) -> str:
    """A part of a whole in per cent with two decimals, rounded down."""
    scaled = part * 10_000 // whole
    return f"{scaled // 100}.{scaled % 100:02d} %"


# ---- money over time


def money_over_time(
    points: Sequence[Point], start: int, end: int, currency: Currency, *, alone: bool = False
) -> str:
    """Credits and payouts so far, as steps; what lies between them is owed."""
    left, right, top, bottom = 80, 3520, 760, 1900
    most = max([1, *(max(one.credited, one.paid) for one in points)])
    span = max(1, end - start)

    def x(time: int) -> int:
        return left + (right - left) * (min(max(time, start), end) - start) // span

    def y(amount: int) -> int:
        return bottom - (bottom - top) * amount // most

    def steps(amounts: Sequence[int]) -> list[tuple[int, int]]:
        found = [(x(start), y(amounts[0]))]
        for one, amount in zip(points, amounts, strict=True):
            found += [(x(one.time), found[-1][1]), (x(one.time), y(amount))]
        return [*found, (x(end), found[-1][1])]

    def path(of: Sequence[tuple[int, int]]) -> str:
        return " ".join(f"{_n(a)},{_n(b)}" for a, b in of)

    credited = steps([one.credited for one in points])
    paid = steps([one.paid for one in points])
    last = points[-1]
    parts = [
        f'<polygon points="{path([*credited, *reversed(paid)])}" class="p-owed"/>',
        _line(left, bottom, right, bottom, "p-axis"),
        _line(left, top, right, top, "p-axis"),
        f'<polyline points="{path(credited)}" class="p-credited"/>',
        f'<polyline points="{path(paid)}" class="p-paid"/>',
        _text(
            left, top - 50, _clip(f"{rough(currency, most)} {currency.symbol}", right - left), kind="p-soft"
        ),
        _text(left, bottom + 150, format_time(start)[:10], kind="p-soft"),
        _text(right, bottom + 150, format_time(max(start, end - 1))[:10], end=True, kind="p-soft"),
        _line(80, 80, 280, 80, "p-credited"),
        _line(80, 240, 280, 240, "p-paid"),
        _box(80, 340, 200, 110, "p-owed"),
    ]
    legend = (("credited", last.credited), ("paid", last.paid), ("owed", last.credited - last.paid))
    shown = [rough(currency, amount) for _, amount in legend]
    edge = 2200 if max(map(_length, shown)) <= 1250 else right
    for place, ((name, _), amount) in enumerate(zip(legend, shown, strict=True)):
        parts.append(_text(340, 118 + 160 * place, name))
        parts.append(_text(edge, 118 + 160 * place, amount, end=True, kind="p-bold"))
    title = (
        f"Credited {currency.shown(last.credited)}, paid {currency.shown(last.paid)}, "
        f"owed {currency.shown(last.credited - last.paid)} at the end."
    )
    return _svg(212, title, parts, alone=alone)


# ---- a split


def split_bars(split: SplitBars, *, alone: bool = False) -> str:
    """The payees' shares of a split, the largest first, the holder's own in colour."""
    parts = []
    widest = max([1, *(bar.units for bar in split.bars)])
    for number, bar in enumerate(split.bars):
        top = 40 + 230 * number
        kind = "p-bold" if bar.mine else ""
        parts.append(_text(0, top + 120, _clip(bar.name, _NAMES), kind=kind))
        width = max(15, 1060 * bar.units // widest)
        parts.append(_box(1740, top, width, 150, "p-mine" if bar.mine else "p-other"))
        parts.append(_text(3580, top + 120, percent(bar.units, split.total), end=True, kind=kind))
    mine = sum(bar.units for bar in split.bars if bar.mine)
    title = f"The holder has {percent(mine, split.total)} of a split of {sum(bar.count for bar in split.bars)} payees."
    return _svg(8 + 23 * max(1, len(split.bars)), title, parts, alone=alone)


# ---- from gross to payout


def waterfall(flow: Flow, *, alone: bool = False) -> str:
    """A report from gross revenue to the payout, in two parts of one scale each."""
    currency = flow.row.currency
    parts: list[str] = []
    top = 0
    for heading, steps in (("The report", flow.first), ("The line and your part", flow.second)):
        if not steps:
            continue
        parts.append(_text(0, top + 130, heading, kind="p-soft"))
        top = _steps(parts, top + 210, steps, currency) + 60
    ends = flow.second or flow.first
    title = f"From gross revenue {currency.shown(flow.first[0].amount)} to {currency.shown(ends[-1].amount)}."
    return _svg(top // 10, title, parts, alone=alone)


def _steps(parts: list[str], top: int, steps: Sequence[FlowStep], currency: Currency) -> int:
    widest = max([1, *(abs(step.amount) for step in steps)])
    left, room = 1480, 1160
    # Long figures leave less room for the bars.
    room = max(150, min(room, 2000 - max(_length(rough(currency, step.amount)) for step in steps)))

    def x(amount: int) -> int:
        return left + room * max(0, amount) // widest

    level = 0
    for step in steps:
        start, end = (0, step.amount) if step.is_sum else (level, level + step.amount)
        a, b = sorted((x(start), x(end)))
        kind = "p-sum" if step.is_sum else "p-less" if step.amount < 0 else "p-more"
        parts.append(_text(0, top + 115, _clip(step.what, _STEPS), kind="p-bold" if step.is_sum else ""))
        parts.append(_box(a, top, max(15, b - a), 140, kind))
        amount = rough(currency, step.amount)
        parts.append(_text(3580, top + 115, amount, end=True, kind="p-bold" if step.is_sum else ""))
        level = end
        parts.append(_line(x(level), top + 140, x(level), top + 220, "p-link"))
        top += 220
    parts.pop()
    return top
