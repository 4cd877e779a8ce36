"""The formats by name, and the terms document itself as the fourth of them."""

from __future__ import annotations

import json
from collections.abc import Callable

from ledger.domain.exports.cawg import export_cawg
from ledger.domain.exports.odrl import export_odrl
from ledger.domain.exports.rsl import export_rsl
from ledger.domain.exports.subject import Export, Subject, Unsaid


def export_json(subject: Subject) -> Export:
    """The terms document in its canonical form: the bytes whose keccak256 stands on chain."""
    text = subject.document.canonical().decode()
    notes = [Unsaid("document", "its own hash, its URI, and how the licence stands: they are on chain only")]
    if subject.granted is not None and subject.document.licensee is None:
        notes.append(Unsaid("licensee", "the holder of the licence: the offer was open"))
    return Export("json", "application/json", text + "\n", json.loads(text), tuple(notes))


EXPORTERS: dict[str, Callable[[Subject], Export]] = {
    "rsl": export_rsl,
    "odrl": export_odrl,
    "cawg": export_cawg,
    "json": export_json,
}
