"""The book of deployments: what was deployed where, one JSON file for each chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from filelock import FileLock

from ledger.chain.deploy import Planned
from ledger.chain.folders import home_folder, write_whole
from ledger.chain.requests import Outcome
from ledger.chain.rpc import Rpc
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Deployment:
    """One contract on one chain. `block`: the first that can have its logs; `transaction` may be unknown."""

    name: str
    address: str
    block: int
    transaction: str
    initcode_hash: str


class Deployments:
    """The book of one chain, told by its id and its genesis block."""

    def __init__(self, rpc: Rpc, folder: Path | None = None) -> None:
        self._chain = rpc.chain_id
        self._genesis = "0x" + rpc.genesis.hex()
        place = (folder or home_folder()) / "deployments"
        self.path = place / f"{rpc.chain_id}-{rpc.genesis.hex()[:16]}.json"

    def read(self) -> dict[str, Deployment]:
        """What the book says, by name; empty where there is no book. Raises LedgerError for a damaged one."""
        try:
            held = orjson.loads(self.path.read_bytes())
            return {one["name"]: Deployment(**one) for one in held["contracts"]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                "The book of deployments cannot be read.",
                str(self.path),
                str(error),
                "Remove it and run `licence-ledger deploy` again: nothing is deployed twice.",
            ) from error

    def record(self, planned: Mapping[str, Planned], outcomes: Sequence[Outcome]) -> dict[str, Deployment]:
        """Enters contracts that are on the chain; entries that stand already keep their block."""
        by_address = {one.request.key.rpartition("/")[2]: one for one in outcomes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock"), timeout=30):
            book = self.read()
            for name, one in planned.items():
                known = book.get(name)
                if known is not None and known.address == checksum_address(one.address):
                    continue
                outcome = by_address.get(one.address)
                book[name] = Deployment(
                    name,
                    checksum_address(one.address),
                    outcome.block if outcome else 0,
                    "0x" + outcome.hash.hex() if outcome else "",
                    "0x" + keccak256(one.initcode).hex(),
                )
            held = {
                "chain_id": self._chain,
                "genesis": self._genesis,
                "contracts": [asdict(book[name]) for name in sorted(book)],
            }
            write_whole(self.path, orjson.dumps(held, option=orjson.OPT_INDENT_2) + b"\n")
        return book

    def first_block(self) -> int:
        """The block from which logs are to be read: the earliest in the book, 0 where nothing is known."""
        return min((one.block for one in self.read().values()), default=0)
