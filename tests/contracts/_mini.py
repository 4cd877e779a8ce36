"""A small in-process chain for the tests of one contract: deploy, call by name, decode, keep the raw logs.

Gas figures of pyrevm are not those of a chain (slots stay warm between calls): measure gas on anvil.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrevm
import sha3
from eth_abi.abi import decode, encode

ROOT = Path(__file__).resolve().parents[2]
# LEDGER_BUILD=unoptimised: our contracts without any step of the optimiser.
UNOPTIMISED = (ROOT / "build" / "unoptimised",) if os.environ.get("LEDGER_BUILD") == "unoptimised" else ()
FOLDERS = (*UNOPTIMISED, ROOT / "ledger" / "chain" / "artefacts", ROOT / "build" / "test-artefacts")
START = 1_750_000_000
Json = dict[str, Any]


class Reverted(Exception):
    """A call that reverted: `name` and `args` of its custom error, or the raw output."""

    def __init__(self, name: str, args: tuple[Any, ...], output: bytes) -> None:
        super().__init__(name, *args)
        self.name = name
        self.values = args
        self.output = output


@dataclass(frozen=True)
class Log:
    """A raw log with the number and the time of its block."""

    block: int
    time: int
    address: str
    topics: tuple[bytes, ...]
    data: bytes


def keccak(data: bytes) -> bytes:
    """Keccak-256."""
    return bytes(sha3.keccak_256(data).digest())


def account(number: int) -> str:
    """A test account: twenty bytes that say its number."""
    return "0x" + (0xACC0 << 128 | number).to_bytes(20, "big").hex()


@functools.cache
def artefact(name: str) -> Json:
    """The artefact of one of our contracts or of a test contract."""
    for folder in FOLDERS:
        path = folder / f"{name}.json"
        if path.is_file():
            found: Json = json.loads(path.read_bytes())
            return found
    raise FileNotFoundError(f"no artefact of {name}: run `make compile`")


def abi_type(entry: Json) -> str:
    """The canonical type of an ABI entry, tuples written out."""
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(abi_type(part) for part in entry["components"]) + ")" + kind.removeprefix("tuple")


def signature(entry: Json) -> str:
    """`name(types)` of a function, an event or an error."""
    return f"{entry['name']}({','.join(abi_type(part) for part in entry['inputs'])})"


@functools.cache
def _errors() -> dict[bytes, Json]:
    """The custom errors of every artefact, by selector."""
    found = {}
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.json")):
            for entry in json.loads(path.read_bytes())["abi"]:
                if entry["type"] == "error":
                    found[keccak(signature(entry).encode())[:4]] = entry
    return found


def _reverted(message: str) -> Reverted:
    match = re.search(r"output: 0x([0-9a-f]*)", message)
    if match is None:
        return Reverted(message, (), b"")
    output = bytes.fromhex(match[1])
    entry = _errors().get(output[:4])
    if entry is None:
        return Reverted("0x" + output[:4].hex(), (), output)
    types = [abi_type(part) for part in entry["inputs"]]
    return Reverted(str(entry["name"]), tuple(decode(types, output[4:])), output)


class Contract:
    """A deployed contract; its functions are its attributes, each with a keyword `sender`."""

    def __init__(self, chain: Chain, name: str, address: str) -> None:
        self.chain = chain
        self.artefact_name = name
        self.address = address
        self.abi: list[Json] = artefact(name)["abi"]
        self._functions = {entry["name"]: entry for entry in self.abi if entry["type"] == "function"}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._functions:
            raise AttributeError(f"{self.artefact_name} has no function {name}")
        return functools.partial(self._call, self._functions[name])

    def data(self, name: str, *args: Any) -> bytes:
        """The calldata of a call."""
        entry = self._functions[name]
        types = [abi_type(part) for part in entry["inputs"]]
        return keccak(signature(entry).encode())[:4] + encode(types, args)

    def topic(self, name: str) -> bytes:
        """Topic 0 of an event."""
        return next(
            keccak(signature(entry).encode())
            for entry in self.abi
            if entry["type"] == "event" and entry["name"] == name
        )

    def events(self, name: str) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
        """Indexed id and other fields of each event of this name, oldest first."""
        entry = next(entry for entry in self.abi if entry["type"] == "event" and entry["name"] == name)
        types = [abi_type(part) for part in entry["inputs"] if not part["indexed"]]
        for log in self.chain.logs:
            if log.address == self.address and log.topics[0] == self.topic(name):
                yield log.topics[1], tuple(decode(types, log.data))

    def _call(self, entry: Json, *args: Any, sender: str | None = None, gas: int | None = None) -> Any:
        static = entry["stateMutability"] in ("view", "pure")
        output = self.chain.send(self.address, self.data(entry["name"], *args), sender, static, gas)
        values = decode([abi_type(part) for part in entry["outputs"]], output)
        return values[0] if len(values) == 1 else values or None


class Chain:
    """One EVM with a clock; calls share a block until `move` mines it."""

    def __init__(self, time: int = START) -> None:
        # Unoptimised code may pass the 24,576 bytes of a chain.
        limit = 1 << 20 if UNOPTIMISED else None
        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=1, limit_contract_code_size=limit))
        self.evm = pyrevm.EVM(env=env, spec_id="PRAGUE")
        self.sender = account(1)
        self.block = 1
        self.time = time
        self.logs: list[Log] = []
        self._set_block()

    def _set_block(self) -> None:
        self.evm.set_block_env(pyrevm.BlockEnv(number=self.block, timestamp=self.time))

    def move(self, seconds: int, blocks: int = 1) -> None:
        """Mines: the time and the number of the next call's block grow."""
        self.time += seconds
        self.block += blocks
        self._set_block()

    def deploy(self, name: str, *args: Any) -> Contract:
        """Deploys a contract by name with its constructor's arguments."""
        found = artefact(name)
        inputs: list[Json] = next(
            (entry["inputs"] for entry in found["abi"] if entry["type"] == "constructor"), []
        )
        code = bytes.fromhex(found["bytecode"][2:]) + encode([abi_type(part) for part in inputs], args)
        try:
            address: str = self.evm.deploy(self.sender, code)
        except RuntimeError as error:
            raise _reverted(str(error)) from None
        return Contract(self, name, address)

    def at(self, name: str, address: str) -> Contract:
        """A contract that was deployed otherwise."""
        return Contract(self, name, address)

    def send(
        self, to: str, data: bytes, sender: str | None = None, static: bool = False, gas: int | None = None
    ) -> bytes:
        """A raw call; its logs are kept unless it is static."""
        options: Json = {"is_static": static}
        if gas is not None:
            options["gas"] = gas
        try:
            output = bytes(self.evm.message_call(sender or self.sender, to, data, **options))
        except RuntimeError as error:
            raise _reverted(str(error)) from None
        finally:
            self.evm.reset_transient_storage()
        if not static and self.evm.result is not None:
            for log in self.evm.result.logs:
                topics, body = log.data
                self.logs.append(Log(self.block, self.time, log.address.lower(), tuple(topics), bytes(body)))
        return output

    def storage(self, address: str, slot: int) -> int:
        """The value of a storage slot."""
        return int(self.evm.storage(address, slot))


