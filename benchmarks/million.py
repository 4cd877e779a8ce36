"""A million payees in one split: every page published, credited once, every payee paid, on a fresh chain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.gas.chain import Call, fresh_chain
from benchmarks.gas.splits import EACH, GAS_EACH, MILLION, Ledger, content, million, pages, payouts
from benchmarks.machine import keep
from ledger.chain.requests import GAS_CAP

PUBLISHED_TOGETHER = 64
PAID_TOGETHER = 4
#: Calls in one exchange with the node.
AT_ONCE = 16


def main() -> None:
    """Does all of it and keeps the gas; every call is sent under the cap of one transaction."""
    tree = million()
    last = (MILLION - 1) // 128
    with fresh_chain() as chain:
        ledger = Ledger.on(chain)
        splits, token = ledger.splits, ledger.token.address

        def in_turn(numbers: Sequence[int], together: int, call: Callable[[Sequence[int]], Call]) -> list[int]:
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
            range(last + 1),
            PAID_TOGETHER,
            lambda group: splits.payPages(content(tree), token, GAS_EACH, payouts(tree, group)),
        )
        held = ledger.token.artefact.abi.function("balanceOf")
        left = held.decode(chain.rpc.eth_call(token, held.encode(splits.address)))
    if left >= MILLION:
        raise SystemExit(f"{left} base units are left in Splits: somebody was not paid")
    figures = {
        "payees": MILLION,
        "pages": tree.pages,
        "publish_calls": len(published),
        "publish_gas_per_payee": round(sum(published) / MILLION, 1),
        "credit_gas": credited,
        "pay_calls": len(paid),
        "pay_gas_per_payee": round(sum(paid) / MILLION, 1),
        "costliest_call_gas": max(*published, *paid),
        "residue_base_units": left,
        "seconds": round(time.perf_counter() - started, 1),
    }
    keep("million", figures, {"costliest_call_gas": GAS_CAP - 1})
