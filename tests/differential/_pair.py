"""The contracts on two chains at once, one with the optimised and one with the unoptimised build.

Both chains get the same calls and must answer alike to the byte: output, error and logs. What they answer is
then compared with the model once. LEDGER_BUILD=unoptimised leaves the optimised build out.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrevm
from _codec import encode
from _mini import abi_type, artefact, keccak, signature

from ledger.domain.journal import Entry, RawLog, event_shapes
from ledger.domain.reverts import Revert, decode_revert, error_shapes

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]
OURS = ("Splits", "Catalogues", "Licences", "LicenceViews", "Distributions")
FOLDERS = {
    "optimised": ROOT / "ledger" / "chain" / "artefacts",
    "unoptimised": ROOT / "build" / "unoptimised",
}
#: The tests of mutants build one contract alone, so that only this one build tells of it.
BUILDS = ("unoptimised",) if os.environ.get("LEDGER_BUILD") == "unoptimised" else tuple(FOLDERS)
DEPLOYER = "0x" + "de" * 20


@functools.cache
def artefact_of(build: str, name: str) -> Json:
    """The artefact of a contract; ours are those of the build, and a missing one is an error, not a skip."""
    if name not in OURS or len(BUILDS) == 1:
        return artefact(name)
    path = FOLDERS[build] / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no {build} artefact of {name}: run `make compile` and `make unoptimised`")
    found: Json = json.loads(path.read_bytes())
    return found


@dataclass(frozen=True, slots=True)
class Log:
    """A raw log: address in lower case, topics, data."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave: its output and logs, or the data of its revert."""

    ok: bool
    output: bytes
    logs: tuple[Log, ...] = ()

    @property
    def error(self) -> Any:
        """The revert as the model's typed error."""
        return decode_revert(self.output)


class Contract:
    """A contract at the same address on all chains."""

    def __init__(self, pair: Pair, name: str, address: str) -> None:
        self.pair, self.name, self.address = pair, name, address
        self._functions: dict[str, tuple[bytes, tuple[str, ...], bool]] = {}
        for entry in artefact_of(pair.builds[0], name)["abi"]:
            if entry["type"] == "function":
                selector = keccak(signature(entry).encode())[:4]
                kinds = tuple(abi_type(part) for part in entry["inputs"])
                static = entry["stateMutability"] in ("view", "pure")
                self._functions[entry["name"]] = (selector, kinds, static)

    def call(self, name: str, *args: Any, sender: str = DEPLOYER) -> Answer:
        """Calls all chains, whose answers must be one."""
        selector, kinds, static = self._functions[name]
        return self.pair.send(self.address, selector + encode(kinds, args), sender, static)

    def do(self, name: str, *args: Any, sender: str = DEPLOYER) -> Answer:
        """A call that must succeed."""
        answer = self.call(name, *args, sender=sender)
        assert answer.ok, f"{self.name}.{name}{args}: {answer.error!r}"
        return answer

    def shows(self, name: str, args: Sequence[Any], kinds: Sequence[str], values: Sequence[Any]) -> None:
        """A view answers these values."""
        answer = self.call(name, *args)
        wanted = encode(kinds, values)
        assert answer.ok, f"{name}{args}: {answer.error!r}, not {values}"
        assert answer.output == wanted, f"{name}{args}: {words(answer.output)}, not {words(wanted)}"


