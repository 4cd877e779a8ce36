"""An audit of what a liar says: the scene behind it, ways to lie, ways to see that a lie was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from _liar import Liar

from ledger.audit.engine import run
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.chain.deploy import plan
from ledger.chain.rpc import Rpc
from ledger.domain.journal import Entry, RawLog, decode_entry, encode_entry, is_entry


class Court:
    """The liar, the honest scene behind it, and the audit of what the liar says."""

    def __init__(self, scene, liar: Liar, rpc: Rpc) -> None:
        self.scene, self.liar, self.rpc = scene, liar, rpc
        self.names = {address: name for name, address in scene.ledger.journal_addresses.items()}
        self.anchor = bytes.fromhex(scene.anchor()[2:])

    def audit(self, **wanted: Any):
        return run(NodeSource(self.rpc), plan(), Wanted(**{"anchor": self.anchor, **wanted}))

    # ---- logs

    def logs(self) -> list[dict[str, Any]]:
        held = self.liar.ask("eth_getLogs", {"fromBlock": "0x0", "address": list(self.names)})
        return [one for one in held if is_entry(self.names[one["address"]], topics(one))]

    def find(self, name: str, place: int = 0, has: Iterable[str] = ()) -> dict[str, Any]:
        """The entry of a name, by its place among those of that name, which have these fields."""
        entries = [(one, self.entry(one)) for one in self.logs()]
        found = [one for one, entry in entries if entry.name == name and set(has) <= set(entry.args)]
        return found[place]

    def entry(self, log: dict[str, Any]) -> Entry:
        return decode_entry(self.names[log["address"]], raw(log))

    def altered(self, log: dict[str, Any], caller: str | None = None, **args: Any) -> dict[str, Any]:
        """The same entry with other values."""
        old = self.entry(log)
        new = Entry(old.name, old.id, caller or old.caller, {**old.args, **args})
        contract = self.names[log["address"]]
        data = encode_entry(contract, new, int(log["blockNumber"], 16), 0).data
        return {**log, "data": "0x" + data.hex()}

    def swap_logs(self, change) -> None:
        """Makes the node serve other logs: `change` gives for each log those that stand for it."""

        def lie(method, params, result):
            if method != "eth_getLogs":
                return result
            return [other for one in result for other in change(one)]

        self.liar.lie = lie

    def replace(self, log: dict[str, Any], *others: dict[str, Any]) -> None:
        key = (log["blockNumber"], log["logIndex"])
        self.swap_logs(lambda one: others if (one["blockNumber"], one["logIndex"]) == key else (one,))


def topics(log: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(one[2:]) for one in log["topics"])


def raw(log: dict[str, Any]) -> RawLog:
    first, second = topics(log)
    return RawLog(
        int(log["blockNumber"], 16),
        int(log["blockTimestamp"], 16),
        first,
        second,
        bytes.fromhex(log["data"][2:]),
    )


def failed(verdict) -> set[str]:
    """The names of the steps that failed."""
    assert not verdict.passed
    assert verdict.words.startswith("FAIL")
    return {one.name for one in verdict.steps if one.status == "FAIL"}


def the_journal_parts_at(verdict, contract: str, block: str) -> None:
    """The head's step failed with both hashes, and the finding names the block of the lie."""
    (step,) = [one for one in verdict.steps if one.name == f"journal of {contract}"]
    assert step.status == "FAIL"
    assert step.expected != step.found
    findings = [one for one in verdict.findings if one.check == "journal" and contract in one.where]
    assert [one.block for one in findings] == [int(block, 16)]


def on(method: str, change):
    """A lie about one method's result."""
    return lambda called, params, result: change(params, result) if called == method else result


def proofs(change):
    def lie(params, held):
        return change(params, {**held, "storageProof": [dict(one) for one in held["storageProof"]]})

    return on("eth_getProof", lie)


def flip(node: str) -> str:
    return node[:-1] + ("0" if node[-1] != "0" else "1")
