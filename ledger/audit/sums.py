"""Sums of the replayed books, the tokens' own transfers, and what Splits holds: the steps about money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.audit.findings import Finding
from ledger.audit.solvency import solvencies
from ledger.audit.transfers import check_transfers
from ledger.audit.words import Scope
from ledger.domain.address import checksum_address
from ledger.domain.conservation import conservations, liabilities
from ledger.domain.rlp import Malformed

if TYPE_CHECKING:
    from ledger.audit.engine import Audit


def check_sums(audit: Audit, scope: Scope) -> None:
    """P-02 for each split, and that each licence owes in all what its lines say."""
    history, verdict = audit.history, audit.verdict
    book = history.replay.licences
    verdict.sums = [one for one in conservations(history.replay.splits) if scope.has_split(one.split_id)]
    for one in verdict.sums:
        if not one.holds:
            what = (
                f"credited {one.credited:,} is not paid {one.paid:,} + owed {one.owed:,} + "
                f"residue {one.residue:,}"
            )
            where = f"split 0x{one.split_id.hex()}"
            audit.found(
                Finding("conservation", where, what, verdict.block, split=one.split_id, token=one.token)
            )
    verdict.step(
        "conservation",
        all(one.holds for one in verdict.sums),
        len(verdict.sums),
        detail="credited = paid + owed + residue",
    )
    wrong = compared = 0
    for number, grant in book.grants.items():
        if not scope.has_licence(number):
            continue
        compared += 1
        state, lines = book.states[number], history.lines.get(number, 0)
        owed = book.owed_of(grant.terms, state.sum_a, state.sum_b)
        if owed != lines:
            wrong += 1
            what = f"its lines add up to {lines:,} base units, owed in all is {owed:,}"
            audit.found(Finding("lines", f"licence {number}", what, verdict.block, licence=number))
    verdict.step("lines", wrong == 0, compared, detail="the sum of all lines is what is owed in all")


def check_moves(audit: Audit, scope: Scope) -> None:
    """The tokens' own Transfer events of all blocks in which entries say that money moved."""
    history = audit.history
    moves = [one for one in history.moves if scope.whole or scope.has_split(one.split)]
    if not scope.whole:
        # A block's sums are of all splits together, so all moves of the blocks in question count.
        blocks = {one.block for one in moves}
        moves = [one for one in history.moves if one.block in blocks]
    done = check_transfers(
        audit.source,
        audit.header,
        audit.addresses["Splits"],
        moves,
        progress=lambda more: audit.tell("transfers", more, 0, history.entries),
    )
    for one in done.findings:
        audit.found(one)
    audit.verdict.step(
        "transfers",
        not done.findings,
        done.sums,
        detail=f"{done.blocks:,} blocks rebuilt, {done.headers:,} headers linked to the anchor"
        + (f"; up to block {audit.base.block} by an earlier audit" if audit.base is not None else ""),
    )


def check_solvency(audit: Audit) -> None:
    """What Splits holds of each token against what it owes."""
    history = audit.history
    owed = liabilities(history.replay.splits)
    verdict = audit.verdict
    try:
        verdict.solvency = list(solvencies(audit.prover, audit.source, audit.addresses["Splits"], owed))
    except Malformed as error:
        audit.refused("solvency", "the tokens' storage", error)
        return
    for one in verdict.solvency:
        if not one.holds:
            what = f"Splits holds {one.held:,} base units and owes {one.owed:,} ({one.source})"
            where = f"token {checksum_address(one.token)}"
            short = one.owed - one.held
            audit.found(Finding("solvency", where, what, verdict.block, token=one.token, amount=short))
    proved = sum(one.proved for one in verdict.solvency)
    detail = f"{proved} of {len(owed)} balances proved"
    if proved < len(owed):
        detail += ", the others are stated by the node"
    verdict.step("solvency", all(one.holds for one in verdict.solvency), len(owed), detail=detail)
