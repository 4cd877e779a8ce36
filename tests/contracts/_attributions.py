"""What the tests of Attributions share: the contract beside Licences, runs and batches, credits and their trees."""

from __future__ import annotations

from typing import Any

from _catalogues import merkle
from _licences import LICENSEE, World
from _mini import Contract, account, keccak
from eth_abi.abi import encode

ATTRIBUTOR = account(60)
TRAIN, FINE_TUNE, INFER, RETRIEVE, COMMERCIAL_OUTPUT = (1 << bit for bit in (0, 1, 2, 3, 6))
#: Every use, and those of them that make outputs.
SCOPE = (1 << 10) - 1
OUTPUTS = INFER | RETRIEVE | COMMERCIAL_OUTPUT
MODEL = "muse\n1.0"
MODEL_HASH = keccak(MODEL.encode())
URI = "ipfs://bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

CreditData = tuple[bytes, bytes, bytes, int, int]
CREDIT = ["bytes32", "bytes32", "bytes32", "uint256", "uint256"]


def run(**changes: Any) -> tuple[Any, ...]:
    """IAttributions.Training."""
    values: dict[str, Any] = {
        "kind": TRAIN,
        "model": MODEL,
        "root": keccak(b"works used"),
        "leaves": 1000,
        "file_hash": keccak(b"file"),
        "uri": URI,
    }
    assert changes.keys() <= values.keys()
    return tuple({**values, **changes}.values())


def batch(**changes: Any) -> tuple[Any, ...]:
    """IAttributions.Batch."""
    values: dict[str, Any] = {
        "model": MODEL,
        "root": keccak(b"credits"),
        "leaves": 1_000_000,
        "outputs": 250_000,
        "file_hash": keccak(b"file"),
        "uri": URI,
    }
    assert changes.keys() <= values.keys()
    return tuple({**values, **changes}.values())


class Records:
    """A world with Attributions; records under a licence whose terms the world knows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.contract: Contract = world.chain.deploy("Attributions", world.licences.address)

    def train(self, licence: int, by: str = LICENSEE, terms: bytes | None = None, **changes: Any) -> None:
        """Records a training run."""
        given = self.world.bytes[licence] if terms is None else terms
        self.contract.recordTraining(licence, given, run(**changes), sender=by)

    def outputs(self, licence: int, by: str = LICENSEE, terms: bytes | None = None, **changes: Any) -> None:
        """Records a batch of outputs."""
        given = self.world.bytes[licence] if terms is None else terms
        self.contract.recordOutputs(licence, given, batch(**changes), sender=by)

    def grant(self, **changes: Any) -> int:
        """A licence for every use of one model."""
        return self.world.grant(**{"scope": SCOPE, "model": MODEL_HASH, "attributor": ATTRIBUTOR, **changes})

    @property
    def entries(self) -> list[tuple[bytes, tuple[Any, ...]]]:
        """Both kinds of entries."""
        events = self.contract.events
        return [*events("TrainingRecorded"), *events("OutputsRecorded")]


def credit_leaf(credit: CreditData) -> bytes:
    """The doubly hashed leaf of a credit."""
    return keccak(keccak(encode(CREDIT, credit)))


def credits_of(outputs: int, works: int) -> list[CreditData]:
    """Credits of each output to each work, in equal parts."""
    return [
        (
            keccak(b"output %d" % output),
            keccak(b"content %d" % output),
            keccak(b"work %d" % work),
            1_000_000 // works,
            9_000 + work,
        )
        for output in range(outputs)
        for work in range(works)
    ]


def tree_of(given: list[CreditData]) -> tuple[bytes, list[list[bytes]]]:
    """Root, and a proof for each credit."""
    return merkle([credit_leaf(one) for one in given])
