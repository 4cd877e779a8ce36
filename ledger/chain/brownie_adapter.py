"""What lets one script run under `brownie run` and under plain Python, on any RPC URL."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from ledger.chain import keys
from ledger.chain.folders import home_folder
from ledger.chain.requests import Failed, Outcome, Request
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.domain.errors import LedgerError

RPC_VARIABLE = "LICENCE_LEDGER_RPC"
ACCOUNT_VARIABLE = "LICENCE_LEDGER_ACCOUNT"
YES_VARIABLE = "LICENCE_LEDGER_YES"


@dataclass(frozen=True, slots=True)
class Connected:
    """A script's way to the chain: connection, sender, folder of its records, and the script's own arguments.

    `may_send`: always on a local chain, elsewhere only with --yes or $LICENCE_LEDGER_YES.
    """

    rpc: Rpc
    sender: Sender
    home: Path
    may_send: bool
    arguments: Sequence[str] = field(default_factory=tuple)

    def send(self, requests: Sequence[Request]) -> list[Outcome]:
        """Shows what is to be done, and does it if it may. Raises LedgerError for the first refused."""
        for one in requests:
            print(one.note or one.key)
        if self.may_send:
            outcomes = self.sender.send_all(requests)
            print(f"{len(outcomes)} done, {sum(one.gas_used for one in outcomes):,} gas")
            return outcomes
        for one, trial in zip(requests, self.sender.simulate(requests), strict=True):
            if trial.error is not None:
                raise Failed(trial.error, one.note, " Nothing was sent.", ())
        print(f"Dry run: nothing was sent. Add --yes, or set ${YES_VARIABLE}=1, to send.")
        return []


@contextmanager
def connected(arguments: Sequence[str] = (), *, local_account: str = "dev:0") -> Iterator[Connected]:
    """Opens Brownie's active network, else the one that --rpc or $LICENCE_LEDGER_RPC names.

    The account is Brownie's default or first one; in plain Python it is --from, $LICENCE_LEDGER_ACCOUNT, or
    on a local chain `local_account`. What is left of the arguments belongs to the script. Raises LedgerError.
    """
    given, rest = _parser().parse_known_args(list(arguments))
    brownie = _active_brownie()
    url = str(brownie.web3.provider.endpoint_uri) if brownie is not None else given.rpc
    if not url:
        raise LedgerError(
            "No node is named.", remedy=f"Give --rpc URL, or set ${RPC_VARIABLE}, or use `brownie run`."
        )
    with Rpc.connect(url, given.chain_id if brownie is None else int(brownie.chain.id)) as rpc:
        if brownie is not None:
            signer = _brownie_signer(brownie, rpc)
        else:
            account = given.account or (local_account if rpc.is_local else "")
            if not account:
                raise LedgerError(
                    "No account is named.", remedy=f"Give --from NAME, or set ${ACCOUNT_VARIABLE}."
                )
            signer = keys.resolve(account, rpc, prompt=_prompt, password_file=given.password_file)
        home = given.home or home_folder()
        with Sender(rpc, signer, home) as sender:
            yield Connected(rpc, sender, home, rpc.is_local or given.yes, tuple(rest))


def run(main: Callable[..., object]) -> NoReturn:
    """Runs a script's main on the command line's arguments; an error ends it with sentence and exit code."""
    try:
        main(*sys.argv[1:])
    except LedgerError as error:
        print(error, file=sys.stderr)
        sys.exit(int(error.exit_code))
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--rpc", default=os.environ.get(RPC_VARIABLE, ""))
    parser.add_argument("--chain-id", type=int)
    parser.add_argument("--from", dest="account", default=os.environ.get(ACCOUNT_VARIABLE, ""))
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--yes", action="store_true", default=os.environ.get(YES_VARIABLE, "") == "1")
    return parser


def _prompt(question: str) -> str:
    from getpass import getpass

    return getpass(question)


def _active_brownie() -> ModuleType | None:
    """Brownie, where it runs us and is connected. It is never imported here: that costs seconds."""
    brownie = sys.modules.get("brownie")
    return brownie if brownie is not None and brownie.network.is_connected() else None


def _brownie_signer(brownie: ModuleType, rpc: Rpc) -> Signer:
    """The key of Brownie's default or first account; on a local chain the node's own accounts are anvil's."""
    if not len(brownie.accounts):
        raise LedgerError("Brownie has no account.", remedy="Load one: `accounts.load(NAME)`.")
    account = brownie.accounts.default or brownie.accounts[0]
    key = getattr(account, "private_key", None)
    if key is not None:
        return Signer(bytes.fromhex(str(key).removeprefix("0x")))
    address = str(account.address).lower()
    for number in range(10):
        if rpc.is_local and keys.dev_signer(number).address == address:
            return keys.dev_signer(number)
    raise LedgerError(
        f"Brownie does not give the key of {account.address}.",
        remedy="Load it from Brownie's key files: `accounts.load(NAME)`.",
    )
