"""Getting signed transactions mined: broadcast, receipts, reorgs, lost pools, stuck and replaced ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger.chain.answers import hex_bytes, hex_int, senseless
from ledger.chain.outbox import MINED, REPLACED, SIGNED, Item, Outbox, Signature
from ledger.chain.rpc import Rpc, RpcError
from ledger.chain.signing import Signer, Transaction
from ledger.domain.errors import ExitCode, IncompleteError, LedgerError

Listener = Callable[[str, int], None]
Key = tuple[str, int]

#: A replacement must offer a tenth more than what it replaces; an eighth leaves a margin.
_RAISE_NUMERATOR, _RAISE_DENOMINATOR = 9, 8
#: How often a nonce must be seen as taken, with no receipt of ours, before we believe it: nodes behind one
#: URL differ.
_SIGHTINGS = 3

_KNOWN = ("already known", "already imported", "known transaction", "already exists")
_SPENT = ("nonce too low", "nonce is too low", "oldnonce")
_CHEAP = (
    "underpriced",
    "less than block base fee",
    "fee cap less than",
    "max fee per gas less than",
    "feetoolow",
)
_POOR = ("insufficient funds", "insufficient balance", "overshot")


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient the sender is. Times in seconds, fees in wei per gas. A local chain confirms once."""

    confirmations: int = 3
    resend_after: float = 30.0
    replace_after: float = 90.0
    give_up_after: float = 900.0
    fee_limit: int = 10**12
    poll: float = 0.01
    poll_limit: float = 0.5


