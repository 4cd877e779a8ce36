"""Proofs that a work was used in training and that an output credits a work: made, written, verified by anyone.

A proof names the chain, the contract, the licence and the root; whoever verifies it looks up that the root is
recorded, and has the contract's pure view agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ledger.domain.address import checksum_address, parse_word
from ledger.domain.attribution import id_hash, proves_credit, proves_use
from ledger.domain.attribution_book import Batch, Recorded, Training
from ledger.domain.canonical import canonical_json, hex32
from ledger.domain.errors import AuditFailed, LedgerError, ValueRefused
from ledger.operations import books as books_of
from ledger.operations.attributions import (
    grant_of,
    kept_credits,
    kept_works,
    licensed_manifest,
    records_of,
)
from ledger.operations.books import Books
from ledger.operations.session import Session

PROOF_VERSION = "1"
USE, CREDIT = "use", "credit"
_USE_FIELDS = ("workId", "contentHash", "identifiersHash", "sharesRoot")
_CREDIT_FIELDS = ("output", "contentHash", "work", "weightPpm", "confidenceBps")


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof. `words` are IAttributions.Credit or ICatalogues.Work; `output` and `work` the ids they stand for."""

    kind: str
    licence: int
    root: bytes
    words: tuple[Any, ...]
    siblings: tuple[bytes, ...]
    output: str
    work: str

    def document(self, chain_id: int, contract: str) -> dict[str, Any]:
        """The proof as JSON values."""
        names = _USE_FIELDS if self.kind == USE else _CREDIT_FIELDS
        leaf = {
            name: hex32(word) if isinstance(word, bytes) else word
            for name, word in zip(names, self.words, strict=True)
        }
        return {
            "proof": PROOF_VERSION,
            "kind": self.kind,
            "chain_id": chain_id,
            "contract": checksum_address(contract),
            "licence": self.licence,
            "root": hex32(self.root),
            "output": self.output,
            "work": self.work,
            "leaf": leaf,
            "siblings": [hex32(one) for one in self.siblings],
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verifier found: the record of the root, and that model and contract agree."""

    proof: Proof
    recorded: Recorded


def prove(session: Session, licence: int, *, work: str = "", output: str = "") -> list[Proof]:
    """Proofs of the use of a work (no output named), or of an output's credits (to one work, or to all).

    Raises LedgerError where no kept file holds such a leaf.
    """
    if not (work or output):
        raise LedgerError("A work or an output is needed.", remedy="Give --work ID, --output ID, or both.")
    books = books_of.read(session)
    grant_of(books, licence)
    proofs, missing = (
        _credits(session, books, licence, output, work) if output else _uses(session, books, licence, work)
    )
    if proofs:
        return proofs
    what = f"the output {output!r}" if output else f"the work {work!r}"
    if output and work:
        what += f" crediting {work!r}"
    raise LedgerError(
        f"No record of licence {licence} tells of {what}.",
        why=f"Files of {missing} of its records are not in the store." if missing else "",
        remedy="See `licence-ledger attribution list`; name the place that has the files: --files DIR or URL.",
    )


def _uses(session: Session, books: Books, licence: int, work: str) -> tuple[list[Proof], int]:
    proofs: list[Proof] = []
    missing = 0
    manifest = licensed_manifest(session, books, grant_of(books, licence).terms)
    for one in records_of(books, licence):
        if not isinstance(one.what, Training):
            continue
        used = kept_works(session, one, manifest) if manifest is not None else None
        if used is None:
            missing += 1
        elif work in used.ids:
            found, siblings = used.prove(work)
            proofs.append(Proof(USE, licence, one.what.root, found.words, tuple(siblings), "", work))
    return proofs, missing


def _credits(session: Session, books: Books, licence: int, output: str, work: str) -> tuple[list[Proof], int]:
    proofs: list[Proof] = []
    missing = 0
    for one in records_of(books, licence):
        if not isinstance(one.what, Batch):
            continue
        batch = kept_credits(session, one)
        if batch is None:
            missing += 1
            continue
        for credit in batch.credits_of(output, work):
            siblings = tuple(batch.tree.proof(credit.leaf))
            proofs.append(Proof(CREDIT, licence, one.what.root, credit.words, siblings, output, credit.work))
    return proofs, missing


def proof_file(session: Session, proofs: list[Proof]) -> bytes:
    """The proofs as canonical JSON."""
    contract, chain_id = session.ledger.attributions.address, session.rpc.chain_id
    return canonical_json({"proofs": [one.document(chain_id, contract) for one in proofs]})


def read_proofs(session: Session, content: bytes, name: str) -> list[Proof]:
    """The proofs of a file, for this chain and contract. Raises ValueRefused."""
    try:
        held = json.loads(content)["proofs"]
        proofs = [_read(session, one) for one in held]
    except LedgerError as error:
        error.where = error.where or name
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueRefused("The file holds no proofs of attribution.", name, str(error)) from error
    if not proofs:
        raise ValueRefused("The file holds no proof.", name)
    return proofs


def _read(session: Session, held: dict[str, Any]) -> Proof:
    ours = (PROOF_VERSION, session.rpc.chain_id, checksum_address(session.ledger.attributions.address))
    if (held["proof"], held["chain_id"], held["contract"]) != ours:
        raise ValueRefused(
            f"The proof is for chain {held['chain_id']} and the contract {held['contract']}.",
            why=f"This is chain {ours[1]} with {ours[2]}.",
            remedy="Name a node of its chain: --rpc URL.",
        )
    kind = held["kind"]
    names = {USE: _USE_FIELDS, CREDIT: _CREDIT_FIELDS}[kind]
    leaf = held["leaf"]
    words = tuple(
        _count(leaf[name]) if name in ("weightPpm", "confidenceBps") else parse_word(leaf[name])
        for name in names
    )
    return Proof(
        kind,
        _count(held["licence"]),
        parse_word(held["root"]),
        words,
        tuple(parse_word(one) for one in held["siblings"]),
        str(held["output"]),
        str(held["work"]),
    )


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise ValueError(f"{value!r} is no number")
    return value


def verify_proofs(session: Session, proofs: list[Proof]) -> list[Verified]:
    """Checks each proof: ids, a record of its root under its licence, the model, and the contract's pure view.

    Raises AuditFailed for the first that does not hold.
    """
    books = books_of.read(session)
    return [_verified(session, books, one) for one in proofs]


def _verified(session: Session, books: Books, proof: Proof) -> Verified:
    where = f"licence {proof.licence}, root {hex32(proof.root)}"
    if proof.kind == USE:
        ids_agree = proof.words[0] == id_hash(proof.work)
    else:
        ids_agree = (proof.words[0], proof.words[2]) == (id_hash(proof.output), id_hash(proof.work))
    if not ids_agree:
        raise AuditFailed("The ids that the proof names are not those of its leaf.", where)
    recorded = next(
        (
            one
            for one in records_of(books, None)
            if (one.licence, one.what.root) == (proof.licence, proof.root)
            and isinstance(one.what, Training if proof.kind == USE else Batch)
        ),
        None,
    )
    if recorded is None:
        raise AuditFailed("No such root is recorded under this licence.", where)
    contract = session.ledger.attributions
    if proof.kind == USE:
        held = proves_use(proof.root, proof.words, proof.siblings)
        agrees = contract.proves_use(proof.root, proof.words, proof.siblings)
    else:
        held = proves_credit(proof.root, proof.words, proof.siblings)
        agrees = contract.proves_credit(proof.root, proof.words, proof.siblings)
    if not (held and agrees):
        raise AuditFailed("The proof does not lead to the root.", where)
    return Verified(proof, recorded)
