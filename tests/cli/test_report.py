"""report: submit, due, pay, restate, book-missing, list, dispute, settle."""

from __future__ import annotations

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _reporting import after, line, write_csv


@pytest.fixture
def reported(on, node, licence) -> int:
    """The licence, its first month reported at 1,500: a line of 40, since 100 of 140 are recouped."""
    after(node, "2024-02-02")
    done = on("report", "submit", licence, "1500.00", account=LICENSEE, json=True)
    assert done.code == 0, done.error
    return licence


def test_a_report_is_booked_once(on, reported):
    again = on(
        "report",
        "submit",
        reported,
        "1500.00",
        "--start",
        "2024-01-01",
        "--end",
        "2024-01-31",
        account=LICENSEE,
        json=True,
    )
    assert (again.code, again.data["sent"], again.data["booked_before"]) == (0, False, 1)


def test_the_same_figures_again_need_the_period(on, node, reported, unsent):
    after(node, "2024-03-02")
    before = unsent()
    again = on("report", "submit", reported, "1500.00", account=LICENSEE, json=True)
    assert (again.code, unsent()) == (2, before)
    assert "the very same figures" in again.error["what"]
    named = ("--start", "2024-02-01", "--end", "2024-02-29")
    assert on("report", "submit", reported, "1500.00", *named, account=LICENSEE).code == 0


