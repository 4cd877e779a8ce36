"""statement render: closing = the books' owed, every format, the same bytes, hostile names, each odd case."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _reporting import after, session_of
from jsonschema import Draft202012Validator

from ledger.domain.address import parse_address
from ledger.operations import balances, books
from ledger.report.columns import COLUMNS

ANN, BOB, EVE = "dev:3", "dev:4", "dev:5"
HOLDER = {
    ANN: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    BOB: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    EVE: "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
}
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>\u202e#import "x"; $x$ *b*'
SCHEMA = Path(__file__).parents[2] / "ledger" / "data" / "schemas" / "statement.schema.json"


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    rows = [
        ("song-1", "First", "Ann", HOLDER[ANN], "1/3", "recording", "GBAYE0601498"),
        ("song-1", "First", "Bob", HOLDER[BOB], "2/3", "recording", "GBAYE0601498"),
        ("song-2", "+cmd|' /C calc'!A0", "Cy", "", "1000000", "recording", ""),
        ("song-3", "Third", HOSTILE, HOLDER[EVE], "1000000", "recording", ""),
        ("song-4", "Fourth", "Ann", HOLDER[ANN], "1000000", "recording", ""),
    ]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("work", "title", "holder", "payee", "share", "right", "isrc"))
    writer.writerows(rows)
    path.write_text(text.getvalue())
    return path


@pytest.fixture
def story(on, node, licence) -> int:
    """A fee of 100 as an advance; reports paid at once, late with interest, restated up, settled down; payouts."""

    def act(*arguments, account=LICENSEE, **options):
        done = on(*arguments, account=account, json=True, **options)
        assert done.code == 0, done.error

    after(node, "2024-02-02")
    act("report", "submit", licence, "1500", "--pay")  # 140, of which 100 are recouped
    after(node, "2024-03-05")
    act("report", "submit", licence, "500")  # 50, paid late
    act("payout", "run", account=STRANGER)
    after(node, "2024-04-30")
    act("report", "pay", licence, 1)
    act("report", "restate", licence, 0, "1600")  # 8 more
    act("report", "pay", licence, 0)
    act("report", "submit", licence, "700", "--pay")
    act("report", "dispute", licence, 2, "500")
    act("report", "settle", licence, 2, "--accept", account=LICENSOR)  # 20 too much: set-off
    after(node, "2024-05-05")
    act("report", "submit", licence, "600", "--pay")  # 60, of which 20 are set off
    act("payout", "claim", to=ADDRESS[STRANGER], account=ANN)
    after(node, "2024-06-04")
    act("report", "submit", licence, "20", "--pay")  # 2, and 8 up to the guarantee
    return licence


@pytest.fixture
def render(on, tmp_path):
    def go(holder, period, *more, out="statement.json", **options):
        path = tmp_path / "out" / out
        done = on(
            "statement",
            "render",
            "--holder",
            holder,
            "--period",
            period,
            "--out",
            path,
            *more,
            json=True,
            **options,
        )
        return done, path

    return go


def rows_of(path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(), newline="")))


def total(rows, name) -> Decimal:
    return sum((Decimal(row[name]) for row in rows if row[name]), Decimal(0))


def owed(rpc, payee, block=None) -> int:
    session = session_of(rpc)
    held = books.read(session, block=block)
    return sum(one.owed for one in balances.shares_of(session, held, parse_address(payee)))


def test_it_ends_with_what_the_books_owe(story, render, rpc):
    done, path = render("Ann", "2024", "--format", "json")
    assert done.code == 0, done.error
    (sums,) = done.data["sums"]
    units = {name: int(one["units"]) for name, one in sums.items()}
    assert units["closing"] == owed(rpc, HOLDER[ANN]) > 0
    assert units["opening"] + units["earned"] + units["adjustments"] + units["interest"] == (
        units["recouped"] + units["paid"] + units["closing"]
    )
    # Of 300 units Ann has 4 of 7 by two works: thirds are exact.
    assert units["recouped"] == 100_000_000 * 4 // 9
    assert units["interest"] > 0
    document = json.loads(path.read_text())
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert sum((Decimal(one["NetPayable"]) for one in document["rows"]), Decimal(0)) == Decimal(
        document["sums"][0]["closing"]["decimal"]
    )


def test_every_amount_is_the_difference_of_two_floors(story, render):
    _, path = render("Ann", "2024", out="a.csv")
    by_proof: dict[tuple[str, ...], Decimal] = {}
    for row in rows_of(path):
        if not row["Proof"].startswith("leaf=") or "units=" not in row["Proof"]:
            continue
        key = (row["Proof"], row["TxHash"], row["LogIndex"], row["UseType"], row["ReportId"])
        by_proof[key] = by_proof.get(key, Decimal(0)) + Decimal(row["NetPayable"])
    assert len(by_proof) >= 8
    for (proof, *_), net in by_proof.items():
        told = {name: int(value) for name, value in (one.split("=") for one in proof.split(";"))}
        part = told["to"] * told["units"] // told["of"] - told["from"] * told["units"] // told["of"]
        assert net == Decimal(part) / 10**6


def test_rows_tell_fee_recoupment_restatement_set_off_interest_and_guarantee(story, render):
    """P-18: what each piece of money was for is told as it was booked."""
    _, path = render("Bob", "2024", out="bob.csv")
    rows = rows_of(path)
    assert list(rows[0]) == list(COLUMNS)
    share = Decimal(2) / 9

    def near(amount, expected):
        return abs(Decimal(amount) - expected * share) < Decimal("0.000002")

    (fee,) = [row for row in rows if row["UseType"] == "aill::UpfrontFee"]
    assert near(fee["Earned"], 100)
    assert near(fee["AdvanceBalanceAfter"], 100)
    (first,) = [row for row in rows if row["ReportId"] == "L1-P0-V1"]
    assert near(first["Earned"], 140)
    assert near(first["RecoupmentApplied"], 100)
    assert near(first["NetPayable"], 40)
    assert (first["AdvanceBalanceAfter"], first["GrossRevenue"]) == ("0.000000", "1500.000000")
    assert (first["RoyaltyRate"], first["TierApplied"]) == ("0.1|0.08", "1|2")
    assert (first["PeriodStart"], first["PeriodEnd"], first["Status"]) == ("2024-01-01", "2024-01-31", "paid")
    assert (first["WorkId"], first["Identifier"], first["Title"]) == ("song-1", "ISRC::GBAYE0601498", "First")
    assert (first["Model"], first["Service"], first["Territory"]) == ("Muse 1", "Songs for Muse", "WORLD")
    late, paid_late = [row for row in rows if row["ReportId"] == "L1-P1-V1"]
    assert (late["UseType"], late["Earned"], Decimal(late["LateInterest"]) > 0) == (
        "aill::LateInterest",
        "0.000000",
        True,
    )
    assert near(paid_late["Earned"], 50)
    since, restated = [row for row in rows if row["ReportId"] == "L1-P0-V2"]
    assert since["UseType"] == "aill::LateInterest"
    assert near(restated["PriorPeriodAdjustment"], 8)
    assert (restated["AdjustsPeriod"], restated["Earned"]) == ("0", "0.000000")
    (set_off,) = [row for row in rows if row["ReportId"] == "L1-P3-V1"]
    assert near(set_off["Earned"], 60)
    assert near(set_off["PriorPeriodAdjustment"], -20)
    assert near(set_off["NetPayable"], 40)
    assert set_off["AdjustsPeriod"] == "2"
    (guarantee,) = [row for row in rows if row["ReportId"] == "L1-P4-V1"]
    assert near(guarantee["Earned"], 10)
    assert near(guarantee["MinimumGuaranteeTopUp"], 8)
    assert {row["UseType"] for row in rows if row["NetPayable"].startswith("-")} == {"aill::Payout"}
    assert total(rows, "NetPayable") == total(rows, "CarriedForward")


def test_works_divide_a_credit_without_a_rest(story, render):
    _, path = render("Ann", "2024", out="ann.csv")
    rows = [row for row in rows_of(path) if row["ReportId"] == "L1-P0-V1"]
    assert [row["WorkId"] for row in rows] == ["song-1", "song-4"]
    assert [row["HolderShare"] for row in rows] == ["0.333333", "1"]
    assert abs(3 * Decimal(rows[0]["Earned"]) - Decimal(rows[1]["Earned"])) < Decimal("0.00001")
    for row in rows:
        assert Decimal(row["Earned"]) - Decimal(row["RecoupmentApplied"]) == Decimal(row["NetPayable"])


def test_periods_follow_one_another(story, render, rpc):
    parts = [render("Ann", period)[0].data for period in ("2024-Q1", "2024-Q2")]
    assert [one["final"] for one in parts] == [True, False]
    assert parts[1]["sums"][0]["opening"] == parts[0]["sums"][0]["closing"]
    whole = render("Ann", "2024-01-01..2024-06-30")[0].data["sums"][0]
    for name in ("earned", "adjustments", "interest", "recouped", "paid"):
        assert int(whole[name]["units"]) == sum(int(one["sums"][0][name]["units"]) for one in parts)
    assert int(parts[0]["sums"][0]["closing"]["units"]) == owed(rpc, HOLDER[ANN], parts[0]["block"])


def test_a_period_half_way_is_provisional(story, render):
    done, path = render("Ann", "2024-06", out="june.html")
    assert (done.code, done.data["final"]) == (0, False)
    assert "Provisional: the period is not over" in path.read_text()
    done, path = render("Ann", "2024-04-15..2024-05-14", out="half.html")
    assert (done.data["final"], "Final: the chain is past the period" in path.read_text()) == (True, True)


def test_a_period_that_is_over_gives_the_same_bytes_whenever_it_is_made(story, render, node, tmp_path):
    every = ("--format", "csv,json", "--format", "html,pdf")
    first, _ = render("Ann", "2024-05", *every, out="one")
    assert [Path(one["path"]).name for one in first.data["files"]] == [
        "one.csv",
        "one.json",
        "one.html",
        "one.pdf",
    ]
    after(node, "2024-09-01")
    second, _ = render("Ann", "2024-05", *every, out="two.pdf")
    assert [one["hash"] for one in first.data["files"]] == [one["hash"] for one in second.data["files"]]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{name}.{one}" for name in ("one", "two") for one in ("csv", "json", "html", "pdf")
    }


def test_an_empty_period_is_an_empty_statement(story, render, node):
    after(node, "2024-12-01")
    done, path = render("Bob", "2024-08", "--format", "csv,json,html,pdf", out="empty")
    assert done.code == 0, done.error
    (sums,) = done.data["sums"]
    assert sums["opening"] == sums["closing"] != "0"
    assert (sums["earned"]["units"], sums["paid"]["units"]) == ("0", "0")
    assert (
        "Nothing was credited" not in path.with_suffix(".html").read_text()
    )  # the opening balance is a line
    assert pages_of(path.with_suffix(".pdf"))


def test_a_payee_of_whom_nothing_was_credited_yet(on, licence, render, tmp_path, manifest):
    manifest.write_text(
        "work,title,holder,payee,share,right\nsong-9,Ninth,Zoe,0x9999999999999999999999999999999999999999,1/1,work\n"
    )
    assert on("catalogue", "create", manifest, title="More", account=LICENSOR).code == 0
    done, path = render("Zoe", "2024", "--format", "csv,html,pdf,json", out="zoe")
    assert done.code == 0, done.error
    assert {one["closing"]["units"] for one in done.data["sums"]} == {"0"}
    assert "Nothing was credited or paid" in path.with_suffix(".html").read_text()


def test_unknown_holders_periods_and_formats(story, render):
    unknown, path = render("An", "2024")
    assert (unknown.code, "Did you mean 'Ann'?" in unknown.error["remedy"]) == (2, True)
    nobody, _ = render(ADDRESS[LICENSEE], "2024")
    assert (nobody.code, "payee of no split" in nobody.error["what"]) == (2, True)
    for period in (
        "2024-13",
        "2024-Q5",
        "24",
        "",
        "2024-02-30..2024-03-01",
        "2024-03-02..2024-03-01",
        "1969",
    ):
        assert render("Ann", period)[0].code == 2, period
    later, _ = render("Ann", "2031")
    assert (later.code, "has not begun" in later.error["what"]) == (2, True)
    wrong, _ = render("Ann", "2024", "--format", "xlsx")
    assert (wrong.code, "csv, json, html, pdf" in wrong.error["remedy"]) == (2, True)
    assert render("Ann", "2024", out="statement")[0].code == 2
    assert not path.exists()


def test_a_holder_by_address_account_and_name_is_the_same(story, render):
    by_name, by_address, by_account = (
        render(one, "2024", out="x.csv")[0].data for one in ("Ann", HOLDER[ANN].lower(), ANN)
    )
    assert by_name["statement"] == by_address["statement"] == by_account["statement"]


def test_a_holder_without_a_payee_sees_its_works_as_unmatched(story, render):
    done, path = render("Cy", "2024", out="cy.csv")
    assert (done.code, done.data["payees"]) == (0, [])
    (row,) = rows_of(path)
    assert (row["Status"], row["WorkId"], row["NetPayable"]) == ("unmatched", "song-2", "0.000000")
    assert row["Title"] == "'+cmd|' /C calc'!A0"


class Tags(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "onclick")]

    def handle_data(self, data):
        self.text += data


def test_a_hostile_name_is_text_everywhere(story, render, on):
    done, path = render(HOSTILE, "2024", "--format", "csv,json,html,pdf", out="evil")
    assert done.code == 0, done.error
    tags = Tags()
    tags.feed(path.with_suffix(".html").read_text())
    assert not tags.names & {"script", "a", "img", "iframe", "object", "link", "form"}
    assert tags.sources == []
    assert "<script>alert(1)</script>" in tags.text
    assert "\u202e" not in tags.text
    assert "\\u202e" in tags.text
    for row in rows_of(path.with_suffix(".csv")):
        assert row["RightsHolderId"].startswith("'=HYPERLINK")
        for cell in row.values():
            assert cell[:1] not in "=+@\t\r" or not cell, cell
            assert not cell.startswith("-") or Decimal(cell) < 0
    shown = on(
        "statement", "render", "--holder", HOSTILE, "--period", "2024", "--out", path.with_suffix(".csv")
    )
    assert "\u202e" not in shown.out + shown.err
    text = "".join(pages_of(path.with_suffix(".pdf")))
    assert "<script>alert(1)</script>" in text.replace("\n", "")


def pages_of(path) -> list[str]:
    from pypdf import PdfReader

    return [page.extract_text() for page in PdfReader(path).pages]


SUMS = {
    "opening": "Opening balance",
    "earned": "+ Earned",
    "adjustments": "+ Adjustments",
    "interest": "+ Late interest",
    "recouped": "− Recouped",
    "paid": "− Paid",
    "closing": "= Closing balance, owed",
}


def test_the_pdf_tells_the_sums_the_lines_and_no_time_of_making(story, render):
    from pypdf import PdfReader

    done, path = render("Ann", "2024", out="ann.pdf")
    text = "\n".join(pages_of(path))
    (sums,) = done.data["sums"]
    assert "Owed at the end, tUSD" in text
    for name, told in SUMS.items():
        amount, _, token = sums[name]["shown"].partition(" ")
        assert (f"{told} {amount}\n" in text, token) == (True, "tUSD"), name
    for words in ("Ann", HOLDER[ANN], done.data["statement"], "Royalty, period 0", "Late interest, period 1"):
        assert words in text
    for words in ("Adjustment of period 0 (restated)", "Claimed to", "One report, from gross to you"):
        assert words in text
    reader = PdfReader(path)
    assert "/CreationDate" not in (reader.metadata or {})
    assert reader.metadata.title.startswith("Statement for Ann")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"].value is True
    fonts = {name for page in reader.pages for name in _fonts(page)}
    assert fonts
    assert all("Noto" in one or "Droid" in one for one in fonts), fonts


def _fonts(page) -> set[str]:
    held = page["/Resources"].get("/Font", {})
    return {str(one.get_object()["/BaseFont"]) for one in held.values()}


def test_the_page_has_its_plots_its_reasons_and_nothing_from_elsewhere(story, render):
    _, path = render("Ann", "2024", out="ann.html")
    page = path.read_text()
    assert page.count("<svg") == 3
    assert page.count("<details>") >= 10
    assert "default-src 'none'" in page
    tags = Tags()
    tags.feed(page)
    assert (tags.sources, "script" in tags.names, "url(" in page, "@import" in page) == (
        [],
        False,
        False,
        False,
    )


def test_a_blocked_holder_keeps_everything_and_reads_why(
    on, node, terms, write, tmp_path, ledger, sender_of, render
):
    from ledger.chain.contract import Contract
    from ledger.chain.deploy import plan

    token = Contract("BlocklistDollar", plan(["BlocklistDollar"])["BlocklistDollar"].address, ledger.reader)
    minted = on("token", "mint", "100000", token="BUSD", account=LICENSEE, json=True).data["minted"]["shown"]
    terms["money"] |= {"token": token.address, "symbol": minted.split()[-1]}
    path = tmp_path / "offer.json"
    assert on("licence", "offer", write(terms), "--out", path, account=LICENSOR).code == 0
    assert on("licence", "accept", path, account=LICENSEE).code == 0
    sender_of(0).send_one(token.request("setBlocked", HOLDER[ANN], True, note="block", occasion="1"))
    assert on("payout", "run", account=STRANGER).code == 0
    done, out = render("Ann", "2024", out="blocked.csv")
    assert done.data["sums"][0]["closing"] == done.data["sums"][0]["earned"]
    assert any("refused a transfer" in note and "Nothing is lost" in note for note in done.data["notes"])
    assert {row["Status"] for row in rows_of(out)} == {"owed"}
    sender_of(0).send_one(token.request("setBlocked", HOLDER[ANN], False, note="free", occasion="2"))
    assert on("payout", "run", retry="all", account=STRANGER).code == 0
    done, out = render("Ann", "2024", out="paid.csv")
    assert done.data["sums"][0]["closing"]["units"] == "0"
    assert {row["Status"] for row in rows_of(out)} == {"paid"}


def test_a_store_without_files_gives_a_statement_that_says_so(story, render, tmp_path):
    done, path = render(HOLDER[ANN], "2024", out="bare.csv", files=tmp_path / "nothing")
    assert done.code == 0, done.error
    assert sum("not in the store" in note for note in done.data["notes"]) == 2
    assert {row["WorkId"] for row in rows_of(path)} == {""}