class Delivery:
    """Brings items of one account's outbox onto the chain."""

    def __init__(
        self, rpc: Rpc, signer: Signer, outbox: Outbox, rules: Rules, listen: Listener | None
    ) -> None:
        self._rpc = rpc
        self._signer = signer
        self._outbox = outbox
        self.rules = rules
        self._listen = listen
        self._sightings: dict[Key, int] = {}

    # ---- fees and signatures

    def fees(self) -> tuple[int, int]:
        """A maximum fee that outlives some full blocks, and the tip. Raises LedgerError above the limit."""
        block, tip = self._rpc.batch(
            [("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ())]
        )
        if isinstance(block, RpcError):
            raise block
        if block is None:
            raise senseless("It knows no newest block.", self._rpc.shown)
        base = hex_int(block.get("baseFeePerGas") or "0x0")
        priority = 10**9 if isinstance(tip, RpcError) else hex_int(tip)
        fee = 2 * base + priority
        if base + priority > self.rules.fee_limit:
            limit = self.rules.fee_limit / 1e9
            raise LedgerError(
                f"Gas costs {(base + priority) / 1e9:.1f} gwei, the limit is {limit:.0f}.",
                remedy="Wait until it is cheaper, or raise the limit.",
                exit_code=ExitCode.INCOMPLETE,
            )
        return min(fee, self.rules.fee_limit), priority

    def sign(self, item: Item, max_fee: int, priority_fee: int) -> Signature:
        """A signed form of the item at these fees."""
        transaction = Transaction(
            self._rpc.chain_id, item.nonce, priority_fee, max_fee, item.gas, item.to, item.value, item.data
        )
        raw, digest = self._signer.sign_transaction(transaction)
        return Signature(digest, raw, max_fee, priority_fee)

    def _replace(self, item: Item) -> None:
        """Signs the item anew: same nonce and data, higher fee. Raises IncompleteError at the fee limit."""
        old = item.newest
        wanted, tip = self.fees()
        fee = max(wanted, old.max_fee * _RAISE_NUMERATOR // _RAISE_DENOMINATOR + 1)
        tip = max(tip, old.priority_fee * _RAISE_NUMERATOR // _RAISE_DENOMINATOR + 1)
        if fee > self.rules.fee_limit:
            raise IncompleteError(
                f"A transaction is stuck at {old.max_fee / 1e9:.1f} gwei, and the fee limit forbids more.",
                f"nonce {item.nonce}",
                remedy="Raise the limit, or wait, and run the same command again.",
            )
        self._outbox.add_signature(item, self.sign(item, fee, min(tip, fee)))

    # ---- broadcast

    def broadcast(self, items: Sequence[Item]) -> None:
        """Hands the signed bytes to the node, in order of nonces; the same bytes may go any number of times.

        Raises LedgerError when the account cannot pay or the node refuses one for good, UnreachableError when
        it is gone.
        """
        for _ in range(8):
            calls = [("eth_sendRawTransaction", ("0x" + one.newest.raw.hex(),)) for one in items]
            answers = self._rpc.batch(calls)
            cheap = [
                item
                for item, answer in zip(items, answers, strict=True)
                if isinstance(answer, RpcError) and self._must_pay_more(item, answer)
            ]
            if not cheap:
                return
            for item in cheap:
                self._replace(item)
            items = cheap

    def _must_pay_more(self, item: Item, answer: RpcError) -> bool:
        said = answer.message.lower()
        if any(part in said for part in _KNOWN + _SPENT):
            return False  # on its way, or mined: the receipt decides
        if any(part in said for part in _CHEAP):
            return True
        if any(part in said for part in _POOR):
            raise no_funds(self._rpc, self._signer.address, item.gas * item.newest.max_fee + item.value)
        raise IncompleteError(
            "The node refused a transaction.",
            f"nonce {item.nonce}",
            answer.message,
            "Its signed bytes are kept. Mend the cause, then run the same command again.",
        )

    # ---- receipts

    def receipts(self, items: Sequence[Item]) -> dict[Key, dict[str, Any]]:
        """The receipts that the node has now, by key and attempt; any signed form of an item counts."""
        pairs = [(item, one.hash) for item in items for one in item.signatures]
        answers = self._rpc.batch(
            [("eth_getTransactionReceipt", ("0x" + digest.hex(),)) for _, digest in pairs]
        )
        found: dict[Key, dict[str, Any]] = {}
        for (item, _), answer in zip(pairs, answers, strict=True):
            if isinstance(answer, RpcError):
                raise answer
            if answer is not None and answer.get("blockNumber") is not None:
                found[(item.key, item.attempt)] = answer
        return found

    def nonce(self, block: str = "latest") -> int:
        """The account's next nonce as of the block."""
        return hex_int(self._rpc.call("eth_getTransactionCount", self._signer.address, block))

    def finish(self, items: Sequence[Item]) -> dict[Key, dict[str, Any]]:
        """Waits until each item is mined and confirmed, or provably dead; the receipts of those mined.

        Sends again what the node has lost, replaces what is stuck, looks again after a reorg. Raises
        IncompleteError when nothing moves any more.
        """
        waiting = {(one.key, one.attempt): one for one in items}
        done: dict[Key, dict[str, Any]] = {}
        seen: dict[Key, str] = {}
        pause = self.rules.poll
        moved = resent = started = time.monotonic()
        while waiting:
            # The head is read first: a receipt's block can then only look less deep than it is.
            head, nonce = self._head_and_nonce()
            # No receipt is asked for before its nonce is spent: that would only slow the node down.
            found = self.receipts([one for one in waiting.values() if one.nonce < nonce])
            before = (len(waiting), len(seen))
            already = len(done)
            for key, receipt in found.items():
                seen[key] = receipt["blockHash"]
                if head - hex_int(receipt["blockNumber"]) + 1 >= self.rules.confirmations:
                    done[key] = receipt
                    self._mark_mined(waiting.pop(key), receipt)
            for key in [one for one in seen if one in waiting and one not in found]:
                del seen[key]  # a reorg took its block away
            now = time.monotonic()
            if (len(waiting), len(seen)) != before:
                moved, pause = now, self.rules.poll
                if len(done) > already:
                    self._tell("mined", len(done) - already)
                continue
            if waiting and now - max(moved, resent) > self.rules.resend_after:
                stuck = now - moved > self.rules.replace_after
                self._push(waiting, found, nonce, self._settled_nonce(head), stuck=stuck)
                resent = now
            if now - max(moved, started) > self.rules.give_up_after:
                raise IncompleteError(
                    f"{len(waiting)} transactions are not mined after {self.rules.give_up_after:.0f} s.",
                    self._rpc.shown,
                    "The node mines nothing, or the fee is too low.",
                )
            if waiting:
                time.sleep(pause)
                pause = min(pause * 1.5, self.rules.poll_limit)
        self._outbox.mark(items)
        return done

    def _mark_mined(self, item: Item, receipt: dict[str, Any]) -> None:
        item.state = MINED
        item.block = hex_int(receipt["blockNumber"])
        item.block_hash = hex_bytes(receipt["blockHash"])

    def _settled_nonce(self, head: int) -> int:
        """The account's next nonce as of the newest block with enough confirmations."""
        return self.nonce(hex(max(0, head - self.rules.confirmations + 1)))

    def _head_and_nonce(self) -> tuple[int, int]:
        answers = self._rpc.batch(
            [("eth_blockNumber", ()), ("eth_getTransactionCount", (self._signer.address, "latest"))]
        )
        for one in answers:
            if isinstance(one, RpcError):
                raise one
        return hex_int(answers[0]), hex_int(answers[1])

    def _push(
        self,
        waiting: dict[Key, Item],
        found: dict[Key, dict[str, Any]],
        nonce: int,
        settled: int,
        *,
        stuck: bool,
    ) -> None:
        """Sends again what has no receipt; marks as replaced what can never have one."""
        lost = []
        for key, item in sorted(waiting.items(), key=lambda pair: pair[1].nonce):
            if key in found:
                continue
            if item.nonce >= nonce:
                lost.append(item)
                continue
            if item.nonce >= settled:
                continue  # a reorg may still give the nonce back
            # The nonce is spent for good and no signed form of ours has a receipt.
            self._sightings[key] = self._sightings.get(key, 0) + 1
            if self._sightings[key] >= _SIGHTINGS:
                item.state = REPLACED
                del waiting[key]
        if lost:
            self._tell("resent", len(lost))
            if stuck:
                self._replace(lost[0])
            self.broadcast(lost)

    def _tell(self, what: str, count: int) -> None:
        if self._listen is not None:
            self._listen(what, count)

    # ---- what earlier runs left

    def settle(self) -> None:
        """Brings onto the chain what earlier runs signed: a crash, a reorg or a forgetful node undid it."""
        # A nonce of ours that counts as mined but is free again: its block is gone, the same bytes go out
        # again.
        undone = self._outbox.mined_from(self.nonce())
        for item in undone:
            item.state, item.block, item.block_hash = SIGNED, None, None
        self._outbox.mark(undone)
        items = self._outbox.under_way()
        if not items:
            return
        self._tell("settling", len(items))
        for part in _parts(items, 200):
            self.broadcast(part)
        self.finish(items)

    def still_mined(self, items: Sequence[Item]) -> dict[Key, dict[str, Any]]:
        """The receipts of items that count as mined, once earlier runs are settled.

        One whose block was replaced and whose nonce is spent for good is marked as replaced. Raises
        LedgerError where the node has forgotten a receipt, lags behind, or a reorg is not over.
        """
        found = self.receipts(items)
        missing = [item for item in items if (item.key, item.attempt) not in found]
        if not missing:
            return found
        settled = self._settled_nonce(hex_int(self._rpc.call("eth_blockNumber")))
        for item in missing:
            block = self._rpc.call("eth_getBlockByNumber", hex(item.block or 0), False)
            if block is not None and hex_bytes(block["hash"]) == item.block_hash:
                raise LedgerError(
                    "The node no longer has the receipt of a transaction that was mined.",
                    f"block {item.block}",
                    "It keeps only recent ones.",
                    "Use a node with the whole history.",
                    ExitCode.UNREACHABLE,
                )
            if block is None or item.nonce >= settled:
                raise IncompleteError("The node lags behind, or a reorg is not over.", self._rpc.shown)
            item.state = REPLACED
        self._outbox.mark(missing)
        return found


def _parts(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def no_funds(rpc: Rpc, address: str, needed: int) -> LedgerError:
    """The error for an account that cannot pay for gas."""
    held = hex_int(rpc.call("eth_getBalance", address, "latest"))
    return LedgerError(
        f"{address} cannot pay for gas: it holds {held / 1e18:.6f}, and up to {needed / 1e18:.6f} is needed.",
        f"chain {rpc.chain_id}",
        "Every transaction costs the chain's native currency.",
        "Send some to the account, then run the same command again.",
        ExitCode.INCOMPLETE,
    )


def rules_for(rpc: Rpc, rules: Rules | None) -> Rules:
    """The rules given, or those that fit the chain. A local one mines only what it is given."""
    if not rpc.is_local:
        return rules or Rules()
    return replace(rules or Rules(resend_after=2.0), confirmations=1)
