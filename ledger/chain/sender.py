"""The sender: does each thing once, whatever dies on the way.

A request is signed with the account's own next nonce, stored in the outbox, and only then sent. Run again
after a kill, a dropped connection, a restarted node or a reorg, the same signed bytes are sent again. A
second transaction for one key is signed only when the first is provably dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.chain.answers import hex_int
from ledger.chain.delivery import Delivery, Listener, Rules, no_funds, rules_for
from ledger.chain.folders import home_folder
from ledger.chain.outbox import CANCELLED, MINED, REPLACED, Item, Outbox
from ledger.chain.requests import (
    ELSEWHERE,
    GAS_CAP,
    REFUSED,
    SKIPPED,
    Outcome,
    Request,
    fresh_key,
    outcome_of,
    raise_failures,
)
from ledger.chain.requests import (
    REPLACED as OUTCOME_REPLACED,
)
from ledger.chain.rpc import Rpc
from ledger.chain.signing import Signer
from ledger.chain.simulation import Trial, try_in_order, why_reverted
from ledger.domain.errors import IncompleteError, ValueRefused

#: Transactions that are signed and stored at a time, and that may be under way at once.
_BATCH = 200
_UNDER_WAY = 1000
#: What an estimate is raised by: refunds come after the peak, and a call keeps back a 64th of its gas.
_MARGIN_PERCENT, _MARGIN = 140, 30_000


class Sender:
    """Sends from one account. Open it as a context manager: one process at a time sends from an account."""

    def __init__(
        self,
        rpc: Rpc,
        signer: Signer,
        folder: Path | None = None,
        *,
        rules: Rules | None = None,
        listen: Listener | None = None,
    ) -> None:
        """Of `folder` it uses the outbox; by default the folder is the ledger's home.

        `listen(what, count)` hears of progress: "settling", "sent", "mined", "resent", and how many more.
        """
        self.rpc = rpc
        self.signer = signer
        self.address = signer.address
        self._listen = listen
        self._outbox = Outbox(folder or home_folder(), rpc.chain_id, rpc.genesis, signer.address)
        self._delivery = Delivery(rpc, signer, self._outbox, rules_for(rpc, rules), listen)

    def __enter__(self) -> Sender:
        self._outbox.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._outbox.__exit__(*error)

    # ---- trying

    def simulate(self, requests: Sequence[Request]) -> list[Trial]:
        """What the requests would do, in order, each seeing those before it. Nothing is sent."""
        return try_in_order(self.rpc, self.address, requests)

    # ---- sending

    def send_one(self, request: Request) -> Outcome:
        """Does one thing; raises LedgerError if it is refused."""
        outcomes = self.send([request])
        raise_failures(outcomes)
        return outcomes[0]

    def send_all(self, requests: Sequence[Request], *, preflight: bool = True) -> list[Outcome]:
        """Does all of them, or raises LedgerError for the first that is refused: by default before anything
        is sent.
        """
        outcomes = self.send(requests, preflight=preflight)
        raise_failures(outcomes)
        return outcomes

    def send(
        self,
        requests: Sequence[Request],
        *,
        preflight: bool = False,
        stop_at_failure: bool = False,
        wave: int = 1,
    ) -> list[Outcome]:
        """Does the requests, in order, and returns what became of each. First it settles what earlier runs
        left.

        Plainly, all go out as fast as the node takes them. `preflight`: they are tried in order first, and if
        one would be refused nothing at all is sent. `stop_at_failure`: they go out in waves of so many, and
        after a wave with a failure nothing more is sent. Raises LedgerError (no funds, node gone, nothing
        moves): run it again to finish.
        """
        self._check(requests)
        self._delivery.settle()
        outcomes = self._known(requests)
        new = [one for one in requests if one.key not in outcomes]
        new, trials = self._estimated(new, preflight)
        refused = {one.key: trial for one, trial in zip(new, trials, strict=False) if trial.error is not None}
        if preflight and refused:
            for one in new:
                trial = refused.get(one.key)
                outcomes[one.key] = Outcome(
                    one, REFUSED if trial else SKIPPED, error=trial.error if trial else None
                )
            return [outcomes[one.key] for one in requests]
        step = wave if stop_at_failure else _UNDER_WAY
        failed = stop_at_failure and any(not one.good for one in outcomes.values())
        for start in range(0, len(new), step):
            part = new[start : start + step]
            if failed:
                outcomes.update({one.key: Outcome(one, SKIPPED) for one in part})
                continue
            outcomes.update(self._deliver(part))
            failed = stop_at_failure and any(not outcomes[one.key].good for one in part)
        return [outcomes[one.key] for one in requests]

    def _check(self, requests: Sequence[Request]) -> None:
        if len({one.key for one in requests}) != len(requests):
            raise ValueRefused(
                "Two requests of a batch have the same key.", remedy="Each act needs a key of its own."
            )
        for one in requests:
            if one.gas is not None and not 21_000 <= one.gas <= GAS_CAP:
                raise ValueRefused(
                    f"A gas limit of {one.gas:,} is not possible.",
                    one.note,
                    remedy=f"Give 21,000 to {GAS_CAP:,}.",
                )

    def _known(self, requests: Sequence[Request]) -> dict[str, Outcome]:
        """What earlier runs have done of these requests. A refused or cancelled one is not done."""
        by_key = {one.key: one for one in requests}
        items = self._outbox.latest(list(by_key))
        for key, item in items.items():
            request = by_key[key]
            if (item.to, item.data, item.value) != (request.to, request.data, request.value):
                raise ValueRefused(
                    f"The key {key} was used for another transaction.",
                    request.note,
                    "Under one key one thing is done once.",
                    "Give the changed act a key of its own.",
                )
        mined = [one for one in items.values() if one.state == MINED]
        receipts = self._delivery.still_mined(mined)
        outcomes = {}
        for key, item in items.items():
            if item.state == MINED:
                receipt = receipts[(item.key, item.attempt)]
                if receipt["status"] == "0x1":
                    outcomes[key] = outcome_of(by_key[key], receipt, None, before=True)
            elif item.state == REPLACED and (outcome := self._replaced(by_key[key])) is not None:
                outcomes[key] = outcome
        return outcomes

    def _replaced(self, request: Request) -> Outcome | None:
        """What the chain says of a request whose nonce another transaction took; None: it is to be done
        again.
        """
        if request.still_needed is None:
            error = IncompleteError(
                "Another transaction took the nonce of this one.",
                request.note,
                "The account was used by another program at the same time.",
                "Look on the chain whether the act was done; if not, ask for it under a new key.",
            )
            return Outcome(request, OUTCOME_REPLACED, error=error)
        return None if request.still_needed() else Outcome(request, ELSEWHERE)

    def _estimated(self, requests: Sequence[Request], preflight: bool) -> tuple[list[Request], list[Trial]]:
        """The requests with gas limits, and their trials where any was needed."""
        if not requests or not (preflight or any(one.gas is None for one in requests)):
            return list(requests), []
        trials = self.simulate(requests)
        limited = []
        for place, one in enumerate(requests):
            gas = one.gas
            if gas is None and place < len(trials) and trials[place].error is None and trials[place].gas:
                gas = min(GAS_CAP, trials[place].gas * _MARGIN_PERCENT // 100 + _MARGIN)
            # One that cannot be tried gets more than any plain act needs: unused gas is not paid.
            limited.append(replace(one, gas=gas or (1_000_000 if one.to else GAS_CAP)))
        return limited, trials

    def _deliver(self, requests: Sequence[Request]) -> dict[str, Outcome]:
        """Signs, stores, sends and waits."""
        sent: list[Item] = []
        attempts = {
            key: item.attempt + 1 for key, item in self._outbox.latest([one.key for one in requests]).items()
        }
        # A node behind the others may not yet know of our last ones.
        nonce = max(self._delivery.nonce("pending"), self._outbox.next_nonce())
        start = 0
        while start < len(requests):
            fee, tip = self._delivery.fees()
            count = self._affordable(requests[start : start + _BATCH], fee, sent)
            if count == 0:
                self._delivery.finish(sent)  # what is under way holds money back until it is mined
                count = self._affordable(requests[start : start + _BATCH], fee, [])
                if count == 0:
                    raise no_funds(
                        self.rpc, self.address, (requests[start].gas or 0) * fee + requests[start].value
                    )
            part = requests[start : start + count]
            items = []
            for request in part:
                item = Item(
                    key=request.key,
                    attempt=attempts.get(request.key, 0),
                    nonce=nonce,
                    to=request.to,
                    value=request.value,
                    data=request.data,
                    gas=request.gas or 0,
                )
                item.signatures.append(self._delivery.sign(item, fee, tip))
                items.append(item)
                nonce += 1
            self._outbox.add(items)
            self._delivery.broadcast(items)
            self._tell("sent", len(items))
            sent += items
            start += count
        receipts = self._delivery.finish(sent)
        outcomes = {}
        for request, item in zip(requests, sent, strict=True):
            receipt = receipts.get((item.key, item.attempt))
            outcomes[request.key] = self._outcome(request, item, receipt)
        return outcomes

    def _outcome(self, request: Request, item: Item, receipt: dict[str, Any] | None) -> Outcome:
        if receipt is None:
            replaced = self._replaced(request)
            # Provably dead and still needed: the one case in which a key is signed with another nonce.
            return replaced if replaced is not None else self._deliver([request])[request.key]
        error = None
        if receipt["status"] != "0x1":
            error = why_reverted(self.rpc, self.address, replace(request, gas=item.gas), receipt)
        return outcome_of(request, receipt, error, before=False)

    def _affordable(self, requests: Sequence[Request], fee: int, under_way: Sequence[Item]) -> int:
        """How many of the requests the balance covers at the full fee, beside those that may not be mined
        yet.
        """
        balance = hex_int(self.rpc.call("eth_getBalance", self.address, "latest"))
        balance -= sum(one.gas * one.newest.max_fee + one.value for one in under_way)
        count = 0
        for one in requests:
            balance -= (one.gas or 0) * fee + one.value
            if balance < 0:
                break
            count += 1
        return count

    def _tell(self, what: str, count: int) -> None:
        if self._listen is not None:
            self._listen(what, count)

    # ---- what is left over

    def settle(self) -> None:
        """Finishes what earlier runs left under way."""
        self._delivery.settle()

    def under_way(self) -> list[Item]:
        """What is signed and not known to be mined."""
        return self._outbox.under_way()

    def cancel(self) -> tuple[int, int]:
        """Takes the nonces of what is under way by empty transactions at a higher fee; how many were
        cancelled, and how many were mined all the same.
        """
        items = self._outbox.under_way()
        if not items:
            return 0, 0
        fee, tip = self._delivery.fees()
        empty = []
        for item in items:
            one = Item(fresh_key(f"cancel/{item.nonce}"), 0, item.nonce, self.address, 0, b"", 21_000)
            highest = item.newest
            one.signatures.append(
                self._delivery.sign(
                    one, max(fee, highest.max_fee * 5 // 4), max(tip, highest.priority_fee * 5 // 4)
                )
            )
            empty.append(one)
        self._outbox.add(empty)
        self._delivery.broadcast(empty)
        self._delivery.finish([*items, *empty])
        gone = [one for one in items if one.state == REPLACED]
        for one in gone:
            one.state = CANCELLED
        self._outbox.mark(gone)
        return len(gone), len(items) - len(gone)
