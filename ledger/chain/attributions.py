"""IAttributions as Python sees it: records become requests, the pure views values. See contract.py."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.contract import Contract
from ledger.chain.requests import Request
from ledger.domain.attribution_book import Batch, Training


class Attributions(Contract):
    """IAttributions: training runs, batches of outputs, proofs. `terms` are the bytes of ChainTerms.encode()."""

    def record_training(self, licence: int, terms: bytes, run: Training) -> Request:
        """Records a training run. The same run is one request: it is recorded once."""
        told = (run.kind, run.model, run.root, run.leaves, run.file_hash, run.uri)
        note = f"record a training run under licence {licence}"
        return self.request("recordTraining", licence, terms, told, note=note)

    def record_outputs(self, licence: int, terms: bytes, batch: Batch) -> Request:
        """Records a batch of outputs. The same batch is one request: it is recorded once."""
        told = (batch.model, batch.root, batch.leaves, batch.outputs, batch.file_hash, batch.uri)
        note = f"record {batch.outputs:,} outputs under licence {licence}"
        return self.request("recordOutputs", licence, terms, told, note=note)

    def proves_use(
        self, root: bytes, words: tuple[bytes, bytes, bytes, bytes], proof: Sequence[bytes]
    ) -> bool:
        """Whether the contract agrees that a work (its four words) belongs to the tree of a run."""
        return bool(self.view("provesUse", root, words, list(proof)))

    def proves_credit(
        self, root: bytes, words: tuple[bytes, bytes, bytes, int, int], proof: Sequence[bytes]
    ) -> bool:
        """Whether the contract agrees that a credit (its five words) belongs to the tree of a batch."""
        return bool(self.view("provesCredit", root, words, list(proof)))