def test_what_a_report_tells(on, node, licence):
    after(node, "2024-02-02")
    done = on(
        "report",
        "submit",
        licence,
        "2000",
        deductions="100|50",
        kinds="refunds|tax",
        currency="EUR",
        rate="1.0000009",
        rate_source="ECB 2024-01-31",
        account=LICENSEE,
        json=True,
    ).data
    one = done["reports"][0]
    # rounded down, each once: 2000 x 1.0000009 and 150 x 1.0000009
    assert (one["gross"]["units"], one["deductions"]["units"]) == ("2000001800", "150000135")
    # 100 + 8 % of (base - 1000) less the advance of 100
    assert one["line"]["units"] == str((1_850_001_665 - 1_000_000_000) * 8 // 100)
    held = on("report", "list", licence, json=True).data["periods"][0]
    assert (held["report_hash"], held["file_kept"]) == (one["report_hash"], True)


def test_the_report_file_is_in_the_store_and_says_both_figures(on, node, licence, tmp_path):
    import json

    after(node, "2024-02-02")
    files = tmp_path / "files"
    done = on(
        "report",
        "submit",
        licence,
        "2000",
        currency="EUR",
        rate="1.5",
        account=LICENSEE,
        files=files,
        json=True,
    )
    held = json.loads((files / done.data["reports"][0]["report_hash"][2:]).read_bytes())
    assert held["reporting"]["gross"] == "2000"
    assert held["transaction"]["gross"] == "3000.000000"
    assert held["exchange_rate"]["rate"] == "1.5"


def test_due_explains_and_agrees_with_the_contract(on, reported):
    held = on("report", "due", reported, json=True).data
    assert (held["period"], held["agrees"]) == (0, True)
    assert [one["earned"]["units"] for one in held["by_tier"]] == ["100000000", "40000000"]
    assert held["to_pay"]["units"] == "40000000"
    assert held["recouped"]["units"] == "100000000"
    text = on("report", "due", reported).out
    assert "the contract and the replayed books say the same" in text
    assert "8 % of this period" in text


def test_due_of_a_period_to_come(on, licence):
    held = on("report", "due", licence, 5, json=True).data
    assert (held["booked"], held["open"]["units"]) == (False, "0")


def test_pay_by_period_part_and_all(on, node, reported):
    part = on("report", "pay", reported, 0, amount="10", account=STRANGER, json=True)
    assert part.code == 6
    assert "holds 0.000000 tUSD" in part.error["what"]
    part = on("report", "pay", reported, 0, amount="10", account=LICENSEE, json=True).data
    assert part["payments"][0]["open"]["units"] == "30000000"
    after(node, "2024-03-15")
    on("report", "submit", reported, "100", account=LICENSEE)
    done = on("report", "pay", reported, account=LICENSEE, json=True).data
    assert [one["open"]["units"] for one in done["payments"]] == ["0", "0"]
    assert int(done["payments"][0]["interest"]["units"]) > 0
    again = on("report", "pay", reported, account=LICENSEE, json=True)
    assert (again.code, again.error["what"]) == (2, f"Nothing is open for licence {reported}.")


def test_a_report_paid_at_once(on, node, licence, dollar):
    after(node, "2024-02-02")
    before = dollar.balance(ADDRESS[LICENSEE])
    done = on("report", "submit", licence, "1500", "--pay", account=LICENSEE, json=True).data
    assert done["paid"][0]["units"] == "40000000"
    assert before - dollar.balance(ADDRESS[LICENSEE]) == 40_000_000


def test_restatements(on, reported):
    up = on("report", "restate", reported, 0, "1600", account=LICENSEE, json=True).data
    assert (up["line"]["units"], up["replaces_version"]) == ("8000000", 1)
    down = on("report", "restate", reported, 0, "10", account=LICENSEE, json=True)
    assert (down.code, "report dispute" in down.error["remedy"]) == (2, True)
    far = on("report", "restate", reported, 0, "1600000000", account=LICENSEE, json=True)
    assert (far.code, "1,000,000 times" in far.error["what"]) == (2, True)
    other = on("report", "restate", reported, 0, "1700", account=STRANGER, json=True)
    assert (other.code, "Only the licensee" in other.error["remedy"]) == (2, True)
    capped = on("report", "restate", reported, 0, "1700", max_due="1", account=LICENSEE, json=True)
    assert (capped.code, "--max-due" in capped.error["remedy"]) == (2, True)


def test_missing_periods(on, node, licence):
    early = on("report", "book-missing", licence, account=STRANGER, json=True)
    assert (early.code, "may be reported until 2024-02-11" in early.error["what"]) == (2, True)
    after(node, "2024-03-15")
    done = on("report", "book-missing", licence, account=STRANGER, json=True).data
    assert done["periods"] == [0, 1]
    rows = on("report", "list", licence, json=True).data["periods"]
    assert [one["kind"] for one in rows] == ["missing", "missing"]
    late = on(
        "report",
        "submit",
        licence,
        "1500",
        "--start",
        "2024-01-01",
        "--end",
        "2024-01-31",
        account=LICENSEE,
        json=True,
    )
    assert (late.code, "report restate" in late.error["remedy"]) == (2, True)
    assert on("report", "restate", licence, 0, "1500", account=LICENSEE).code == 0


def test_a_dispute_settled_by_the_other_side(on, reported):
    assert (
        on("report", "dispute", reported, 0, "1200", account=LICENSEE, json=True).data["step"] == "proposed"
    )
    row = on("report", "list", reported, json=True).data["periods"][0]
    assert row["dispute"]["proposer"] == "the licensee"
    nobody = on("report", "dispute", reported, 0, "--call-arbiter", account=LICENSEE, json=True)
    assert (nobody.code, "no arbiter" in nobody.error["what"]) == (2, True)
    stranger = on("report", "settle", reported, 0, "--accept", account=STRANGER, json=True)
    assert stranger.code == 5
    assert on("report", "settle", reported, 0, "--accept", account=LICENSOR).code == 0
    row = on("report", "list", reported, json=True).data["periods"][0]
    assert (row["kind"], row["base"]["units"], row["dispute"]) == ("settled", "1200000000", None)


@pytest.mark.parametrize("catalogue", [{"arbiter": LICENSOR}], indirect=True)
def test_an_arbiter_that_is_a_side_itself_is_not_called(on, reported):
    on("report", "dispute", reported, 0, "1200", account=LICENSEE)
    told = on("agenda", json=True).data["items"]
    assert [one["what"] for one in told if one["kind"] == "dispute"] == [
        "answer the figures proposed for period 0"
    ]
    side = on("report", "dispute", reported, 0, "--call-arbiter", account=LICENSEE, json=True)
    assert (side.code, "is a side of this dispute itself" in side.error["what"]) == (2, True)


def test_a_dispute_needs_figures_and_a_settlement_a_choice(on, reported):
    assert on("report", "dispute", reported, 0, account=LICENSEE).code == 2
    assert on("report", "settle", reported, 0, account=LICENSOR).code == 2
    none = on("report", "settle", reported, 0, "--reject", account=LICENSOR, json=True)
    assert (none.code, "no open dispute" in none.error["what"]) == (2, True)


def test_an_import_is_one_run_and_the_next_one_does_nothing(on, node, licence, tmp_path):
    after(node, "2024-12-15")
    path = write_csv(tmp_path / "r.csv", [line(licence, number, "1500") for number in range(11)])
    done = on("report", "import", path, account=LICENSEE, json=True)
    assert (done.code, done.data["booked"], len(done.data["transactions"])) == (0, 11, 1)
    again = on("report", "import", path, account=LICENSEE, json=True).data
    assert (again["booked"], again["booked_before"], again["sent"]) == (0, 11, False)


def test_reports_one_by_one_book_the_same(on, node, licence, tmp_path):
    after(node, "2024-05-15")
    path = write_csv(tmp_path / "r.csv", [line(licence, number, "1500") for number in range(4)])
    done = on("report", "import", path, "--pay", together=1, account=LICENSEE, json=True).data
    assert done["booked"] == 4
    assert sum("report period" in one["note"] for one in done["transactions"]) == 4
    assert on("report", "list", licence, json=True).data["periods"][3]["open"]["units"] == "0"
    assert on("verify").code == 0
