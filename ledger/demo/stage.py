"""Who plays in the demonstration, and how they act: one session for each account, one clock for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final

from ledger.chain.contracts import Ledger
from ledger.chain.requests import Outcome, Request
from ledger.chain.tokens import Token
from ledger.domain.money import format_amount, parse_amount
from ledger.operations import chains
from ledger.operations.home import Home
from ledger.operations.session import Session, Settings, send_all

#: Accounts of the local chain, by what they do. Their keys are published: they are for test chains alone.
OPERATOR: Final = "dev:0"
LICENSOR: Final = "dev:1"
DEVELOPER: Final = "dev:2"
EVALUATOR: Final = "dev:3"
SEARCHER: Final = "dev:4"
ARBITER: Final = "dev:5"
HOLDER: Final = "dev:6"
ANYONE: Final = "dev:7"
ASSISTANT: Final = "dev:8"
ATTRIBUTOR: Final = "dev:9"

Say = Callable[[str], None]


def data(*path: str) -> str:
    """The text of a file that the package carries."""
    return resources.files("ledger").joinpath("data", *path).read_text(encoding="utf-8-sig")


def day(text: str) -> int:
    """Unix seconds of the first second of a day, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass
class Stage:
    """The local chain in the home folder, and the sessions of those who act on it."""

    folder: Path
    say: Say
    _sessions: dict[str, Session] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        """The home folder."""
        return Home.find(self.folder)

    def session(self, account: str) -> Session:
        """The session of an account."""
        if account not in self._sessions:
            self._sessions[account] = Session(Settings(home=self.folder, account=account))
        return self._sessions[account]

    def address(self, account: str) -> str:
        """The address of an account."""
        return self.session(account).address()

    @property
    def ledger(self) -> Ledger:
        """The ledger's contracts."""
        return self.session(OPERATOR).ledger

    def send(self, account: str, requests: Request | Sequence[Request]) -> list[Outcome]:
        """Sends from an account, all or nothing."""
        listed = [requests] if isinstance(requests, Request) else list(requests)
        with self.session(account).sender() as sender:
            return send_all(sender, listed)

    def gas(self) -> tuple[int, int]:
        """Gas of the whole chain so far, and the number of its transactions."""
        rpc = self.session(OPERATOR).rpc
        head = self.session(OPERATOR).reader.head()
        blocks = rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in range(head + 1)])
        used = sum(int(one["gasUsed"], 16) for one in blocks)
        return used, sum(len(one["transactions"]) for one in blocks)

    def at(self, date: str) -> None:
        """Sets the chain's clock forward to the first second of a day."""
        chains.advance_to(self.home, day(date))

    def close(self) -> None:
        """Gives every connection back."""
        for one in self._sessions.values():
            one.close()
        self._sessions.clear()


@dataclass(frozen=True)
class Money:
    """The demonstration's token."""

    token: Token

    @cached_property
    def symbol(self) -> str:
        """The token's symbol."""
        return self.token.symbol

    def units(self, whole: int) -> int:
        """Base units of whole tokens."""
        return parse_amount(str(whole), self.token.decimals)

    def show(self, units: int) -> str:
        """An amount as people read it."""
        return format_amount(units, self.token.decimals, self.symbol, grouping=True)
