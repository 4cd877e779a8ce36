"""The audit of files: what the chain names by hash is read from the store and held against what the chain says.

A file that is not there is a gap, named in the verdict; one whose bytes have another hash is a lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.audit.engine import Audit
from ledger.audit.findings import FAIL, NOTE, PASS, Duty, Finding, Missing, Step
from ledger.domain.canonical import ZERO32, hex32, keccak256
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.manifest import Manifest
from ledger.domain.terms import TermsDocument, parse_terms
from ledger.operations.files import FileStore
from ledger.operations.manifests import read_manifest

REPORT, USAGE, MANIFEST, TERMS, ATTRIBUTION = (
    "report file",
    "usage report",
    "works manifest",
    "terms document",
    "attribution file",
)
#: Told the step that begins: of how many things.
Progress = Callable[[str, int, int, int], None]


@dataclass
class Part:
    """One step over files: `named` on chain, those `compared`. `expected` and `found`: hashes or figures, in order."""

    name: str
    named: int
    compared: int = 0
    wrong: int = 0
    gaps: int = 0
    expected: list[bytes] = field(default_factory=list)
    found: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def compare(self, expected: bytes, found: bytes) -> bool:
        """Notes a comparison; whether both are the same."""
        self.compared += 1
        self.expected.append(expected)
        self.found.append(found)
        return expected == found

    def step(self, detail: str, *, strict: bool) -> Step:
        """The step: FAIL for what differs, NOTE where nothing differs and not all could be compared."""
        rest = self.named - self.compared
        status = FAIL if self.wrong or (strict and self.gaps) else NOTE if rest else PASS
        if rest:
            self.notes.append(f"NOT COVERED for want of files: {rest:,} of {self.named:,}")
        detail = "; ".join([detail, *self.notes])
        if not self.compared:
            return Step(self.name, status, 0, detail=detail)
        expected, found = (hex32(keccak256(b"".join(one))) for one in (self.expected, self.found))
        return Step(self.name, status, self.compared, expected, found, detail)


class Desk:
    """The replayed audit, the store, and what was read of it; findings go into the verdict."""

    def __init__(self, audit: Audit, files: FileStore, scratch: Path, *, strict: bool) -> None:
        """`strict`: a missing file is a finding. `scratch`: an empty folder."""
        self.audit, self.files, self.scratch, self.strict = audit, files, scratch, strict
        self.history, self.scope, self.verdict = audit.history, audit.scope, audit.verdict
        self.replay, self.sources = audit.history.replay, audit.history.sources
        self.tell = audit.tell
        self._manifests: dict[bytes, Manifest | None] = {}
        self._terms: dict[bytes, TermsDocument | None] = {}
        self._gaps: set[bytes] = set()

    @contextmanager
    def part(self, name: str, named: int, detail: str) -> Iterator[Part]:
        """A step that is appended at its end. `named`: how many things on chain it is about."""
        one = Part(name, named)
        wrong, gaps = len(self.verdict.findings), len(self.verdict.missing)
        yield one
        one.gaps = len(self.verdict.missing) - gaps
        one.wrong = len(self.verdict.findings) - wrong - (one.gaps if self.strict else 0)
        self.verdict.steps.append(one.step(detail, strict=self.strict))

    def found(self, check: str, where: str, what: str, **more: Any) -> None:
        """A finding; it names its block, or the anchor's."""
        self.verdict.findings.append(
            Finding(check, where, what, more.pop("block", self.verdict.block), **more)
        )

    def duty(self, one: Duty) -> None:
        """A fact about the parties."""
        wanted = self.audit.wanted
        if wanted.since <= one.since < wanted.until:
            self.verdict.duties.append(one)

    def gap(self, kind: str, digest: bytes, where: str, why: str, **more: Any) -> None:
        """A file that nobody gave, once."""
        if digest in self._gaps:
            return
        self._gaps.add(digest)
        self.verdict.missing.append(Missing(kind, digest, where, why, **more))
        if self.strict:
            what = f"the {kind} 0x{digest.hex()} is missing: {why}"
            self.found("missing-file", where, what, **more)

    # ---- reading

    def read(self, kind: str, digest: bytes, where: str, **more: Any) -> bytes | None:
        """The file with this keccak256; None, and told, where it is missing or another."""
        if digest == ZERO32 or digest in self._gaps:
            return None
        try:
            content = self.files.get(digest)
        except AuditFailed as error:
            self.changed(kind, digest, where, error, **more)
            return None
        except LedgerError as error:
            self.gap(kind, digest, where, error.why or f"it is not in {self.files.shown}", **more)
            return None
        return content

    def changed(self, kind: str, digest: bytes, where: str, error: LedgerError, **more: Any) -> None:
        """A file that is not the one that its hash names."""
        self._gaps.add(digest)
        file = error.where or self.files.shown
        what = f"the {kind} 0x{digest.hex()} has other bytes than its hash says: {file}. {error.what}"
        self.found("changed file", where, f"{what} {error.why}".rstrip(), **more)

    def manifest(self, digest: bytes, where: str, **more: Any) -> Manifest | None:
        """The works manifest of a file hash; None, and told, where it is missing or none."""
        if digest not in self._manifests:
            content = self.read(MANIFEST, digest, where, **more)
            self._manifests[digest] = None
            if content is not None:
                try:
                    self._manifests[digest] = read_manifest(content, f"0x{digest.hex()}.json")
                except LedgerError as error:
                    self.found(
                        "manifest", where, f"the file 0x{digest.hex()} is no manifest: {error.what}", **more
                    )
        return self._manifests[digest]

    def manifest_of(self, works_root: bytes, where: str, **more: Any) -> Manifest | None:
        """The manifest of a works root that some catalogue named, the newest file that has it."""
        for digest in self.sources.file_of(works_root):
            held = self.manifest(digest, where, **more)
            if held is not None and held.works_root == works_root:
                return held
        return None

    def terms(self, licence: int) -> TermsDocument | None:
        """A licence's terms document; None, and told, where it is missing or none."""
        digest, where = self.replay.licences.grants[licence].terms.document, f"licence {licence}"
        if digest not in self._terms:
            content = self.read(TERMS, digest, where, licence=licence)
            self._terms[digest] = None
            if content is not None:
                try:
                    self._terms[digest] = parse_terms(content.decode())
                except (LedgerError, UnicodeDecodeError) as error:
                    what = f"the file 0x{digest.hex()} is no terms document: {error}"
                    self.found("terms document", where, what, licence=licence)
        return self._terms[digest]


def largest(differences: Iterable[tuple[str, int]], many: int = 3) -> list[tuple[str, int]]:
    """The greatest differences, greatest first, ties by name."""
    return sorted(differences, key=lambda one: (-abs(one[1]), one[0]))[:many]
