"""What `licence-ledger catalogue` shows: a catalogue, its works and payees, a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.cli.context import command, current
from ledger.cli.output import date
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.domain.manifest import Manifest
    from ledger.operations.catalogues import CatalogueState, Proof, Registered
    from ledger.operations.session import Session


def registered_data(done: Registered) -> dict[str, Any]:
    """What `create` and `announce` did, for `--json`."""
    from ledger.operations.plan import sent

    return {
        "sent": bool(done.outcomes),
        "catalogue": done.catalogue,
        "split": done.tree.id,
        "payees": done.tree.leaves,
        "units": str(done.tree.split.total),
        "pages": done.tree.pages,
        "effective": done.effective,
        "transactions": sent(done.outcomes),
    }


def state_data(session: Session, state: CatalogueState) -> dict[str, Any]:
    """A catalogue's state, for `--json`."""
    now = session.now()
    in_force = state.in_force(now)
    return {
        "catalogue": state.number,
        "owner": checksum_address(state.owner),
        "pending_owner": _or_none(state.pending_owner),
        "arbiter": _or_none(state.arbiter),
        "notice": state.notice,
        "dispute_window": state.dispute_window,
        "arbiter_window": state.arbiter_window,
        "works_root": state.works_root,
        "file_hash": state.file_hash,
        "manifest_kept": session.files.has(state.file_hash),
        "splits": [
            {
                "position": one.position,
                "split": one.split_id,
                "effective": one.effective,
                "state": "in force" if one == in_force else "past" if one.effective <= now else "announced",
            }
            for one in state.splits
        ],
    }


def show_catalogue(state: CatalogueState, *, works: bool, payees: bool) -> None:
    """Ends `catalogue show NUMBER`."""
    from ledger.operations.manifests import kept_manifest
    from ledger.operations.splits import published_tree

    session, out = current().session, current().out
    data = state_data(session, state)
    manifest = kept_manifest(session.files, state.file_hash) if works or data["manifest_kept"] else None
    if manifest is not None:
        data["title"] = manifest.title
        data["work_count"] = len(manifest.works)
    if works and manifest is not None:
        data["works"] = manifest.document()["works"]
    in_force = state.in_force(session.now())
    if payees:
        if in_force is None:
            raise LedgerError(f"Catalogue {state.number} has no split in force.", remedy="Announce one.")
        tree = published_tree(session, in_force.split_id)
        data["payees"] = [
            {"payee": checksum_address(payee), "units": str(units)} for payee, units in tree.entries()
        ]

    def show() -> None:
        out.fields(
            [
                ("catalogue", state.number),
                *([("title", manifest.title)] if manifest and manifest.title else []),
                ("owner", data["owner"]),
                *([("next owner", data["pending_owner"])] if data["pending_owner"] else []),
                ("arbiter", data["arbiter"] or "nobody: what was reported stands"),
                ("notice", _days(state.notice)),
                (
                    "dispute window",
                    f"{_days(state.dispute_window)}; the arbiter has {_days(state.arbiter_window)}",
                ),
                ("works root", "0x" + state.works_root.hex()),
                ("manifest", "0x" + state.file_hash.hex()),
                ("", "kept in the store" if data["manifest_kept"] else "not in the store"),
            ]
        )
        rows = [
            (one["position"], "0x" + one["split"].hex(), date(one["effective"]), one["state"])
            for one in data["splits"]
        ]
        out.table((">", "split", "effective", ""), rows)
        if works and manifest is not None:
            _show_works(manifest)
        if payees:
            out.table(("payee", ">units"), [(one["payee"], one["units"]) for one in data["payees"]])

    after = [
        command("catalogue", "show", state.number, "--works", "--payees"),
        command("licence", "offer", "TERMS"),
    ]
    out.result(data, show, after=after)


def _show_works(manifest: Manifest) -> None:
    rows = [
        (
            work.id if number == 0 else "",
            share.holder,
            share.right_type,
            f"{share.ppm:,}",
            checksum_address(share.payee) if share.payee else "unmatched",
        )
        for work in manifest.works
        for number, share in enumerate(work.shares)
    ]
    current().out.table(("work", "holder", "right", ">ppm", "payee"), rows)


def proof_data(proof: Proof) -> dict[str, Any]:
    """A proof, for `--json`: everything that ICatalogues.provesWork or provesShare takes."""
    work_id, content_hash, identifiers_hash, shares_root = proof.work.words
    data: dict[str, Any] = {
        "works_root": proof.works_root,
        "work": {
            "id": proof.work.id,
            "workId": work_id,
            "contentHash": content_hash,
            "identifiersHash": identifiers_hash,
            "sharesRoot": shares_root,
        },
        "work_proof": list(proof.work_proof),
        "share": None,
        "share_proof": list(proof.share_proof),
        "on_chain": proof.on_chain,
    }
    if proof.share is not None:
        share = proof.share
        data["share"] = {
            "holder": share.holder,
            "payee": _or_none(share.payee or ZERO_ADDRESS),
            "sharePpm": share.ppm,
            "rightType": share.right_type,
        }
    return data


def proof_lines(catalogue: int, proof: Proof) -> list[tuple[str, object]]:
    """A proof in words."""
    lines: list[tuple[str, object]] = [
        ("work", proof.work.id),
        ("belongs to", f"catalogue {catalogue}, works root 0x{proof.works_root.hex()}"),
    ]
    if proof.share is not None:
        lines.append(("holder", f"{proof.share.holder}, {proof.share.ppm:,} ppm of {proof.share.right_type}"))
        lines.append(("payee", checksum_address(proof.share.payee) if proof.share.payee else "unmatched"))
    count = len(proof.work_proof) + len(proof.share_proof)
    lines.append(("proof", f"{count} hashes (--json prints them)"))
    lines.append(("the contract says", "proved" if proof.on_chain else "NOT proved"))
    return lines


def _or_none(address: str) -> str | None:
    return None if address == ZERO_ADDRESS else checksum_address(address)


def _days(seconds: int) -> str:
    if seconds % 86_400 == 0:
        return f"{seconds // 86_400} days"
    return f"{seconds / 3600:g} hours"
