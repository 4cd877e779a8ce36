"""Building a distribution's folder out of usage, manifest, terms and amount; and the proofs of its payees.

Nothing here touches a chain. The folder is written whole; a build that was killed is run again, and takes the stages
that were finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.address import parse_address, parse_word
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.domain.allocation_rule import AllocationRule
    from ledger.domain.manifest import Manifest
    from ledger.domain.terms import TermsDocument
    from ledger.usage.allocation_holders import Holders
    from ledger.usage.distribution_folder import BuiltDistribution, Proof, Source

#: Told in words what is being done; STAGES times in all.
Progress = Callable[[str], None]
STAGES = 6
#: The stage that takes longest: the usage summed by work.
SUMS = "sums.arrow"


def rule_of(terms: TermsDocument, manifest: Manifest | None = None) -> AllocationRule:
    """The allocation rule of licence terms, with the right types of the manifest. Raises FindingsError."""
    from ledger.domain.allocation import right_name
    from ledger.domain.allocation_rule import AllocationRule

    weights = {}
    if manifest is not None and manifest.right_weights:
        named = {share.right_type for work in manifest.works for share in work.shares}
        weights = {right_name(one): manifest.right_weights.get(one, Fraction(1)) for one in named}
    return AllocationRule.from_terms(terms, weights)


def build_distribution(
    folder: Path,
    usage: Sequence[Path],
    manifest: Manifest | Path,
    terms: TermsDocument,
    amount: int,
    *,
    usage_hash: bytes | None = None,
    licence: int | None = None,
    period: int | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> BuiltDistribution:
    """Divides `amount` base units by the usage tables (Parquet) into a folder that can be published and posted.

    `manifest` is a works manifest or the Parquet file of a manifest table. `usage_hash`: keccak256 of the
    licensee's file; without it, of the tables. A folder of the same input stays as it is. Raises LedgerError.
    """
    from ledger.usage.distribution_folder import Source
    from ledger.usage.stages import file_hash

    say = progress or (lambda text: None)
    say("read the manifest")
    manifest_hash, works_root, document = _manifest(manifest, terms)
    rule = rule_of(terms, document)
    digest = usage_hash or _one_hash([file_hash(path) for path in _there(usage)])
    source = Source(digest, manifest_hash, works_root, licence, period, terms.money.token)
    if same := _same(folder, source, rule, amount):
        return same
    from ledger.usage.allocation import allocate
    from ledger.usage.distribution_folder import build, input_key
    from ledger.usage.engine import duckdb_engine, usage_of
    from ledger.usage.stages import under_way

    with under_way(folder, input_key(source, rule, amount, usage)) as stages:
        with duckdb_engine() as engine, ThreadPoolExecutor(1) as aside:
            holders = aside.submit(_holders, manifest)
            keep = partial(stages.table, SUMS)
            allotment = allocate(usage_of(engine, usage), holders, rule, amount, say, keep)
        return build(folder, allotment, source, stages=stages, replace=replace, progress=say)


def build_supplement(
    folder: Path,
    before: Path,
    manifest: Manifest | Path,
    terms: TermsDocument,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> BuiltDistribution:
    """Divides what the distribution in `before` holds among payees that are known now. Raises LedgerError.

    Its amount is what was held; shares keep the units that were held for them.
    """
    from ledger.usage.allocation_held import allocate_held
    from ledger.usage.distribution_folder import WORKS, BuiltDistribution, Source, build

    say = progress or (lambda text: None)
    first = BuiltDistribution(before)
    first.check()
    say("read the manifest")
    manifest_hash, works_root, _ = _manifest(manifest, terms)
    say("divide what is held")
    allotment = allocate_held(before / WORKS, _holders(manifest), first.rule)
    held = first.source
    source = Source(held.usage_hash, manifest_hash, works_root, held.licence, held.period, held.token)
    return build(folder, allotment, source, replace=replace, progress=say)


def open_distribution(folder: Path) -> BuiltDistribution:
    """A built folder: `split_id`, `total`, `held`, `amount`, `rule_hash`, `source`, `tree`. Raises LedgerError."""
    from ledger.usage.distribution_folder import BuiltDistribution

    return BuiltDistribution(folder)


def prove_payee(folder: Path, payee: str) -> Proof:
    """The proof of one payee's leaf. Raises LedgerError if it has none."""
    return open_distribution(folder).prove(parse_address(payee))


def prove_all(folder: Path, path: Path, progress: Callable[[int], None] | None = None) -> int:
    """Writes the proofs of all payees into one Parquet file; how many. `progress` is told how many are added."""
    from ledger.usage.proofs_file import write_proofs

    return write_proofs(open_distribution(folder).tree, path, progress)


def _manifest(manifest: Manifest | Path, terms: TermsDocument) -> tuple[bytes, bytes, Manifest | None]:
    """Hash of the manifest's file, root of its works, and the manifest where it is one."""
    from ledger.usage.stages import file_hash

    if isinstance(manifest, Path):
        _there([manifest])
        return file_hash(manifest), parse_word(terms.works_root), None
    return manifest.file_hash, manifest.works_root, manifest


def _holders(manifest: Manifest | Path) -> Holders:
    from ledger.usage.allocation_holders import holders_of, manifest_table, read_holders

    return read_holders(manifest) if isinstance(manifest, Path) else holders_of(manifest_table(manifest))


def _there(paths: Sequence[Path]) -> Sequence[Path]:
    for path in paths:
        if not path.is_file():
            raise LedgerError("The file is not there.", str(path))
    return paths


def _one_hash(hashes: list[bytes]) -> bytes:
    """The hash of one file, or of the hashes of several one after another."""
    return hashes[0] if len(hashes) == 1 else keccak256(b"".join(hashes))


def _same(folder: Path, source: Source, rule: AllocationRule, amount: int) -> BuiltDistribution | None:
    """The distribution that is there, if it is whole and of this input."""
    from ledger.usage.distribution_folder import BuiltDistribution

    try:
        there = BuiltDistribution(folder)
        if (there.source, there.rule, there.amount) == (source, rule, amount):
            there.check()
            return there
    except LedgerError:
        pass
    return None
