"""What is to be done on chain, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.chain.answers import hex_bytes, hex_int
from ledger.domain.errors import ExitCode, IncompleteError, LedgerError

#: EIP-7825: no transaction may ask for more.
GAS_CAP = 16_777_216


@dataclass(frozen=True, slots=True)
class Request:
    """One transaction to be sent.

    `key` is its idempotency key: under one key one thing is done once, however often it is asked for. It
    should name the act and its content, such as `report/7/3/<hash of the figures>`. `gas`: its limit; None:
    estimated. `note`: the act in plain words, for messages. `still_needed` is asked only if another
    transaction took the nonce of a signed one: it reads from the chain whether the act is still to be done.
    """

    key: str
    to: str | None
    data: bytes
    value: int = 0
    gas: int | None = None
    note: str = ""
    still_needed: Callable[[], bool] | None = field(default=None, compare=False)


def fresh_key(prefix: str) -> str:
    """A key for an act that may be repeated at will, such as a mint on a test chain."""
    return f"{prefix}/{secrets.token_hex(12)}"


#: done: mined and in force. reverted: mined, refused by the contract. refused: would be refused, never sent.
#: skipped: not sent, since one before it failed. elsewhere: the chain shows it as done by another
#: transaction. replaced: another transaction took its nonce, and nobody can say whether the act is still
#: needed.
DONE, REVERTED, REFUSED = "done", "reverted", "refused"
SKIPPED, ELSEWHERE, REPLACED = "skipped", "elsewhere", "replaced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `before`: it had been mined by an earlier run."""

    request: Request
    state: str
    hash: bytes = b""
    block: int = 0
    gas_used: int = 0
    gas_price: int = 0
    logs: Sequence[dict[str, Any]] = ()
    error: LedgerError | None = None
    before: bool = False

    @property
    def good(self) -> bool:
        """Whether the act is done."""
        return self.state in (DONE, ELSEWHERE)

    def as_dict(self) -> dict[str, object]:
        """The outcome as data for `--json`."""
        return {
            "key": self.request.key,
            "note": self.request.note,
            "state": self.state,
            "transaction": "0x" + self.hash.hex() if self.hash else None,
            "block": self.block or None,
            "gas_used": self.gas_used or None,
            "error": self.error.as_dict() if self.error else None,
            "before": self.before,
        }


def outcome_of(request: Request, receipt: dict[str, Any], error: LedgerError | None, before: bool) -> Outcome:
    """The outcome that a receipt tells; `error` says why it was refused, if it was."""
    return Outcome(
        request,
        DONE if error is None else REVERTED,
        hex_bytes(receipt["transactionHash"]),
        hex_int(receipt["blockNumber"]),
        hex_int(receipt["gasUsed"]),
        hex_int(receipt.get("effectiveGasPrice", "0x0")),
        receipt["logs"],
        error,
        before,
    )


def raise_failures(outcomes: Sequence[Outcome]) -> None:
    """Raises the first failure, with what became of the others. Does nothing if all is done."""
    failed = [one for one in outcomes if not one.good]
    if not failed:
        return
    done = sum(one.good for one in outcomes)
    first = next((one for one in failed if one.error is not None), failed[0])
    if first.error is None:
        raise IncompleteError(f"{done} of {len(outcomes)} transactions are done.", first.request.note)
    error = first.error
    rest = ""
    if all(one.state in (REFUSED, SKIPPED) for one in outcomes):
        rest = " Nothing was sent."
    elif len(outcomes) > 1:
        rest = f" {done} of {len(outcomes)} transactions are done, {len(failed)} are not."
    raise Failed(error, first.request.note, rest, outcomes)


class Failed(LedgerError):
    """A transaction was refused. `cause` says why in the contract's terms, `outcomes` what became of all."""

    def __init__(self, cause: LedgerError, where: str, rest: str, outcomes: Sequence[Outcome]) -> None:
        self.cause = cause
        self.outcomes = tuple(outcomes)
        code = cause.exit_code if cause.exit_code != ExitCode.OK else ExitCode.REVERTED
        super().__init__(cause.what + rest, where or cause.where, cause.why, cause.remedy, code)

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`, the contract's error and all outcomes included."""
        return {
            **super().as_dict(),
            "cause": self.cause.as_dict(),
            "outcomes": [one.as_dict() for one in self.outcomes],
        }
