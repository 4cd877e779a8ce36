"""What the entries name by hash: report files, usage reports, manifests, and splits that should follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.domain.journal import Entry

#: Kind of the figures that an objection proposes, beside those of Booked.
PROPOSED = 0


class Booking(NamedTuple):
    """Figures that an entry of Licences tells, base units; `kind`: of Booked, or PROPOSED. `entry`: its number."""

    licence: int
    period: int
    version: int
    kind: int
    gross: int
    deductions: int
    report_hash: bytes
    block: int
    entry: int


class Posted(NamedTuple):
    """A posting of Distributions: `total` of `amount` base units to the split, and the files that it names."""

    licence: int
    period: int
    round: int
    split: bytes
    total: int
    amount: int
    token: str
    usage_hash: bytes
    manifest_root: bytes
    rule_hash: bytes
    block: int
    entry: int


class ManifestNamed(NamedTuple):
    """A works manifest that a catalogue names; `time`: Unix seconds."""

    catalogue: int
    works_root: bytes
    file_hash: bytes
    block: int
    time: int
    entry: int


class SplitNamed(NamedTuple):
    """A split that a catalogue announces; `time`: Unix seconds."""

    catalogue: int
    split: bytes
    block: int
    time: int
    entry: int


@dataclass
class Sources:
    """Everything of that kind, in the order of the chain."""

    bookings: list[Booking] = field(default_factory=list)
    postings: list[Posted] = field(default_factory=list)
    manifests: list[ManifestNamed] = field(default_factory=list)
    splits: list[SplitNamed] = field(default_factory=list)

    def note(self, contract: str, entry: Entry, block: int, time: int, number: int) -> None:
        """Hears an entry that was replayed; `number`: its place in its journal, from 0."""
        if contract == "Licences" and entry.name in ("Booked", "Objected"):
            kind = entry["kind"] if entry.name == "Booked" else PROPOSED
            self.bookings.append(
                Booking(
                    entry.number,
                    entry["period"],
                    entry["version"],
                    kind,
                    entry["gross"],
                    entry["deductions"],
                    entry["reportHash"],
                    block,
                    number,
                )
            )
        elif contract == "Distributions" and entry.name == "Posted":
            self.postings.append(
                Posted(
                    entry.number,
                    entry["period"],
                    entry["round"],
                    entry["splitId"],
                    entry["total"],
                    entry["amount"],
                    entry["token"],
                    entry["usageHash"],
                    entry["manifestRoot"],
                    entry["ruleHash"],
                    block,
                    number,
                )
            )
        elif contract == "Catalogues" and entry.name in ("CatalogueCreated", "ManifestReplaced"):
            self.manifests.append(
                ManifestNamed(entry.number, entry["worksRoot"], entry["fileHash"], block, time, number)
            )
        elif contract == "Catalogues" and entry.name == "SplitAnnounced":
            self.splits.append(SplitNamed(entry.number, entry["splitId"], block, time, number))

    def manifests_about(self, split: SplitNamed) -> list[ManifestNamed]:
        """The manifest that a catalogue names when it announces a split, and the next one it names, if it does:
        both are announced together, in whatever order.
        """
        named = [one for one in self.manifests if one.catalogue == split.catalogue]
        before = [one for one in named if one.entry < split.entry]
        return before[-1:] + named[len(before) : len(before) + 1]

    def file_of(self, works_root: bytes) -> list[bytes]:
        """Hashes of the files that were named for a works root, newest first."""
        found = [one.file_hash for one in reversed(self.manifests) if one.works_root == works_root]
        return list(dict.fromkeys(found))
