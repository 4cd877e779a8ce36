"""What the contracts make of the vectors of _vectors.py, in an EVM."""

from __future__ import annotations

from typing import Any

from _mini import Reverted, fold
from _vectors import bytes_of, hex_of, history_of
from strategies import STRANGER, all_pages
from test_licences_agree import World

from ledger.audit.layout import layout_of
from ledger.domain.merkle_sum import MerkleSumTree

Vector = dict[str, Any]
_FAR = 2**62


class Contracts:
    """The contracts on one chain, set back after each vector."""

    def __init__(self) -> None:
        self.world = World()
        self.places = self.world.places
        self.token = self.world.dollar.address.lower()
        self._start = self.world.chain.block, self.world.chain.time

    def run(self, vector: Vector, number: int) -> Vector:
        """The result of the contracts."""
        chain = self.world.chain
        mark = chain.evm.snapshot()
        chain.logs.clear()
        chain.block, chain.time = self._start
        chain.move(0, 0)
        try:
            return getattr(self, f"_{vector['kind']}")(vector, number)
        finally:
            chain.evm.revert(mark)

    def _publish(self, tree: MerkleSumTree) -> tuple[bytes, int, int]:
        split = (tree.split.root, tree.split.total, tree.split.depth)
        pages = [(run.first_page, run.words, run.siblings) for run in all_pages(tree)]
        self.world.splits.publish(split, pages, sender=STRANGER)
        return split

    def _tree(self, vector: Vector, number: int) -> Vector:
        tree = MerkleSumTree.from_words(b"".join(map(bytes_of, vector["words"])))
        split = self._publish(tree)
        split_id = self.world.splits.splitId(split)
        assert self.world.splits.isPublished(split_id)
        return {"root": hex_of(split[0]), "total": str(split[1]), "id": hex_of(split_id)}

    def _leaf(self, vector: Vector, number: int) -> Vector:
        told = vector["split"]
        split = bytes_of(told["root"]), int(told["total"]), int(told["depth"])
        siblings = list(map(bytes_of, vector["siblings"]))
        leaf = (split, self.token, int(vector["index"]), bytes_of(vector["leaf"]), siblings)
        try:
            self.world.splits.owed(leaf)
        except Reverted as error:
            return {"error": error.name}
        return {"id": hex_of(self.world.splits.splitId(split))}

    def _entitled(self, vector: Vector, number: int) -> Vector:
        world, dollar = self.world, self.world.dollar
        tree = MerkleSumTree.from_words(b"".join(map(bytes_of, vector["words"])))
        split, index = self._publish(tree), vector["index"]
        leaf = (split, self.token, index, tree.leaf(index), tree.leaf_proof(index))
        dollar.approve(world.splits.address, 2**200, sender=STRANGER)
        found = []
        for amount in map(int, vector["credits"]):
            world.splits.credit(tree.id, dollar.address, amount, sender=STRANGER)
            found.append(world.splits.owed(leaf))
            if found[-1] and len(found) == 1:
                assert world.splits.claim([leaf], sender=STRANGER) == found[0]
        return {"paid": str(found[0]), "owed": str(found[1])}

    def _fold(self, vector: Vector, number: int) -> Vector:
        splits = self.world.splits
        for call in vector["calls"]:
            self.world.at(call["time"])
            assert self.world.chain.block == call["block"]
            if call["to"] is None:
                splits.cancelClaimNonce(sender=call["caller"])
            else:
                splits.setStandingAddress(call["to"], sender=call["caller"])
        return {"head": hex_of(splits.journalHead())}

    def _terms(self, vector: Vector, number: int) -> Vector:
        try:
            self.world.licences.offer(bytes_of(vector["terms"]), (0, _FAR, ""), sender=STRANGER)
        except Reverted as error:
            if error.name == "Licences_BadTerms":
                return {"good": False, "which": error.values[0]}
        return {"good": True, "which": None}

    def _history(self, vector: Vector, number: int) -> Vector:
        world, licences = self.world, self.world.licences
        history = history_of(number, self.places, self.token)
        world.prepare(history)
        terms = history.terms.encode()
        for command in history.commands:
            world.at(command.now)
            try:
                world.send(command, terms)
            except Reverted:
                continue
        names = ("Splits", "Catalogues", "Licences")
        heads = {name: getattr(world, name.lower()).journalHead() for name in names}
        entries = [one for one in world.chain.logs if len(one.topics) == 2]
        assert heads["Splits"] == fold(entries, world.splits.address)
        found: Vector = {"heads": {name: hex_of(one) for name, one in heads.items()}, "words": {}, "dues": []}
        found["credited"] = {
            f"{hex_of(tree.id)}/{self.token}": str(amount)
            for tree in history.trees
            if (amount := world.splits.cumulative(tree.id, self.token))
        }
        if not licences.count():
            return found
        layout = layout_of("Licences")
        periods = world.licences.stateOf(1)[3]
        slots = [layout.slot(label, 1) for label in ("_termsHashes", "_licences", "_secondWords")]
        slots += [
            layout.slot(label, 1, one) for one in range(periods + 1) for label in ("_periods", "_interest")
        ]
        for slot in slots:
            word = world.chain.storage(licences.address, int.from_bytes(slot, "big"))
            found["words"][hex_of(slot)] = str(word)
        for period in range(periods):
            due = world.views.dueOf(1, terms, period)
            found["dues"].append([str(due[at]) for at in (0, 1, 2, 3, 4, 5, 14, 15, 12, 16)])
        return found
