"""A million payees in one split: every page published, the split credited, pages all over the tree paid."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.gas.chain import Call, fresh_chain
from benchmarks.gas.splits import EACH, GAS_EACH, MILLION, Ledger, content, million, pages, payouts
from benchmarks.machine import keep
from ledger.chain.requests import GAS_CAP

PUBLISHED_TOGETHER = 64
PAID_TOGETHER = 4
#: One page of so many is paid: anvil slows down with the accounts that it holds, the gas does not change.
PAID_EVERY = 61
#: Calls in one exchange with the node.
AT_ONCE = 16


def main() -> None:
    """Does all of it and keeps the gas; every call is sent under the cap of one transaction."""
    tree = million()
    last = (MILLION - 1) // 128
    with fresh_chain() as chain:
        ledger = Ledger.on(chain)
        splits, token = ledger.splits, ledger.token.address

        def in_turn(
            numbers: Sequence[int], together: int, call: Callable[[Sequence[int]], Call]
        ) -> list[int]:
            groups = [numbers[at : at + together] for at in range(0, len(numbers), together)]
            gas: list[int] = []
            for at in range(0, len(groups), AT_ONCE):
                gas += chain.gas_of_each([call(group) for group in groups[at : at + AT_ONCE]])
            return gas

        started = time.perf_counter()
        published = in_turn(
            range(tree.pages),
            PUBLISHED_TOGETHER,
            lambda group: splits.publish(content(tree), pages(tree, group)),
        )
        credited = ledger.credit(tree, MILLION * EACH)
        paid = in_turn(
            [*range(0, last, PAID_EVERY), last],
            PAID_TOGETHER,
            lambda group: splits.payPages(content(tree), token, GAS_EACH, payouts(tree, group)),
        )
    payees = 128 * len(range(0, last, PAID_EVERY)) + MILLION - 128 * last
    figures = {
        "payees": MILLION,
        "pages": tree.pages,
        "publish_calls": len(published),
        "publish_gas_per_payee": round(sum(published) / MILLION, 1),
        "credit_gas": credited,
        "pay_calls": len(paid),
        "payees_paid": payees,
        "pay_gas_per_payee": round(sum(paid) / payees, 1),
        "costliest_call_gas": max(*published, *paid),
        "seconds": round(time.perf_counter() - started, 1),
    }
    keep("million", figures, {"costliest_call_gas": GAS_CAP - 1})
