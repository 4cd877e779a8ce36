"""licence-ledger site: the same pages as files, for any host and from a disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.context import command, current, noun

app = noun("site")


@app.callback()
def site() -> None:
    """The rights holder's page as files."""


@app.command()
def build(
    folder: Annotated[
        Path, typer.Argument(help="Folder: a new one, an empty one, or that of an earlier build.")
    ],
    holder: Annotated[
        list[str] | None,
        typer.Option("--holder", help="Only the pages of this address or account. May be repeated."),
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="Forms of the statements, divided by commas: csv, json, pdf, or none."),
    ] = "csv,json,pdf",
) -> None:
    """Writes the books, a page for each licence and rights holder, statements, and the files that entries name.

    The same ledger at the same block gives the same bytes. Sends nothing.
    """
    from ledger.domain.canonical import keccak256
    from ledger.web import build as building
    from ledger.web.evidence import bundles_of
    from ledger.web.pages import Site, formats_of, module_hash
    from ledger.web.snapshot import Snapshot

    context = current()
    session, out = context.session, context.out
    chosen = formats_of(formats)
    only = [session.address(one) for one in holder or []]
    with out.progress("reading the journals"):
        snapshot = Snapshot(session)
    made = Site(snapshot, bundles=bundles_of(snapshot), only=only or None, formats=chosen)
    folder = folder.expanduser()
    with out.progress("writing the pages", total=made.count()) as step:
        built = building.build(made, folder, told=step)
    data = {
        "folder": str(folder),
        "files": built.files,
        "bytes": built.size,
        "removed": built.removed,
        "chain_id": snapshot.chain_id,
        "block": snapshot.block,
        "block_hash": snapshot.block_hash,
        "holders": len(made.holders),
        "licences": len(snapshot.books.licences.grants),
        "module": module_hash() or None,
        "manifest": keccak256(built.manifest),
    }

    def show() -> None:
        out.fields(
            [
                ("folder", folder),
                ("files", f"{built.files:,}, {built.size:,} bytes"),
                ("block", f"{snapshot.block:,}"),
                ("holders", f"{len(made.holders):,}"),
                ("verifier", data["module"] or "none in this package"),
            ]
        )
        out.line(f"open {folder / 'index.html'}")

    out.result(data, show, after=[command("serve")])
