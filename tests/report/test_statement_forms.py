"""The forms of a statement: cells, dates, periods, plots and paper, whatever stands in a name."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ledger.domain.errors import LedgerError
from ledger.domain.text import clean
from ledger.operations.statements import formats_of, parse_period, path_of
from ledger.operations.times import parse_time
from ledger.report.columns import COLUMNS, last_day, rate_text, safe_cell, share_text
from ledger.report.html_page import to_html
from ledger.report.pdf import to_pdf, to_png
from ledger.report.plots import lettering, money_over_time, rough, split_bars
from ledger.report.statement import (
    GIFT,
    PAYOUT,
    Bar,
    Currency,
    Period,
    Point,
    Row,
    SplitBars,
    Statement,
    WorkShare,
    roll_ups,
)
from ledger.report.tables import to_csv, to_json

DOLLAR = Currency("0x" + "11" * 20, "tUSD", 6)
PAYEE = "0x" + "22" * 20


def statement(holder: str = "Ann", rows: int = 1, **more) -> Statement:
    made = [
        Row(
            GIFT,
            1_700_000_000 + number,
            DOLLAR,
            PAYEE,
            split_id=b"\x07" * 32,
            units=1,
            total=3,
            cumulative=(3 * number, 3 * number + 3),
            earned=1,
            net=1,
            carried=1,
            status="owed",
            works=(WorkShare("w", holder, "", "work", holder, 1_000_000, 1),),
            split_by=1,
        )
        for number in range(rows)
    ]
    period = Period(1_699_999_000, 1_800_000_000, "2023")
    return Statement(
        "LL-0123456789ABCDEF", holder, (PAYEE,), period, 1, {"Splits": "0x" + "33" * 20}, 9, bytes(32), 1_700_000_009,
        True, tuple(made), roll_ups(made, {DOLLAR.address: rows}), (), {},
        (SplitBars(b"\x07" * 32, 3, (1,), (Bar(holder, 1, True), Bar("2 more payees", 2, False, 2))),), (),
        {DOLLAR.address: (Point(period.start, 0, 0), Point(1_700_000_000, rows, 0))}, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "@x", "-x", "\t=1", "\r1", " =1", "|x", "＝1", "－1", "-1-1", "-", "+", "\n=1"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell):
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("a;=1+1", "a;'=1+1"),
        ('a; "=1+1"', 'a; "\'=1+1"'),
        ("a;-2;@b", "a;'-2;'@b"),
        ("=a;＝b", "'=a;'＝b"),
        ("a;b", "a;b"),
    ],
)
def test_nor_does_one_that_is_divided_at_semicolons(cell, safe):
    assert safe_cell(cell) == safe


@pytest.mark.parametrize(
    "cell", ["", "0", "-1", "-12.500000", "12", "Ann", "0x12", "a=b", "L1-P0-V1", "0.1|0.08"]
)
def test_other_cells_stay_as_they_are(cell):
    assert safe_cell(cell) == cell


def test_the_columns_are_those_of_the_format():
    assert len(COLUMNS) == len(set(COLUMNS)) == 43
    assert (COLUMNS[0], COLUMNS[26], COLUMNS[-1]) == ("StatementId", "Earned", "LogIndex")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-q4", "2024-10-01", "2025-01-01"),
        ("2023-Q4..2024-02", "2023-10-01", "2024-03-01"),
        ("2024-01-15..2024-02-14", "2024-01-15", "2024-02-15"),
        ("2024-01-15T06:00:00Z..2024-01-15T07:00:00Z", "2024-01-15T06:00:00Z", "2024-01-15T07:00:00Z"),
    ],
)
def test_periods_are_read(text, start, end):
    period = parse_period(text)
    assert (period.start, period.end) == (parse_time(start), parse_time(end))


@pytest.mark.parametrize(
    "text", ["2024-00", "2024-Q0", "20245", "..", "2024..", "x..y", "2025..2024", "٢٠٢٤"]
)
def test_no_periods_are_refused(text):
    with pytest.raises(LedgerError):
        parse_period(text)


def test_dates_and_shares_are_written_for_people():
    assert last_day(parse_time("2024-03-01")) == "2024-02-29"
    assert last_day(parse_time("2024-03-01T12:00:00Z")) == "2024-03-01T12:00:00Z"
    assert (share_text(1, 3), share_text(3, 3), share_text(1, 2)) == ("0.333333333333", "1", "0.5")
    assert (rate_text(80_000), rough(DOLLAR, -1_234_567_890)) == ("0.08", "−1,234.56")


def test_formats_come_from_the_option_or_the_ending(tmp_path):
    assert formats_of([], tmp_path / "a.PDF") == ["pdf"]
    assert formats_of(["csv,html", "csv"], tmp_path / "a") == ["csv", "html"]
    assert path_of(tmp_path / "a.b", "csv", alone=False) == tmp_path / "a.b.csv"
    assert path_of(tmp_path / "a.pdf", "csv", alone=False) == tmp_path / "a.csv"
    with pytest.raises(LedgerError):
        formats_of([], tmp_path / "a")


def test_sums_that_do_not_agree_are_refused():
    row = Row(GIFT, 0, DOLLAR, PAYEE, earned=5, net=5, carried=5)
    payout = Row(PAYOUT, 0, DOLLAR, PAYEE, net=-2)
    with pytest.raises(LedgerError, match="does not add up"):
        roll_ups([row], {DOLLAR.address: 4})
    with pytest.raises(LedgerError, match="does not add up"):
        roll_ups([row, payout], {DOLLAR.address: 3})
    with pytest.raises(LedgerError, match="does not add up"):
        roll_ups([Row(GIFT, 0, DOLLAR, PAYEE, earned=5, net=4, carried=4)], {DOLLAR.address: 4})


@pytest.mark.parametrize("name", ["</text><script>x</script>", "a & b", "]]>", "\"'", "x" * 400])
def test_a_plot_is_xml_whatever_a_name_holds(name):
    for alone in (True, False):
        picture = split_bars(statement(name).splits[0], alone=alone)
        found = ElementTree.fromstring(picture)
        assert not [one for one in found.iter() if one.tag.endswith("script")]
        line = money_over_time(
            statement().points[DOLLAR.address], 0, 10, Currency(PAYEE, name, 0), alone=alone
        )
        ElementTree.fromstring(line)


def test_names_in_many_scripts_are_printed_with_the_fonts_of_the_package():
    from pypdf import PdfReader

    name = "Ann Жук Ωμέγα 山田太郎 김민준 Łódź"
    others = "محمد שלום राम ไทย 🎵"
    made = to_pdf(statement(f"{name} {others}"))
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    for part in name.split():
        assert part in text, part
    assert "🎵" not in text
    assert "\\U0001f3b5" in text


#: Names whose letters stand in several fonts, with marks, ligatures and conjuncts: each kept a PDF from being made.
MIXED = (
    "شركة الإنتاج الموسيقي العربية المحدودة (فرع القاهرة)",
    "الإنتاج「๓(",
    "٣山田½゙שָׁלוֹם「",
    "๓」ًน้ำΩμέγα",
    "ि ₹ — תזמורת é̂ ً 山山",
    "½-)-ำ-संगीत",
    "٣ क्षत्रिय 🎵 € ﬁ",
    "Z͑ͫ̓ͪ̂ͫ̽͏A̴̵̜̰͔ͫ͗͢L",
    "لا" * 60,
)


@pytest.mark.parametrize("name", MIXED)
def test_no_mixture_of_scripts_keeps_a_statement_from_being_printed(name):
    one = statement(clean(name))
    assert to_pdf(one) == to_pdf(one)


def test_the_words_of_a_picture_are_set_with_the_fonts_of_the_page():
    picture = split_bars(statement("a <b> & 山田").splits[0], alone=True)
    bare, words = lettering(picture)
    assert "<text" not in bare
    assert "font-family" not in bare
    assert [one["text"] for one in words] == ["a <b> & 山田", "33.33 %", "2 more payees", "66.66 %"]
    assert [one["end"] for one in words] == [False, True, False, True]
    assert words[0]["kind"] == "p-bold"


@pytest.mark.parametrize("name", ["山田太郎" * 10, "WARNER " * 10, "i" * 60, "Z͑ͫ̓" * 40])
def test_names_end_before_the_bars(name):
    (shown,) = [one["text"] for one in lettering(split_bars(statement(name).splits[0]))[1]][:1]
    assert shown.endswith("…")
    assert name.startswith(shown[:-1])
    # 174 pixels to the bars: a wide letter takes 10.5, a capital of Latin about 7.
    assert len(shown) <= (14 if name[0] == "山" else 24 if name[0] == "W" else 120)


def large(amount: int, decimals: int) -> Statement:
    """A statement of one credit of so much."""
    token = Currency("0x" + "11" * 20, "wEL", decimals)
    row = Row(GIFT, 1_700_000_000, token, PAYEE, earned=amount, net=amount, carried=amount, status="owed")
    return replace(
        statement(), rows=(row,), sums=roll_ups([row], {token.address: amount}), points={}, splits=()
    )


@pytest.mark.parametrize("decimals", [0, 6, 18])
@pytest.mark.parametrize("amount", [987_654_321, 2**127])
def test_every_digit_is_printed_and_the_unit_stands_in_the_head(amount, decimals):
    from pypdf import PdfReader

    one = large(amount, decimals)
    currency = one.sums[0].currency
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(one))).pages)
    assert (
        text.count(currency.plain(amount)) == 5
    )  # the large one, earned, closing; of the line: earned and net
    assert "To you, wEL" in text
    assert currency.shown(amount) not in text
    page = to_html(one).decode()
    assert '<th scope="col" class=n>To you, wEL</th>' in page
    assert f'data-name="To you, wEL">{currency.plain(amount)}</td>' in page


def test_with_several_tokens_each_line_says_its_own():
    rows = [
        Row(
            GIFT,
            1_700_000_000,
            Currency("0x" + d * 40, d * 3, 2),
            PAYEE,
            earned=5,
            net=5,
            carried=5,
            status="owed",
        )
        for d in "ab"
    ]
    one = replace(
        statement(),
        rows=tuple(rows),
        sums=roll_ups(rows, {row.currency.address: 5 for row in rows}),
        points={},
    )
    page = to_html(one).decode()
    assert "class=n>To you</th>" in page
    assert "0.05 aaa</td>" in page
    assert "0.05 bbb</td>" in page


def test_every_form_has_the_same_bytes_twice_and_survives_what_a_name_holds():
    one = statement(clean('#eval("1") $a$ *b* \\ @x <a> \x1b[31m \u202e ' + "x" * 300))
    for make in (to_csv, to_json, to_html, to_pdf):
        first = make(one)
        assert first == make(one)
        assert b"\x1b" not in first or make is to_pdf
    assert len(to_png(one)) == 2


def test_ten_thousand_lines_are_all_there():
    many = statement(rows=10_000)
    assert to_csv(many).count(b"\n") == 10_001
    assert to_html(many).count(b"<tr>") > 10_000
