"""Operations behind report, payout and verify, on a real chain."""

from __future__ import annotations

from _command import LICENSOR, STRANGER
from _reporting import LICENSEE_ADDRESS, after, line, session_of

from ledger.operations import books, disputes, payments, payouts, reports, verify
from ledger.operations.report_files import ReportRow, read_reports
from ledger.operations.report_plans import Rules
from ledger.operations.session import send_all

HEADER = b"ChainId,LicenceId,PeriodStart,PeriodEnd,CurrencyOfReporting,GrossRevenue\n"


def test_from_reports_to_a_proved_payout(node, licence):
    session = session_of(node.rpc)
    after(node, "2024-05-01")
    content = HEADER + "\n".join(line(licence, number, "1500.00") for number in range(3)).encode()
    rows, findings = read_reports(content)
    with session.sender() as sender:
        done = reports.import_reports(session, sender, rows, findings=findings)
        assert len(done.plan.new) == 3
        # 100 + 40 = 140 a month, 100 of the first recouped
        assert [one.line for one in done.plan.new] == [40_000_000, 140_000_000, 140_000_000]
        again = reports.import_reports(session, sender, rows)
        assert (len(again.plan.new), len(again.plan.before)) == (0, 3)
        due = payments.explain(session, books.read(session), licence, 1)
        assert due.due.open == 140_000_000
        held = payments.plan_pay(session, books.read(session), licence, payer=sender.address)
        send_all(sender, held.plan.requests)
        row = ReportRow(0, 31337, licence, None, None, "tUSD", "1600.00")
        other = reports.plan_restate(session, books.read(session), row, 1, sender=LICENSEE_ADDRESS)
        reports.keep(session, [other.file])
        send_all(sender, other.plan.requests)
        lower = ReportRow(0, 31337, licence, None, None, "tUSD", "100.00")
        objected = disputes.plan_object(session, books.read(session), lower, 2, sender=LICENSEE_ADDRESS)
        send_all(sender, objected.plan.requests)
        one = ReportRow(0, 31337, licence, None, None, "tUSD", "10.00")
        reports.import_reports(session, sender, [one], rules=Rules(pay_now=True))
    with session.sender(LICENSOR) as sender:
        plan = disputes.plan_settle(
            session, books.read(session), licence, 2, sender=sender.address.lower(), accepted=True
        )
        send_all(sender, plan.requests)
    with session.sender(STRANGER) as sender:
        held_books = books.read(session)
        sums = payouts.sums_of(held_books, payouts.splits_of(held_books, licence=licence))
        plan = payouts.plan_payout(session, held_books, sums, sender=sender.address)
        done = payouts.pay_out(session, sender, held_books, plan)
        assert (done.payees, done.passed_over, done.refused) == (3, [], [])
    found = verify.verify(session)
    assert found.findings == []
    assert found.passed


def test_many_pages_are_grouped_under_the_gas_cap_and_paid_once(node, ledger, dollar, sender_of):
    from ledger.chain.requests import GAS_CAP
    from ledger.domain.merkle_sum import MerkleSumTree
    from ledger.operations.splits import publish_requests

    session = session_of(node.rpc)
    tree = MerkleSumTree.build([(f"0x{number + 1:040x}", number % 7 + 1) for number in range(1_000)])
    sender = sender_of(1)
    send_all(sender, [*publish_requests(session, tree), dollar.mint(sender.address, 10**12)])
    send_all(sender, [dollar.approve(ledger.addresses["Splits"], 10**12)])
    send_all(sender, [ledger.splits.credit(tree.id, dollar.address, 10**12 - 7, occasion="1")])
    held = books.read(session)
    plan = payouts.plan_payout(session, held, payouts.sums_of(held), sender=sender.address)
    assert (plan.pages, plan.payees, len(plan.plan.requests)) == (8, 1_000, 3)
    assert all(one.gas < GAS_CAP for one in plan.plan.requests)
    done = payouts.pay_out(session, sender, held, plan)
    assert (done.payees, done.passed_over, done.refused) == (1_000, [], [])
    found = verify.verify(session)
    assert found.passed, found.findings
    (one,) = found.sums
    assert (one.credited, one.owed) == (10**12 - 7, 0)
    assert one.paid + one.residue == one.credited
    assert one.paid == done.paid[dollar.address]