class Pair:
    """One chain a build, with a common clock; `block` grows whenever the time is set."""

    def __init__(self, time: int, builds: tuple[str, ...] = BUILDS) -> None:
        self.builds = builds
        # Unoptimised code may pass the 24,576 bytes of a chain.
        config = pyrevm.CfgEnv(chain_id=1, limit_contract_code_size=1 << 20)
        self.chains = [pyrevm.EVM(env=pyrevm.Env(cfg=config), spec_id="PRAGUE") for _ in builds]
        self._set_block(1, time)

    def at(self, time: int) -> None:
        """Mines a block at this time."""
        self._set_block(self.block + 1, time)

    def _set_block(self, block: int, time: int) -> None:
        self.block, self.time = block, time
        for evm in self.chains:
            evm.set_block_env(pyrevm.BlockEnv(number=block, timestamp=time))

    def deploy(self, name: str, *args: Any) -> Contract:
        """Deploys a contract, which gets one address on all chains."""
        addresses = set()
        for build, evm in zip(self.builds, self.chains, strict=True):
            found = artefact_of(build, name)
            assert found["abi"] == artefact_of(self.builds[0], name)["abi"], (
                f"the builds of {name} differ in age"
            )
            inputs = next((one["inputs"] for one in found["abi"] if one["type"] == "constructor"), [])
            code = bytes.fromhex(found["bytecode"][2:]) + encode([abi_type(one) for one in inputs], args)
            addresses.add(evm.deploy(DEPLOYER, code).lower())
        (address,) = addresses
        return Contract(self, name, address)

    def send(self, to: str, data: bytes, sender: str, static: bool = False) -> Answer:
        """Calls all chains; raises AssertionError unless they answer alike."""
        answers = [_answer(evm, to, data, sender, static) for evm in self.chains]
        assert answers.count(answers[0]) == len(answers), f"the builds differ: {answers}"
        #: Of the last call on the first build; slots stay warm between calls.
        self.gas_used = int(self.chains[0].result.gas_used)
        return answers[0]

    def head(self, contract: Contract) -> bytes:
        """The journal head of a contract."""
        heads = {int(evm.storage(contract.address, 0)).to_bytes(32, "big") for evm in self.chains}
        (head,) = heads
        return head

    def mark(self) -> Any:
        """A point to go back to."""
        return self.block, self.time, [evm.snapshot() for evm in self.chains]

    def back(self, mark: Any) -> None:
        """Back to a mark."""
        block, time, snapshots = mark
        self._set_block(block, time)
        for evm, snapshot in zip(self.chains, snapshots, strict=True):
            evm.revert(snapshot)


def _answer(evm: Any, to: str, data: bytes, sender: str, static: bool) -> Answer:
    try:
        output = bytes(evm.message_call(sender, to, data, is_static=static))
    except RuntimeError as error:
        found = re.search(r"output: 0x([0-9a-f]*)", str(error))
        if found is None:
            raise AssertionError(f"{to} halts: {error}") from error
        return Answer(False, bytes.fromhex(found[1]))
    finally:
        evm.reset_transient_storage()
    if static:
        return Answer(True, output)
    logs = (Log(log.address.lower(), tuple(log.data[0]), bytes(log.data[1])) for log in evm.result.logs)
    return Answer(True, output, tuple(logs))


# What the model foresees, as bytes


@functools.cache
def _selector(name: str) -> tuple[bytes, tuple[str, ...]]:
    shape = error_shapes()[name]
    return shape.selector, tuple(shape.types)


def error_data(error: Revert) -> bytes:
    """What a contract reverts with for the model's error."""
    selector, kinds = _selector(error.name)
    return selector + encode(kinds, error.arguments)


def same_refusal(answer: Answer, error: Revert, where: str) -> None:
    """Raises AssertionError unless the contract refuses with the model's error and its arguments."""
    found = answer.error if not answer.ok else words(answer.output)
    if (answer.ok, answer.output) != (False, error_data(error)):
        raise AssertionError(f"{where}: the contract: {found!r}; the model refuses: {error!r}")


@functools.cache
def _shape(contract: str, name: str) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
    shape = event_shapes(contract)[name]
    return shape.topic, tuple(shape.types), tuple(shape.names[1:])


def entry_log(contract: str, entry: Entry, address: str) -> Log:
    """The log of an entry."""
    topic, kinds, names = _shape(contract, entry.name)
    values = [entry.caller, *(entry.args[name] for name in names)]
    return Log(address, (topic, entry.id), encode(kinds, values))


@functools.cache
def topics_of(contract: str) -> frozenset[bytes]:
    """First topics of the journal of a contract."""
    return frozenset(shape.topic for shape in event_shapes(contract).values())


def is_entry(contract: str, log: Log) -> bool:
    """Whether a log of the contract belongs to its journal."""
    return len(log.topics) == 2 and log.topics[0] in topics_of(contract)


def raw(log: Log, block: int, time: int) -> RawLog:
    """The log as the fold takes it."""
    return RawLog(block, time, log.topics[0], log.topics[1], log.data)


def words(data: bytes) -> list[int | str]:
    """Bytes as numbers, for a message."""
    cut = [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
    return [one if one < 2**128 else hex(one) for one in cut]
