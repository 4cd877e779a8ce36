"""report import: every kind of bad line, the whole file refused, nothing sent."""

from __future__ import annotations

import pytest
from _command import LICENSEE, STRANGER
from _reporting import HEADER, after, line, write_csv

FULL = HEADER + ",DeductionType,Deductions,CurrencyOfTransaction,ExchangeRate,ExchangeRateSource,Note"


@pytest.fixture
def over(node, licence) -> int:
    """The licence, five months over, the first one reported."""
    after(node, "2024-06-02")
    return licence


@pytest.fixture
def refused(on, tmp_path, over, unsent):
    """Imports lines that must be refused: the flaws, by place."""

    def go(
        lines: list[str], header: str = HEADER, account: str = LICENSEE, code: int = 2
    ) -> list[tuple[str, str, str]]:
        before = unsent()
        ran = on("report", "import", write_csv(tmp_path / "r.csv", lines, header), account=account, json=True)
        assert (ran.code, unsent()) == (code, before)
        return [(one["where"], one["what"], one["remedy"]) for one in ran.error["findings"]]

    return go


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        pytest.param(
            lambda n: [line(n, 0, "1500"), line(n, 0, "1500")],
            "line 3",
            "is reported twice; first in line 2",
            id="twice",
        ),
        pytest.param(
            lambda n: [line(n, 1, "1500")],
            "line 2",
            "is out of order: period 0 comes next",
            id="out of order",
        ),
        pytest.param(
            lambda n: [line(n, 0, "1500"), line(n, 2, "1500"), line(n, 1, "1500")],
            "line 3",
            "period 1 comes next",
            id="swapped",
        ),
        pytest.param(
            lambda n: [f"31337,{n},2024-01-02,2024-01-31,tUSD,5"],
            "line 2",
            "is no reporting period",
            id="out of period",
        ),
        pytest.param(
            lambda n: [f"31337,{n},2023-01-01,2023-01-31,tUSD,5"],
            "line 2",
            "before licence 1 does",
            id="before the start",
        ),
        pytest.param(
            lambda n: [f"31337,{n},2027-01-01,2027-01-31,tUSD,5"], "line 2", "has ended", id="after the end"
        ),
        pytest.param(
            lambda n: [line(n, number, "1500") for number in range(6)], "line 7", "is not over", id="not over"
        ),
        pytest.param(lambda n: [line(n, 0, "-5")], "line 2", "is negative", id="negative"),
        pytest.param(
            lambda n: [line(n, 0, "1.2345678")], "line 2", "has 7 decimals; the token has 6", id="decimals"
        ),
        pytest.param(lambda n: [line(n, 0, "1e5")], "line 2", "has an exponent", id="exponent"),
        pytest.param(
            lambda n: [line(n, 0, "1500"), line(n, 1, "1500000000")],
            "line 3",
            "1,000,000 times the largest of the last reports",
            id="a million times",
        ),
        pytest.param(
            lambda n: [line(n, 0, "1500000000"), line(n, 1, "1500"), line(n, 2, "1500")],
            "line 2",
            "times the middle one",
            id="a million times, first",
        ),
        pytest.param(
            lambda n: [line(n, 0, "1500000000")], "line 2", "minimum guarantee", id="a million times, alone"
        ),
        pytest.param(
            lambda n: [line(n, 0, "5", chain=1)], "line 2", "is for chain 1; this is chain 31337", id="chain"
        ),
        pytest.param(lambda n: [line(99, 0, "5")], "line 2", "There is no licence 99", id="licence"),
        pytest.param(
            lambda n: [line(n, 0, "5", currency="EUR")], "line 2", "an ExchangeRate is needed", id="currency"
        ),
        pytest.param(lambda n: [line(n, 0, "9" * 40)], "line 2", "is too large", id="too large"),
        pytest.param(
            lambda n: [f"x,{n},2024-01-01,2024-01-31,tUSD,5"], "line 2", "is no number", id="no number"
        ),
        pytest.param(
            lambda n: [f"31337,{n},2024-13-01,2024-01-31,tUSD,5"], "line 2", "is no date", id="no date"
        ),
        pytest.param(lambda n: [f"31337,{n},2024-01-01,tUSD,5"], "line 2", "has 5 cells", id="cells"),
        pytest.param(
            lambda n: [f"31337,{n},2024-01-01,2024-01-31,tUSD,"],
            "line 2",
            "GrossRevenue is empty",
            id="empty",
        ),
    ],
)
def test_a_bad_line_is_named(refused, over, lines, where, what):
    found = refused(lines(over))
    assert any(one[0] == where and what in one[1] for one in found), found


