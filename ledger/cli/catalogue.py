"""licence-ledger catalogue: works, rights holders, and how money is split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.catalogue_views import (
    proof_data,
    proof_lines,
    registered_data,
    show_catalogue,
    state_data,
)
from ledger.cli.context import command, current, noun, read_bytes
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.domain.manifest import Manifest
    from ledger.domain.merkle_sum import MerkleSumTree
    from ledger.operations.plan import Plan

app = noun("catalogue")
Number = Annotated[int, typer.Argument(min=1, help="Number of the catalogue.")]
ManifestFile = Annotated[str, typer.Argument(help="Manifest: CSV, JSON or YAML; - for standard input.")]
UnitsFile = Annotated[
    str, typer.Option("--units", help="CSV of payee,units instead of a manifest: only the split changes.")
]


@app.command()
def create(
    manifest: ManifestFile,
    title: Annotated[str, typer.Option(help="Title, where the file has none (CSV).")] = "",
    arbiter: Annotated[
        str, typer.Option(help="Address or account that decides disputes; default: nobody.")
    ] = "",
    notice_days: Annotated[
        int, typer.Option(min=0, help="Days from a new split's announcement to its effect.")
    ] = 30,
    dispute_days: Annotated[
        int, typer.Option(min=1, help="Days to object, and to answer an objection.")
    ] = 30,
    arbiter_days: Annotated[int, typer.Option(min=1, help="Days that the arbiter has once called.")] = 30,
    uri: Annotated[str, typer.Option(help="Where the manifest file will lie for others.")] = "",
) -> None:
    """Creates a catalogue from a manifest: keeps the file, publishes the split, registers, announces."""
    from ledger.domain.calendar import DAY
    from ledger.domain.canonical import ZERO_ADDRESS
    from ledger.domain.catalogue_book import Settings
    from ledger.operations import catalogues
    from ledger.operations.manifests import read_manifest

    context = current()
    session = context.session
    read = read_manifest(read_bytes(manifest), manifest, title=title)
    settings = Settings(
        read.works_root,
        read.file_hash,
        session.address(arbiter) if arbiter else ZERO_ADDRESS,
        notice_days * DAY,
        dispute_days * DAY,
        arbiter_days * DAY,
        uri,
    )
    if not context.may_send(catalogues.plan_create(session, read, settings)):
        return
    with context.sender() as sender:
        done = catalogues.create(session, sender, read, settings)
    data = registered_data(done) | {
        "works": len(read.works),
        "works_root": read.works_root,
        "file_hash": read.file_hash,
    }
    after = [command("catalogue", "show", done.catalogue), command("licence", "offer", "TERMS")]
    context.out.result(data, lambda: _tell(data), after=after)


@app.command()
def show(
    catalogue: Annotated[
        int | None, typer.Argument(min=1, help="Number of the catalogue; without it, all.")
    ] = None,
    works: Annotated[bool, typer.Option("--works", help="List the works and shares too.")] = False,
    payees: Annotated[
        bool, typer.Option("--payees", help="List the payees and units of the split in force.")
    ] = False,
) -> None:
    """Shows who owns a catalogue, its rules, its splits and when each takes effect."""
    from ledger.operations import catalogues

    context = current()
    session, out = context.session, context.out
    if not catalogue:
        states = [catalogues.state_of(session, number) for number in range(1, catalogues.count(session) + 1)]
        rows = [state_data(session, one) for one in states]
        columns = ("number", "owner", ">splits")

        def table() -> None:
            out.table(columns, [(one["catalogue"], one["owner"], len(one["splits"])) for one in rows])

        out.result({"catalogues": rows}, table, after=[command("catalogue", "create", "MANIFEST")])
        return
    show_catalogue(catalogues.state_of(session, catalogue), works=works, payees=payees)


@app.command()
def announce(
    catalogue: Number,
    manifest: Annotated[str, typer.Argument(help="The new manifest: CSV, JSON or YAML.")] = "",
    units: UnitsFile = "",
    title: Annotated[
        str,
        typer.Option(help="Title, where the file has none (CSV); default: that of the standing manifest."),
    ] = "",
    uri: Annotated[str, typer.Option(help="Where the new manifest file will lie.")] = "",
) -> None:
    """Announces a new manifest or split; after the catalogue's notice it takes effect for later periods
    only.
    """
    from ledger.operations import catalogues

    context = current()
    session = context.session
    read, tree = _manifest_or_units(manifest, units, title or catalogues.standing_title(session, catalogue))
    if not context.may_send(catalogues.plan_announce(session, catalogue, read, tree)):
        return
    with context.sender() as sender:
        done = catalogues.announce(session, sender, catalogue, read, tree, uri=uri)
    data: dict[str, Any] = registered_data(done)
    context.out.result(data, lambda: _tell(data), after=[command("catalogue", "show", catalogue)])


@app.command()
def publish(
    manifest: Annotated[str, typer.Argument(help="Manifest whose split is published.")] = "",
    units: UnitsFile = "",
) -> None:
    """Publishes what is missing of a split, without announcing it. Anyone may."""
    from ledger.operations import catalogues
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    session = context.session
    _, tree = _manifest_or_units(manifest, units)
    plan = catalogues.plan_publish(session, tree)
    if plan.effects and not context.may_send(plan):
        return
    outcomes = []
    if plan.requests:
        with context.sender() as sender:
            outcomes = send_all(sender, plan.requests)
    data = {
        "sent": bool(outcomes),
        "split": tree.id,
        "payees": tree.leaves,
        "pages": tree.pages,
        "transactions": sent(outcomes),
    }
    lines = [
        ("split", "0x" + tree.id.hex()),
        ("payees", f"{tree.leaves:,}"),
        ("pages", f"{tree.pages:,}, all public"),
    ]
    after = [command("catalogue", "announce", "NUMBER", manifest or "MANIFEST")]
    context.out.result(data, lambda: context.out.fields(lines), after=after)


@app.command("hand-over")
def hand_over(
    catalogue: Number,
    to: Annotated[str, typer.Argument(help="Address or account of the next owner.")] = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="Take the offer back.")] = False,
) -> None:
    """Offers a catalogue to its next owner, who becomes the licensor of its licences by taking over."""
    from ledger.operations import catalogues

    session = current().session
    if bool(to) == nobody:
        raise LedgerError("A next owner is needed, or --nobody, and not both.", remedy="Give TO or --nobody.")
    _pass_on(catalogue, catalogues.plan_hand_over(session, catalogue, session.address(to) if to else ""))


@app.command("take-over")
def take_over(catalogue: Number) -> None:
    """Takes over a catalogue that its owner offered to you."""
    from ledger.operations import catalogues

    _pass_on(catalogue, catalogues.plan_take_over(current().session, catalogue))


def _pass_on(number: int, plan: Plan) -> None:
    from ledger.domain.address import checksum_address
    from ledger.domain.canonical import ZERO_ADDRESS
    from ledger.operations import catalogues
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    state = catalogues.state_of(context.session, number)
    offered = None if state.pending_owner == ZERO_ADDRESS else checksum_address(state.pending_owner)
    owner = checksum_address(state.owner)
    data = {
        "sent": True,
        "catalogue": number,
        "owner": owner,
        "offered_to": offered,
        "transactions": sent(outcomes),
    }
    pairs = [("catalogue", number), ("owner", owner), ("offered to", offered or "nobody")]
    context.out.result(data, lambda: context.out.fields(pairs), after=[command("catalogue", "show", number)])


@app.command()
def prove(
    catalogue: Number,
    work: Annotated[str, typer.Argument(help="Id of the work in the manifest.")],
    holder: Annotated[str, typer.Option(help="Rights holder whose share is proved too.")] = "",
    right: Annotated[str, typer.Option(help="Right type of the share, where the holder has several.")] = "",
    manifest: Annotated[str, typer.Option(help="Manifest file; default: the one kept in the store.")] = "",
) -> None:
    """Proves that a work, or a share in it, belongs to a catalogue, and has the contract check the proof."""
    from ledger.operations import catalogues
    from ledger.operations.manifests import kept_manifest, read_manifest

    context = current()
    session = context.session
    state = catalogues.state_of(session, catalogue)
    read = (
        read_manifest(read_bytes(manifest), manifest)
        if manifest
        else kept_manifest(session.files, state.file_hash)
    )
    if read.works_root != state.works_root:
        raise LedgerError(
            f"The manifest is not the one of catalogue {catalogue}.",
            manifest,
            f"Its works root is 0x{read.works_root.hex()}, the catalogue's 0x{state.works_root.hex()}.",
            "Take the file whose hash the catalogue names: `licence-ledger catalogue show`.",
        )
    proof = catalogues.prove(session, read, work, holder, right)
    data = {"catalogue": catalogue, **proof_data(proof)}
    after = [command("catalogue", "show", catalogue, "--works")]
    context.out.result(data, lambda: context.out.fields(proof_lines(catalogue, proof)), after=after)


def _manifest_or_units(manifest: str, units: str, title: str = "") -> tuple[Manifest | None, MerkleSumTree]:
    from ledger.operations.manifests import read_manifest, read_units, tree_of

    if bool(manifest) == bool(units):
        raise LedgerError(
            "A manifest or a list of units is needed, and not both.", remedy="Give MANIFEST or --units FILE."
        )
    if units:
        return None, read_units(read_bytes(units), units)
    read = read_manifest(read_bytes(manifest), manifest, title=title)
    return read, tree_of(read)


def _tell(data: dict[str, Any]) -> None:
    from ledger.cli.output import date

    pairs = [
        ("catalogue", data["catalogue"]),
        ("split", "0x" + data["split"].hex()),
        ("payees", f"{data['payees']:,}"),
    ]
    if "works" in data:
        pairs.append(("works", f"{data['works']:,}"))
    pairs += [("in force", date(data["effective"])), ("transactions", len(data["transactions"]))]
    current().out.fields(pairs)
