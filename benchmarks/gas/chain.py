"""A fresh anvil on which every run spends the same gas: fixed keys, fixed times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.compiler import artefact
from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.artefacts import Artefact
from ledger.chain.deploy import FACTORY, SALT, plan
from ledger.chain.node import LocalNode
from ledger.chain.requests import GAS_CAP
from ledger.chain.rpc import Rpc, RpcError, call_object
from ledger.chain.signing import Signer
from ledger.domain.canonical import keccak256
from ledger.domain.reverts import decode_revert

#: 1 January 2026, 00:00 UTC.
GENESIS_TIME = 1_767_225_600
#: A block holds what a peer's largest call needs, even where no transaction may take as much (EIP-7825).
BLOCK_GAS = 60_000_000
ACCOUNTS = 10


class Refused(Exception):
    """A transaction of a benchmark reverted, or took more gas than a transaction may have."""


@dataclass(frozen=True)
class Contract:
    """A deployed contract: `contract.pay(...)` is the call data with its destination."""

    address: str
    artefact: Artefact

    def __getattr__(self, function: str) -> Any:
        if function.startswith("_"):
            raise AttributeError(function)
        encode = self.artefact.abi.function(function).encode
        return lambda *arguments: Call(self.address, encode(*arguments))

    def of(self, signature: str, *arguments: Any) -> Call:
        """A call of one of several functions of a name."""
        return Call(self.address, self.artefact.abi.function(signature).encode(*arguments))


@dataclass(frozen=True)
class Call:
    """Call data and where they go; no destination: creation code."""

    to: str | None
    data: bytes


class Chain:
    """Sends transactions and says what they cost."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.accounts: list[str] = [one.lower() for one in rpc.call("eth_accounts")]
        self._block_gas = hex_int(rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"])

    def signer(self, name: str) -> Signer:
        """A key made of a name, with native money; the node sends for it too."""
        signer = Signer(keccak256(f"benchmark {name}".encode()))
        self.rpc.call("anvil_impersonateAccount", signer.address)
        self.rpc.call("anvil_setBalance", signer.address, hex(10**20))
        return signer

    def gas(self, call: Call, sender: str | None = None, *, over_cap: bool = False) -> int:
        """The receipt's `gasUsed`."""
        return self.gas_of_each([call], [sender or self.accounts[0]], over_cap=over_cap)[0]

    def gas_of_each(
        self, calls: Sequence[Call], senders: Sequence[str] | None = None, *, over_cap: bool = False
    ) -> list[int]:
        """The `gasUsed` of many transactions, in order; anvil knows no cap for one, so it is kept here.

        Raises Refused.
        """
        limit = self._block_gas if over_cap else GAS_CAP
        sending = list(senders or [self.accounts[0]] * len(calls))
        nonces = {one: self._nonce(one) for one in set(sending)}
        sent = []
        for call, sender in zip(calls, sending, strict=True):
            held = call_object(call.to, call.data, sender=sender, gas=limit)
            # The base fee is next to nothing, and may rise while full blocks wait.
            held |= {
                "nonce": hex(nonces[sender]),
                "maxFeePerGas": "0x3b9aca00",
                "maxPriorityFeePerGas": "0x0",
            }
            nonces[sender] += 1
            sent.append(("eth_sendTransaction", (held,)))
        hashes = self._good(self.rpc.batch(sent, repeat=False))
        self._mine_all(nonces)
        used = []
        for call, sender, digest in zip(calls, sending, hashes, strict=True):
            receipt = self.rpc.await_receipt(hex_bytes(digest))
            if receipt["status"] != "0x1":
                raise Refused(self._why(call, sender, receipt))
            used.append(hex_int(receipt["gasUsed"]))
        return used

    def _mine_all(self, nonces: Mapping[str, int]) -> None:
        """Mines until each account's nonce is reached: anvil leaves waiting what does not fit into a block."""
        while any(self._nonce(account) < nonce for account, nonce in nonces.items()):
            self.rpc.call("evm_mine")

    def _nonce(self, account: str) -> int:
        return hex_int(self.rpc.call("eth_getTransactionCount", account, "latest"))

    def _good(self, answers: list[Any]) -> list[str]:
        for one in answers:
            if isinstance(one, RpcError):
                raise Refused(str(one.reason()))
        return answers

    def _why(self, call: Call, sender: str, receipt: dict[str, Any]) -> str:
        held = call_object(call.to, call.data, sender=sender, gas=self._block_gas)
        answer = self.rpc.batch([("eth_call", (held, receipt["blockNumber"]))])[0]
        used = hex_int(receipt["gasUsed"])
        if not isinstance(answer, RpcError):
            return f"call 0x{call.data[:4].hex()} needs more than {used:,} gas"
        return f"call 0x{call.data[:4].hex()}: {decode_revert(answer.data)}"

    def deploy(self, name: str, *arguments: Any) -> tuple[Contract, int]:
        """A new contract from the first account, and what its creation cost."""
        held = artefact(name)
        return self.deploy_code(held, held.initcode(*arguments))

    def deploy_code(self, held: Artefact, initcode: bytes) -> tuple[Contract, int]:
        """A contract from any creation code, spoken to by an artefact's ABI."""
        sent = call_object(None, initcode, sender=self.accounts[0], gas=self._block_gas)
        receipt = self.rpc.await_receipt(hex_bytes(self.rpc.call("eth_sendTransaction", sent)))
        if receipt["status"] != "0x1":
            raise Refused(f"the creation of {held.name} reverted")
        return Contract(str(receipt["contractAddress"]), held), hex_int(receipt["gasUsed"])

    def deploy_ledger(self) -> dict[str, Contract]:
        """Our contracts, and the test dollar, at the addresses that they have on every chain."""
        planned = plan(["TestDollar"])
        for one in planned.values():
            self.gas(Call(FACTORY, SALT + one.initcode))
        return {name: Contract(one.address, one.artefact) for name, one in planned.items()}

    def now(self) -> int:
        """The time of the newest block."""
        return hex_int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"])

    def advance_to(self, timestamp: int) -> None:
        """Mines a block at that time."""
        self.rpc.call("evm_setNextBlockTimestamp", hex(timestamp))
        self.rpc.call("evm_mine")


@contextmanager
def fresh_chain(*more: str) -> Iterator[Chain]:
    """A chain of our own that ends with the block, whatever happens in it."""
    options = [
        "--gas-limit",
        str(BLOCK_GAS),
        "--accounts",
        str(ACCOUNTS),
        "--block-base-fee-per-gas",
        "0",
        *more,
    ]
    with LocalNode.start(genesis_time=GENESIS_TIME, options=options) as node:
        node.rpc.call("anvil_setBlockTimestampInterval", 1)
        yield Chain(node.rpc)