def test_deductions_above_the_cap_tell_what_would_count(refused, over):
    (found,) = refused([line(over, 0, "1000", more=",refunds,200,,,,")], FULL)
    assert "above the cap of 15 % of gross revenue: 150.000000 tUSD would count" in found[1]


def test_kinds_and_amounts_must_pair(refused, over):
    (found,) = refused([line(over, 0, "1000", more=",refunds|tax,20,,,,")], FULL)
    assert "2 kinds of deductions and 1 amounts" in found[1]


def test_the_currency_of_the_payment_is_that_of_the_licence(refused, over):
    (found,) = refused([line(over, 0, "1000", more=",,,USDC,,,")], FULL)
    assert "CurrencyOfTransaction is USDC" in found[1]


def test_a_rate_of_zero(refused, over):
    (found,) = refused([line(over, 0, "1000", currency="EUR", more=",,,,0,,")], FULL)
    assert "ExchangeRate is zero" in found[1]


def test_only_the_licensee_reports(refused, over):
    (found,) = refused([line(over, 0, "5")], account=STRANGER)
    assert "is held by" in found[1]
    assert "--from NAME" in found[2]


def test_an_unknown_column_is_refused_with_a_hint(refused, over):
    found = refused([line(over, 0, "5")], HEADER.replace("GrossRevenue", "GrosRevenue"))
    assert found[0][1:] == ("There is no column 'GrosRevenue'.", "Did you mean GrossRevenue?")
    assert "The column GrossRevenue is missing." in found[1][1]


def test_a_period_reported_with_other_figures(on, over, refused):
    on("report", "submit", over, "1500", account=LICENSEE)
    (found,) = refused([line(over, 0, "1600")])
    assert "with other figures" in found[1]
    assert "report restate" in found[2]


def test_one_bad_line_among_good_ones_sends_nothing(refused, over):
    assert len(refused([line(over, 0, "1500"), line(over, 1, "-1"), line(over, 2, "1500")])) == 1


def test_ten_thousand_bad_lines_are_all_listed(on, over, tmp_path, unsent):
    before = unsent()
    path = write_csv(
        tmp_path / "r.csv", [line(over, number % 5, "-1", chain=31337) for number in range(10_000)]
    )
    ran = on("report", "import", path, account=LICENSEE, json=True)
    assert (ran.code, len(ran.error["findings"]), unsent()) == (2, 10_000, before)
    assert ran.error["findings"][9_999]["where"] == "line 10001"


def test_large_figures_that_are_meant(on, over, tmp_path):
    path = write_csv(tmp_path / "r.csv", [line(over, 0, "1500000000")])
    assert on("report", "import", path, "--max-due", "1000", account=LICENSEE).code == 2
    assert on("report", "import", path, "--confirm-large", account=LICENSEE).code == 0


def test_no_money_no_report_paid_at_once(on, over, tmp_path, unsent, dollar, sender_of):
    sender = sender_of(1)
    sender.send_one(dollar.transfer("0x" + "99" * 20, dollar.balance(sender.address) - 1))
    before = unsent()
    path = write_csv(tmp_path / "r.csv", [line(over, 0, "1500")])
    ran = on("report", "import", path, "--pay", account=LICENSEE, json=True)
    assert (ran.code, unsent()) == (6, before)
    assert "holds 0.000001 tUSD" in ran.error["what"]


def test_not_a_table(on, over, tmp_path):
    path = tmp_path / "r.csv"
    for content in (b"", b"\xff\xfe", HEADER.encode()):
        path.write_bytes(content)
        assert on("report", "import", path, account=LICENSEE).code == 2