def fold(logs: list[Log], address: str) -> bytes:
    """The journal head that the two-topic logs of a contract fold to, as Journal.sol tells."""
    head = bytes(32)
    for log in logs:
        if log.address == address.lower():
            block, time = log.block.to_bytes(32, "big"), log.time.to_bytes(32, "big")
            head = keccak(head + block + time + log.topics[0] + log.topics[1] + keccak(log.data))
    return head


def tree(words: list[bytes]) -> tuple[tuple[bytes, int, int], list[bytes]]:
    """Split (root, total, depth) of at most 128 leaves, and the page's words, padding included."""
    depth = (len(words) - 1).bit_length()
    padded = words + [bytes(32)] * ((1 << depth) - len(words))
    nodes = [(word, int.from_bytes(word[20:], "big")) for word in padded]
    first = True
    while len(nodes) > 1:
        parts = [left[0] + right[0] for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        if not first:
            parts = [
                left[0] + left[1].to_bytes(32, "big") + right[0] + right[1].to_bytes(32, "big")
                for left, right in zip(nodes[::2], nodes[1::2], strict=True)
            ]
        sums = [left[1] + right[1] for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        nodes = [(keccak(part), total) for part, total in zip(parts, sums, strict=True)]
        first = False
    return (nodes[0][0], nodes[0][1], depth), padded


def split_id(split: tuple[bytes, int, int]) -> bytes:
    """keccak256(root ‖ total ‖ depth)."""
    return keccak(split[0] + split[1].to_bytes(32, "big") + split[2].to_bytes(32, "big"))


def leaf(payee: str, units: int) -> bytes:
    """A leaf word: payee (20 bytes), units (12 bytes)."""
    return bytes.fromhex(payee[2:]) + units.to_bytes(12, "big")
