"""What a command is about to do, decoded: who does what, who gets what. It is shown before anything is
sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger.chain.requests import Outcome, Request
from ledger.chain.simulation import try_in_order
from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError
from ledger.domain.money import format_amount
from ledger.operations.session import Session


class Money(Protocol):
    """What tells how an amount is shown: a token, or a terms document that names one."""

    @property
    def decimals(self) -> int:
        """Digits after the point."""

    @property
    def symbol(self) -> str:
        """The sign behind an amount."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of who gets what: `who` `does` `what` `to`, such as 0xab… pays "1,000.00 TUSD" to split
    0xcd….
    """

    who: str
    does: str
    what: str
    to: str = ""

    def as_dict(self) -> dict[str, str]:
        """The line as data for `--json`."""
        return {"who": self.who, "does": self.does, "what": self.what, "to": self.to}


@dataclass(frozen=True, slots=True)
class Plan:
    """Effects, and the requests known beforehand (later ones may need what the first ones return)."""

    sender: str
    effects: Sequence[Effect]
    requests: Sequence[Request] = ()
    warnings: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the plan's requests would do now. `gas` in units of gas, 0 where the node cannot tell."""

    gas: int
    refused: LedgerError | None


def rehearse(session: Session, plan: Plan) -> Rehearsal:
    """Tries the plan's requests in order on the node, from the sender's address. Nothing is sent."""
    if not plan.requests:
        return Rehearsal(0, None)
    trials = try_in_order(session.rpc, plan.sender, plan.requests)
    refused = next((one.error for one in trials if one.error is not None), None)
    return Rehearsal(sum(one.gas for one in trials), refused)


def shown_amount(token: Money, units: int) -> str:
    """An amount with decimals and symbol, for reading; base units where the token tells no decimals."""
    try:
        return format_amount(units, token.decimals, token.symbol, grouping=True)
    except LedgerError:
        return f"{units:,} base units of {token.symbol}"


def money(token: Token, units: int) -> dict[str, str]:
    """An amount as data for `--json`: base units as a string (numbers of JSON lose digits), and as it is
    shown.
    """
    return {
        "units": str(units),
        "shown": shown_amount(token, units),
        "token": checksum_address(token.address),
    }


def sent(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """Outcomes as data for `--json`."""
    return [one.as_dict() for one in outcomes]
