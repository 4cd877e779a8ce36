"""A session: one home folder, one chain, one store of files, and the accounts that send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

from ledger.chain import keys
from ledger.chain.contracts import Ledger
from ledger.chain.delivery import Listener
from ledger.chain.node import LocalNode, node_status
from ledger.chain.reader import Reader
from ledger.chain.requests import Outcome, Request, raise_failures
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.chain.simulation import chain_time
from ledger.domain.address import parse_address
from ledger.domain.errors import LedgerError, UnreachableError
from ledger.operations.chains import hang_up
from ledger.operations.files import FileStore
from ledger.operations.home import Home


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to work. `rpc` empty: the local chain of the home folder. `files` empty: the home folder's
    store.
    """

    home: Path | None = None
    rpc: str = ""
    chain_id: int | None = None
    files: str = ""
    account: str = ""
    password_file: Path | None = None
    prompt: Callable[[str], str] | None = None


class Session:
    """Opens what is asked for when it is asked for. Use it as a context manager, or call `close`."""

    def __init__(self, settings: Settings | None = None, *, rpc: Rpc | None = None) -> None:
        """With `rpc` that connection is used (and left open) instead of the one that the settings name."""
        self.settings = settings or Settings()
        self.home = Home.find(self.settings.home)
        self._given = rpc

    def close(self) -> None:
        """Gives the connection back."""
        if self._given is None and "rpc" in self.__dict__:
            self.rpc.close()
            del self.__dict__["rpc"]
        if (node := self.__dict__.pop("node", None)) is not None:
            hang_up(node)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the chain

    @cached_property
    def rpc(self) -> Rpc:
        """The connection, its chain id checked. Raises UnreachableError."""
        if self._given is not None:
            return self._given
        defaults = self.home.defaults()
        url = self.settings.rpc or defaults.rpc
        expected = self.settings.chain_id or (None if self.settings.rpc else defaults.chain_id)
        if url:
            return Rpc.connect(url, expected)
        status = node_status(self.home.chain)
        if status.state != "running":
            raise UnreachableError(
                "No chain is named, and no local chain runs from the home folder.",
                str(self.home.path),
                remedy="Start one: `licence-ledger chain start`; or name a node: --rpc URL.",
            )
        return Rpc.connect(status.url, expected)

    @property
    def is_local(self) -> bool:
        """Whether this is a test chain of anvil, on which everything is sent at once."""
        return self.rpc.is_local

    @cached_property
    def reader(self) -> Reader:
        """Reads from the chain."""
        return Reader(self.rpc)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger's contracts, their code checked. Raises LedgerError where they are not deployed."""
        return Ledger(self.rpc)

    @cached_property
    def node(self) -> LocalNode:
        """The home folder's own chain, whose clock can be set. Raises UnreachableError."""
        return LocalNode.attach(self.home.chain)

    def now(self) -> int:
        """The time that the next block will have, Unix seconds."""
        return chain_time(self.rpc)

    # ---- files

    @cached_property
    def files(self) -> FileStore:
        """The store of files."""
        return FileStore(self.settings.files or self.home.defaults().files or self.home.files)

    # ---- accounts

    @property
    def keys_folder(self) -> Path:
        """Where key files lie: $LICENCE_LEDGER_KEYS, else below the home folder."""
        import os

        named = os.environ.get(keys.KEYS_VARIABLE)
        return Path(named).expanduser() if named else self.home.keys

    def account_name(self, account: str = "") -> str:
        """The account named, else --from, else the default one. Raises LedgerError where none is named."""
        name = account or self.settings.account or self.home.defaults().account
        if not name:
            local = " On the local chain dev:0 to dev:9 are there." if self._may_be_local() else ""
            raise LedgerError(
                "No account is named.",
                remedy=f"Give --from NAME; `licence-ledger key list` shows the names.{local}",
            )
        return name

    def _may_be_local(self) -> bool:
        try:
            return self.is_local
        except LedgerError:
            return False

    def signer(self, account: str = "") -> Signer:
        """The account's unlocked key. Raises LedgerError: no such account, wrong password, published key
        off a test chain.
        """
        return keys.resolve(
            self.account_name(account),
            self.rpc,
            self.keys_folder,
            prompt=self.settings.prompt,
            password_file=self.settings.password_file,
        )

    def address(self, account: str = "") -> str:
        """The account's address, without unlocking it. A plain address stands for itself."""
        name = self.account_name(account)
        if name.startswith("0x"):
            return parse_address(name)
        if name.startswith("dev:"):
            return keys.resolve(name, self.rpc, self.keys_folder).address
        return keys.address_of(name, self.keys_folder)

    @contextmanager
    def sender(self, account: str = "", listen: Listener | None = None) -> Iterator[Sender]:
        """Sends from an account; one process at a time."""
        with Sender(self.rpc, self.signer(account), self.home.path, listen=listen) as sender:
            yield sender


def send_all(sender: Sender, requests: Sequence[Request]) -> list[Outcome]:
    """Does all of them, tried before the first is sent. Raises LedgerError for the first that is refused."""
    outcomes = sender.send(requests, preflight=True)
    raise_failures(outcomes)
    return outcomes
