"""licence-ledger serve: the rights holder's page and the store of files, on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ledger.cli.context import command, current, noun

app = noun("serve")


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback show it to all.")
    ] = "127.0.0.1",
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, help="End by itself after so many seconds.")
    ] = None,
) -> None:
    """Serves the books, a page for each licence and rights holder, and the store of files. Sends nothing.

    It ends at Ctrl-C. Pages follow the chain: each says of which block it is.
    """
    from ledger.web import server
    from ledger.web.live import Live
    from ledger.web.pages import module_hash

    context = current()
    session, out = context.session, context.out
    live = Live(session)
    with out.progress("reading the journals"):
        snapshot = live.site().snapshot
    listening = server.bind(host, port)
    url = server.url_of(listening)
    if not server.is_loopback(host):
        out.say("Note: everyone who reaches this machine reads the page. Put a server with TLS before it.")
    data = {
        "url": url,
        "files_url": url + "files",
        "chain_id": snapshot.chain_id,
        "block": snapshot.block,
        "block_hash": snapshot.block_hash,
        "holders": len(snapshot.places),
        "licences": len(snapshot.books.licences.grants),
        "module": module_hash() or None,
    }

    def show() -> None:
        out.fields(
            [
                ("page", url),
                ("block", f"{snapshot.block:,}"),
                ("holders", f"{len(snapshot.places):,}"),
                ("verifier", data["module"] or "none in this package"),
            ]
        )

    def began() -> None:
        out.result(data, show, after=[command("site", "build", "DIR")])
        out.say("It ends at Ctrl-C." if seconds is None else f"It ends after {seconds:g} seconds.")
        sys.stdout.flush()

    server.run(live, listening, seconds=seconds, began=began)
