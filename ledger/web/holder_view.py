"""What a rights holder's page says: balance, what is late, each licence and period with its reasons, payouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError
from ledger.operations.agenda import ENDING, Item
from ledger.operations.claims import LEAVES_AT_ONCE, leaves_at
from ledger.operations.payouts import Owed, sums_of
from ledger.report.pictures import WORKS_SHOWN, work_sums
from ledger.report.plots import money_over_time, split_bars, waterfall
from ledger.report.statement import (
    ADJUSTED,
    BOND,
    FEE,
    HELD_BACK,
    LATE,
    NO_PAYEE,
    OPENING,
    PAYOUT,
    ROYALTY,
    STATUS_OWED,
    Currency,
    LeafFacts,
    Point,
    Row,
)
from ledger.report.words import derivation, percent_of, what_of
from ledger.web.figures import (
    Figure,
    credit_key,
    day,
    hex_of,
    leaf_key,
    licence_key,
    payout_key,
    readable,
    short_hex,
    span,
    sum_key,
)
from ledger.web.holder_parts import (
    Balance,
    Claim,
    HolderView,
    Late,
    LeafLine,
    LicencePart,
    Line,
    PayoutLine,
    PeriodLines,
    Picture,
    Proof,
    WorkLine,
)
from ledger.web.snapshot import Snapshot
from ledger.web.work_credits import credited_works

_KINDS = {
    ROYALTY: "royalty",
    ADJUSTED: "adjustment",
    LATE: "late interest",
    BOND: "bond of an objection",
}
#: How the steps that are the holder's own begin.
_PART = "Your part"
#: With more periods than these the reasons stand on the licences' pages alone, so that the page stays light.
REASONS_SHOWN = 400
#: Rows of one table: a browser lays out those that are looked at.
ROWS_TOGETHER = 100
#: Dates to come that the page names.
COMING = 5
_POINTS = 400


def holder_view(snapshot: Snapshot, payee: str) -> HolderView:
    """A payee's page. Raises AuditFailed where its sums differ."""
    return _Maker(snapshot, payee).made()


