"""The executable model of contracts/Attributions.sol: training runs and batches of outputs, as sets of roots.

A method is a call: it changes the book and returns the entries that the contract records, or raises the contract's
error and changes nothing. Times are Unix seconds, addresses lower-case hex strings. The terms given with a call are
named by their hash; None stands for the licence's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ledger.domain.attribution import FINE_TUNE, MAX_LEAVES, OUTPUT_SCOPE, TRAIN
from ledger.domain.calendar import DAY, FOREVER
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS, keccak256, uint_word
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.journal import Entry
from ledger.domain.licence_types import TERMINATED, Grant, LicenceState
from ledger.domain.reverts import Revert
from ledger.domain.undo import Undo


class Licences(Protocol):
    """What Attributions reads of Licences: the model's books of grants, states and holders."""

    @property
    def grants(self) -> Mapping[int, Grant]:
        """Licences by number."""

    @property
    def states(self) -> Mapping[int, LicenceState]:
        """Their states."""

    @property
    def holders(self) -> Mapping[int, str]:
        """Their licensees."""


@dataclass(frozen=True, slots=True)
class Training:
    """IAttributions.Training."""

    kind: int
    model: str
    root: bytes
    leaves: int
    file_hash: bytes = ZERO32
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """IAttributions.Batch."""

    model: str
    root: bytes
    leaves: int
    outputs: int
    file_hash: bytes = ZERO32
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A root that is recorded for a licence: as its first entry told it, by whom and when, and later resends.

    `others` counts the resends that tell other figures of the same root: a finding for the audit.
    """

    licence: int
    what: Training | Batch
    by: str
    time: int
    resent: int = 0
    others: int = 0


class AttributionBook:
    """The state of Attributions: what is recorded, by licence, kind (0 for outputs) and root."""

    def __init__(self, licences: Licences, undo: Undo | None = None) -> None:
        self.records: dict[tuple[int, int, bytes], Recorded] = {}
        self._licences = licences
        self._undo = undo or Undo()

    # Changes

    def record_training(
        self, caller: str, licence: int, run: Training, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Records a training run."""
        terms, stop = self._load(licence, terms_hash)
        if caller != self._licences.holders[licence]:
            raise Revert("Attributions_MayNotRecord", licence, caller)
        if run.kind not in (TRAIN, FINE_TUNE):
            raise Revert("Attributions_BadRecord", 1)
        _check_scope(licence, terms, run.kind)
        _check_term(licence, terms, stop - 1, now)
        _check_model(licence, terms, run.model)
        _check_tree(run.root, run.leaves)
        self._put((licence, run.kind, run.root), Recorded(licence, run, caller, now))
        args = {
            "kind": run.kind,
            "model": run.model,
            "root": run.root,
            "leaves": run.leaves,
            "fileHash": run.file_hash,
            "uri": run.uri,
        }
        return [Entry("TrainingRecorded", uint_word(licence), caller, args)]

    def record_outputs(
        self, caller: str, licence: int, batch: Batch, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Records a batch of outputs."""
        terms, stop = self._load(licence, terms_hash)
        attributor = terms.attributor if terms.attributor != ZERO_ADDRESS else None
        if caller not in (self._licences.holders[licence], attributor):
            raise Revert("Attributions_MayNotRecord", licence, caller)
        _check_scope(licence, terms, OUTPUT_SCOPE)
        _check_term(licence, terms, outputs_until(terms, stop), now)
        _check_model(licence, terms, batch.model)
        _check_tree(batch.root, batch.leaves)
        if not 0 < batch.outputs <= batch.leaves:
            raise Revert("Attributions_BadRecord", 5)
        self._put((licence, 0, batch.root), Recorded(licence, batch, caller, now))
        args = {
            "model": batch.model,
            "root": batch.root,
            "leaves": batch.leaves,
            "outputs": batch.outputs,
            "fileHash": batch.file_hash,
            "uri": batch.uri,
        }
        return [Entry("OutputsRecorded", uint_word(licence), caller, args)]

    def apply(self, entry: Entry, now: int) -> list[Entry]:
        """Makes the call that an entry of the journal tells of."""
        told = entry.args
        if entry.name == "TrainingRecorded":
            run = Training(
                told["kind"], told["model"], told["root"], told["leaves"], told["fileHash"], told["uri"]
            )
            return self.record_training(entry.caller, entry.number, run, now=now)
        batch = Batch(
            told["model"], told["root"], told["leaves"], told["outputs"], told["fileHash"], told["uri"]
        )
        return self.record_outputs(entry.caller, entry.number, batch, now=now)

    def _put(self, key: tuple[int, int, bytes], new: Recorded) -> None:
        known = self.records.get(key)
        if known is not None:
            differs = known.what != new.what
            new = Recorded(
                known.licence,
                known.what,
                known.by,
                known.time,
                known.resent + 1,
                known.others + differs,
            )
        with self._undo.call():
            self._undo.put(self.records, key, new)

    # Views

    def of_licence(self, licence: int) -> Iterator[Recorded]:
        """What is recorded for a licence, oldest first."""
        return (one for one in self.records.values() if one.licence == licence)

    def outputs_recorded(self, licence: int, until: int = FOREVER) -> int:
        """How many outputs the batches of a licence name that were recorded up to a time; a root counts once."""
        return sum(
            one.what.outputs
            for one in self.of_licence(licence)
            if isinstance(one.what, Batch) and one.time <= until
        )

    def _load(self, licence: int, terms_hash: bytes | None) -> tuple[ChainTerms, int]:
        """The licence's terms and the end of its term as it now stands."""
        grant = self._licences.grants.get(licence)
        if grant is None:
            raise Revert("Licences_Unknown", licence)
        if terms_hash not in (None, grant.terms_hash):
            raise Revert("Attributions_TermsMismatch", licence)
        return grant.terms, stop_of(grant.terms, self._licences.states[licence])


def stop_of(terms: ChainTerms, state: LicenceState) -> int:
    """First second after the term."""
    end = terms.end or FOREVER
    return min(end, state.terminated_at) if state.status == TERMINATED else end


def outputs_until(terms: ChainTerms, stop: int) -> int:
    """Last second in which outputs may be recorded: as long as the last period may be reported."""
    return stop if stop == FOREVER else stop + terms.days_to_report * DAY


def _check_scope(licence: int, terms: ChainTerms, wanted: int) -> None:
    if not terms.scope & wanted:
        raise Revert("Attributions_OutsideScope", licence, terms.scope, wanted)


def _check_term(licence: int, terms: ChainTerms, until: int, now: int) -> None:
    if not terms.start <= now <= until:
        raise Revert("Attributions_OutsideTerm", licence, terms.start, until)


def _check_model(licence: int, terms: ChainTerms, model: str) -> None:
    if not model:
        raise Revert("Attributions_BadRecord", 2)
    given = keccak256(model.encode("utf-8", "surrogateescape"))
    if terms.model not in (ZERO32, given):
        raise Revert("Attributions_WrongModel", licence, given, terms.model)


def _check_tree(root: bytes, leaves: int) -> None:
    if root == ZERO32:
        raise Revert("Attributions_BadRecord", 3)
    if not 0 < leaves <= MAX_LEAVES:
        raise Revert("Attributions_BadRecord", 4)