class _Maker:
    def __init__(self, snapshot: Snapshot, payee: str) -> None:
        self.snapshot = snapshot
        self.payee = payee
        self.statement = snapshot.statement(payee)
        self.rows = [one for one in self.statement.rows if one.kind != OPENING]

    def made(self) -> HolderView:
        """Every part of the page."""
        snapshot, statement = self.snapshot, self.statement
        standing = snapshot.books.splits.standing_address(self.payee)
        parts, light = self._licences()
        works = work_sums(self.rows)
        late, coming = self._dates()
        return HolderView(
            snapshot.name_of(self.payee),
            checksum_address(self.payee),
            self.payee,
            checksum_address(standing) if standing else "",
            tuple(self._balances()),
            late,
            coming,
            tuple(parts),
            light,
            tuple(self._payouts()),
            tuple(
                WorkLine(
                    one.work.title or one.work.work,
                    one.work.work,
                    one.work.identifier,
                    one.work.right_type,
                    percent_of(one.work.share_ppm),
                    Figure(one.amount, one.currency),
                )
                for one in works[:WORKS_SHOWN]
            ),
            max(0, len(works) - WORKS_SHOWN),
            tuple(credited_works(snapshot, self.payee)),
            tuple(self._waiting()),
            tuple(self._pictures()),
            tuple(map(self._leaf, statement.leaves)),
            statement.notes,
            statement,
        )

    # ---- money

    def _balances(self) -> Iterator[Balance]:
        owed = [
            one
            for sums in sums_of(self.snapshot.books, self._splits(), payee=self.payee)
            for one in sums.owed
        ]
        for one in self.statement.sums:
            token = one.currency.address
            earned = sum(leaf.earned for leaf in self.statement.leaves if leaf.currency.address == token)
            paid = sum(leaf.paid for leaf in self.statement.leaves if leaf.currency.address == token)

            def figure(units: int, what: str, currency: Currency = one.currency) -> Figure:
                return Figure(units, currency, sum_key(self.payee, currency.address, what))

            yield Balance(
                one.currency,
                figure(earned, "earned"),
                figure(paid, "paid"),
                figure(earned - paid, "owed"),
                Figure(one.held, one.currency) if one.held else None,
                tuple(self._claims(one.currency, [each for each in owed if each.token == token])),
            )

    def _splits(self) -> list[bytes]:
        return list(dict.fromkeys(one.split_id for one in self.snapshot.places.get(self.payee, ())))

    def _claims(self, currency: Currency, owed: Sequence[Owed]) -> Iterator[Claim]:
        parts = [owed[start : start + LEAVES_AT_ONCE] for start in range(0, len(owed), LEAVES_AT_ONCE)]
        for number, part in enumerate(parts, 1):
            try:
                leaves = leaves_at(
                    self.snapshot.books, [(one.split_id, one.token, one.index) for one in part]
                )
            except LedgerError:
                continue  # a split of other rules is claimed with the program that built it
            request = self.snapshot.session.ledger.splits.claim(leaves, occasion="")
            amount = sum(one.amount for one in part)
            yield Claim(currency, "0x" + request.data.hex(), amount, number, len(parts))

    # ---- licences and periods

    def _licences(self) -> tuple[list[LicencePart], bool]:
        lines = [one for one in self.rows if one.kind not in (PAYOUT, HELD_BACK, NO_PAYEE)]
        groups: dict[int | None, dict[tuple[str, int | None, int], list[Row]]] = {}
        for place, row in enumerate(lines):
            held = groups.setdefault(row.licence, {})
            period = None if row.kind == FEE else row.period
            # What no period joins stands alone, each with its own proof.
            key = (row.currency.address, period, place if period is None else 0)
            held.setdefault(key, []).append(row)
        light = sum(map(len, groups.values())) > REASONS_SHOWN
        order = sorted(groups, key=lambda one: (one is None, one or 0))
        return [self._part(number, groups[number], light=light) for number in order], light

    def _part(
        self, number: int | None, held: dict[tuple[str, int | None, int], list[Row]], *, light: bool
    ) -> LicencePart:
        facts = self.statement.licences.get(number) if number is not None else None
        part = LicencePart(
            number,
            facts.service if facts is not None else "",
            checksum_address(facts.licensee) if facts is not None else "",
        )
        sums: dict[str, int] = {}
        rows: list[PeriodLines] = []
        order = sorted(held, key=lambda one: (one[0], one[1] is not None, one[1] or 0, one[2]))
        for token, period, place in order:
            lines = held[token, period, place]
            sums[token] = sums.get(token, 0) + sum(one.net for one in lines)
            rows.append(self._period(number, period, lines, light=light))
        for token, units in sums.items():
            key = licence_key(self.payee, token, number) if number is not None else ""
            part.sums.append(Figure(units, self.statement_currency(token), key))
        part.count = len(rows)
        part.tables = [rows[start : start + ROWS_TOGETHER] for start in range(0, len(rows), ROWS_TOGETHER)]
        shares = {(one.units, one.total): None for lines in held.values() for one in lines if one.total}
        part.units = [f"{units:,} of {total:,}" for units, total in shares][:6]
        return part

    def statement_currency(self, token: str) -> Currency:
        """A token as this statement shows it."""
        return next(one.currency for one in self.rows if one.currency.address == token)

    def _period(
        self, number: int | None, period: int | None, rows: Sequence[Row], *, light: bool
    ) -> PeriodLines:
        first = rows[0]
        currency, token = first.currency, first.currency.address
        earned = sum(one.net for one in rows)
        key = self._key(first) if period is None else ""
        if number is not None and period is not None and any(one.cumulative != (0, 0) for one in rows):
            key = licence_key(self.payee, token, number, period)
        what, kinds = what_of(first), ""
        if period is not None:
            what, kinds = (
                f"Period {period}",
                _kinds_of(rows),
            )
        link = ""
        if number is not None:
            link = f"licences/{number}.html" + (f"#period-{period}" if period is not None else "")
        return PeriodLines(
            what,
            kinds,
            any(one.recouped for one in rows),
            span(first.period_start, first.period_end) if period is not None else day(first.time),
            Figure(earned, currency, key),
            Figure(sum(one.carried for one in rows), currency),
            () if light else tuple(map(self._line, rows)),
            link,
        )

    def _key(self, row: Row) -> str:
        if row.event is None or not row.split_id:
            return ""
        held = self.snapshot.credit_numbers.get((row.split_id, row.currency.address), {})
        number = held.get((row.event.block, row.event.log_index))
        amount = int(row.event.entry["amount"]) if number is not None else 0
        return credit_key(row, number, amount)

    def _line(self, row: Row) -> Line:
        proof = None
        if row.event is not None and row.total:
            before, after = row.cumulative
            proof = Proof(
                hex_of(row.split_id),
                row.index,
                row.units,
                row.total,
                row.currency.plain(before) if after > before else "",
                row.currency.plain(after) if after > before else "",
                hex_of(row.event.transaction),
                row.event.block,
                row.event.log_index,
                hex_of(row.booking.report_hash)
                if row.booking is not None and any(row.booking.report_hash)
                else "",
            )
        steps = derivation(row)
        return Line(
            what_of(row),
            day(row.time),
            Figure(row.net, row.currency, self._key(row)),
            "owed" if row.status == STATUS_OWED else "paid",
            # The part itself stands below the steps, with its proof.
            tuple(one for one in steps if not one[0].startswith(_PART)),
            tuple(one for one in steps if one[0].startswith(f"{_PART} of")),
            proof,
        )

    # ---- payouts

    def _payouts(self) -> Iterator[tuple[PayoutLine, ...]]:
        counts: dict[tuple[bytes, str, int], int] = {}
        found: list[PayoutLine] = []
        for row in self.rows:
            if row.kind != PAYOUT or row.event is None:
                continue
            where = (row.split_id, row.currency.address, row.index)
            number = counts.get(where, 0)
            counts[where] = number + 1
            how = "By page" if row.by_page else "By claim"
            if row.paid_to and row.paid_to != self.payee:
                how += f", to {checksum_address(row.paid_to)}"
            amount = Figure(-row.net, row.currency, payout_key(row, number))
            found.append(
                PayoutLine(day(row.time), how, amount, hex_of(row.event.transaction), row.event.block)
            )
        for start in range(0, len(found), ROWS_TOGETHER):
            yield tuple(found[start : start + ROWS_TOGETHER])

    # ---- dates

    def _dates(self) -> tuple[tuple[Late, ...], tuple[Late, ...]]:
        agenda = self.snapshot.agenda
        items = [one for number in self.snapshot.licences_of(self.payee) for one in agenda.get(number, ())]
        items.sort(key=lambda one: (one.time, one.licence, one.period or 0))
        # A term that is over but not recorded yet owes nobody anything.
        late = [self._date(one) for one in items if one.late and one.kind != ENDING]
        coming = [self._date(one) for one in items if not one.late and one.time][:COMING]
        return (*late, *self._stuck()), tuple(coming)

    def _date(self, item: Item) -> Late:
        amount = None
        if item.token is not None and item.units:
            amount = Figure(item.units, self.snapshot.currency(item.token.address))
        who = checksum_address(item.who) if item.who else ""
        return Late(day(item.time) if item.time else "now", who, readable(item.what), item.licence, amount)

    def _stuck(self) -> Iterator[Late]:
        for leaf in self.statement.leaves:
            if leaf.owed and leaf.how != "page":
                what = "a page passed it over, since the token refused the transfer"
                if leaf.how == "claim only":
                    what = "taken out of its page by the holder: it is paid by claim"
                where = f"split {short_hex(leaf.split_id)}, leaf {leaf.index}: {what}"
                yield Late("now", self.payee, where, 0, Figure(leaf.owed, leaf.currency))

    # ---- the rest

    def _waiting(self) -> Iterator[tuple[str, str, str, str]]:
        for row in self.statement.of_kind(HELD_BACK, NO_PAYEE):
            work = row.works[0]
            amount = row.currency.shown(row.held) if row.kind == HELD_BACK else "not valued"
            yield work.title or work.work, work.right_type, amount, row.status

    def _leaf(self, leaf: LeafFacts) -> LeafLine:
        token = leaf.currency.address

        def figure(units: int, what: str) -> Figure:
            return Figure(units, leaf.currency, leaf_key(leaf.split_id, token, leaf.index, what))

        return LeafLine(
            hex_of(leaf.split_id),
            leaf.currency,
            leaf.index,
            leaf.units,
            leaf.total,
            leaf.how,
            figure(leaf.earned, "earned"),
            figure(leaf.paid, "paid"),
            figure(leaf.owed, "owed"),
        )

    def _pictures(self) -> Iterator[Picture]:
        statement = self.statement
        for one in statement.sums:
            points = thinned(statement.points.get(one.currency.address, ()))
            if len(points) > 1:
                svg = money_over_time(points, statement.period.start, statement.block_time, one.currency)
                caption = "Credits to you and payouts, added up; the band between them is owed."
                yield Picture(f"Money over time, {one.currency.symbol}", svg, caption)
        for flow in statement.flows:
            row = flow.row
            caption = (
                f"Report {row.report}, {span(row.period_start, row.period_end)}, in {row.currency.symbol}."
            )
            yield Picture(
                "One report, from gross to you",
                waterfall(flow),
                f"{caption} Each part has a scale of its own.",
            )
        for split in statement.splits:
            licences = ", ".join(map(str, split.licences))
            caption = f"Split {short_hex(split.split_id)}" + (f", of licence {licences}" if licences else "")
            yield Picture("How the split divides money", split_bars(split), caption)


def _kinds_of(rows: Sequence[Row]) -> str:
    """What the lines of a period are, the royalty first."""
    held = {one.kind for one in rows}
    return ", ".join(words for kind, words in _KINDS.items() if kind in held)


def thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most so many points as can be told apart, the last of each stretch."""
    if len(points) <= _POINTS:
        return points
    each = -(-len(points) // _POINTS)
    return [points[0], *points[each - 1 : -1 : each], points[-1]]
