"""licence-ledger attribution: what was trained on, and which works an output credits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun, read_bytes, write_new
from ledger.cli.output import date
from ledger.domain.address import checksum_address
from ledger.domain.errors import FindingsError, LedgerError

if TYPE_CHECKING:
    from ledger.domain.attribution_book import Recorded
    from ledger.domain.attribution_checks import Flaw
    from ledger.domain.manifest import Manifest
    from ledger.operations.attribution_proofs import Proof
    from ledger.operations.attributions import Record

app = noun("attribution")
Licence = Annotated[int, typer.Argument(min=1, help="Number of the licence.")]
ManifestFile = Annotated[
    str, typer.Option("--manifest", help="The licensed works manifest, where the store lacks it.")
]


@app.command()
def record(
    licence: Licence,
    training: Annotated[
        str, typer.Option("--training", help="CSV or Parquet of the works used: the column work.")
    ] = "",
    outputs: Annotated[
        str,
        typer.Option(
            "--outputs",
            help="CSV or Parquet of credits: output, content_hash, work, weight_ppm, confidence_bps.",
        ),
    ] = "",
    fine_tuning: Annotated[
        bool, typer.Option("--fine-tuning", help="The run was fine-tuning, not training.")
    ] = False,
    model: Annotated[str, typer.Option("--model", help="Model; default: as the terms name it.")] = "",
    model_version: Annotated[str, typer.Option("--model-version", help="Version of the model.")] = "",
    manifest: ManifestFile = "",
    uri: Annotated[str, typer.Option(help="Where the file will lie for others.")] = "",
    flawed: Annotated[
        bool, typer.Option("--flawed", help="Record a batch although a check of it finds flaws.")
    ] = False,
) -> None:
    """Records a training run or a batch of outputs: keeps the file, commits to its leaves on chain."""
    from ledger.operations import attributions
    from ledger.operations.attributions import KINDS, File, Model

    if bool(training) == bool(outputs):
        raise LedgerError(
            "A training run or a batch of outputs is needed, and not both.",
            remedy="Give --training FILE or --outputs FILE.",
        )
    context = current()
    session = context.session
    file = File(read_bytes(training or outputs), training or outputs)
    named, read = Model(model, model_version), _manifest(manifest)
    if training:
        kind = KINDS["fine-tuning" if fine_tuning else "training"]
        made = attributions.plan_training(session, licence, file, kind, named, manifest=read, uri=uri)
    else:
        made = attributions.plan_outputs(session, licence, file, named, manifest=read, uri=uri)
    if made.flaws and not flawed:
        raise _refusal(
            made.flaws, file.name, "Mend the file; or record it as it is, for all to see: --flawed."
        )
    _send(made)


def _send(made: Record) -> None:
    from ledger.operations import attributions
    from ledger.operations.plan import sent

    context = current()
    outcomes: list[Any] = []
    if made.before is None:
        if not context.may_send(made.plan):
            return
        with context.sender() as sender:
            outcomes = attributions.record(context.session, sender, made)
    elif not context.session.files.has(made.what.file_hash):
        context.session.files.put(made.content)
    data = {
        "sent": bool(outcomes),
        "licence": made.licence,
        **_what_data(made.what),
        "recorded_before": made.before is not None,
        "flaws": [one.as_dict() for one in made.flaws],
        "transactions": sent(outcomes),
    }

    def show() -> None:
        out = context.out
        out.fields(_what_lines(made.licence, data))
        for flaw in made.flaws:
            out.say(f"Flaw: {flaw.where}: {flaw.what}")
        if made.before is not None:
            out.say(f"It was recorded before, {date(made.before.time)}: nothing was sent.")

    subject = ("--output", "ID") if data["kind"] == "outputs" else ("--work", "ID")
    after = [
        command("attribution", "list", made.licence),
        command("attribution", "prove", made.licence, *subject),
    ]
    context.out.result(data, show, after=after)


@app.command("list")
def list_(
    licence: Annotated[
        int | None, typer.Argument(min=1, help="Number of the licence; without it, all.")
    ] = None,
) -> None:
    """Lists what is recorded: training runs and batches of outputs."""
    from ledger.operations import attributions
    from ledger.operations import books as books_of

    context = current()
    session, out = context.session, context.out
    records = attributions.records_of(books_of.read(session), licence)
    rows = [_recorded_data(one) for one in records]

    def show() -> None:
        columns = (">licence", "what", "model", ">leaves", ">outputs", "root", "by", "recorded", "file")
        cells = [
            (
                one["licence"],
                one["kind"],
                one["model"].replace("\n", " "),
                f"{one['leaves']:,}",
                "" if one["outputs"] is None else f"{one['outputs']:,}",
                "0x" + one["root"].hex()[:16] + "…",
                one["by"],
                date(one["time"]),
                "kept" if one["file_kept"] else "not in the store",
            )
            for one in rows
        ]
        out.table(columns, cells)

    after = [command("attribution", "check", "--licence", licence or "NUMBER")]
    out.result({"records": rows}, show, after=after)


@app.command()
def prove(
    licence: Annotated[
        int | None, typer.Argument(min=1, help="Number of the licence; not with --verify.")
    ] = None,
    work: Annotated[str, typer.Option("--work", help="Id of the work, as in the manifest.")] = "",
    output: Annotated[str, typer.Option("--output", help="Id of the output.")] = "",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where the proofs go; default: shown only.")
    ] = None,
    verify: Annotated[str, typer.Option("--verify", help="A file of proofs to be checked instead.")] = "",
) -> None:
    """Proves that a work was used in training (--work), or which works an output credits (--output)."""
    from ledger.operations import attribution_proofs as proofs_of

    context = current()
    session = context.session
    if bool(verify) == bool(licence):
        raise LedgerError(
            "A licence is needed, or a file of proofs, and not both.",
            remedy="Give NUMBER --work ID or --output ID; or --verify FILE.",
        )
    if licence is not None:
        proofs = proofs_of.prove(session, licence, work=work, output=output)
        content = proofs_of.proof_file(session, proofs)
        if out_file is not None:
            write_new(out_file, content)
    else:
        proofs = proofs_of.read_proofs(session, read_bytes(verify), verify)
    checked = proofs_of.verify_proofs(session, proofs)
    contract, chain_id = session.ledger.attributions.address, session.rpc.chain_id
    data = {
        "proofs": [
            one.proof.document(chain_id, contract)
            | {"by": checksum_address(one.recorded.by), "time": one.recorded.time, "on_chain": True}
            for one in checked
        ],
        "file": str(out_file) if out_file is not None else None,
    }

    def show() -> None:
        for one in checked:
            context.out.fields(_proof_lines(one.proof, one.recorded))
        if out_file is not None:
            context.out.line(f"written to {out_file}")

    shown = verify or out_file or "FILE"
    context.out.result(data, show, after=[command("attribution", "prove", "--verify", shown)])


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="CSV or Parquet of credits; without it, all records.")] = "",
    licence: Annotated[
        int | None, typer.Option("--licence", min=1, help="The licence that it is recorded under.")
    ] = None,
    manifest: ManifestFile = "",
) -> None:
    """Checks a batch, or all records of a licence: weights, works, missing leaves, outputs credited twice."""
    from ledger.operations import attributions
    from ledger.operations.attributions import File

    context = current()
    session = context.session
    if not file and licence is None:
        raise LedgerError("A file or a licence is needed.", remedy="Give FILE, --licence NUMBER, or both.")
    if not file and licence is not None:
        records, flaws = attributions.check_licence(session, licence)
        _refuse(flaws, f"licence {licence}")
        data: dict[str, Any] = {"licence": licence, "records": len(records), "recorded": bool(records)}
        data |= {"credits": None, "outputs": None}
        line = f"{len(records):,} records, and their files hold what they tell."
        context.out.result(data, lambda: context.out.line(line))
        return
    given = File(read_bytes(file), file)
    batch, flaws, recorded = attributions.check_file(session, licence, given, _manifest(manifest))
    _refuse(flaws, file)
    data = {
        "licence": licence,
        "records": int(recorded is not None),
        "recorded": recorded is not None,
        "credits": len(batch),
        "outputs": batch.output_count,
    }
    lines = [
        ("credits", f"{len(batch):,}"),
        ("outputs", f"{batch.output_count:,}, the weights of each sum to one million"),
        ("root", "0x" + batch.root.hex()),
        ("recorded", _when(recorded) if licence else "not compared: no licence was named"),
    ]
    after = [command("attribution", "record", licence or "NUMBER", "--outputs", file)]
    context.out.result(data, lambda: context.out.fields(lines), after=[] if recorded else after)


def _when(recorded: Recorded | None) -> str:
    return "not yet" if recorded is None else f"{date(recorded.time)} by {checksum_address(recorded.by)}"


def _refuse(flaws: list[Flaw], where: str) -> None:
    if flaws:
        raise _refusal(flaws, where, "Mend the file, or ask whoever recorded it.")


def _refusal(flaws: list[Flaw], where: str, remedy: str) -> FindingsError:
    from ledger.domain.errors import Findings

    findings = Findings()
    for one in flaws:
        findings.add(one.where, f"{one.kind}: {one.what}")
    return findings.error("The attribution has flaws", where, remedy)


def _manifest(path: str) -> Manifest | None:
    from ledger.operations.manifests import read_manifest

    return read_manifest(read_bytes(path), path) if path else None


# ---- what is shown


def _what_data(what: Any) -> dict[str, Any]:
    from ledger.domain.attribution import FINE_TUNE
    from ledger.domain.attribution_book import Training

    run = isinstance(what, Training)
    kind = ("fine-tuning" if what.kind == FINE_TUNE else "training") if run else "outputs"
    return {
        "kind": kind,
        "model": what.model,
        "root": what.root,
        "leaves": what.leaves,
        "outputs": None if run else what.outputs,
        "file_hash": what.file_hash,
        "uri": what.uri,
    }


def _what_lines(licence: int, data: dict[str, Any]) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = [
        ("licence", licence),
        ("what", data["kind"]),
        ("model", data["model"].replace("\n", " ")),
        ("root", "0x" + data["root"].hex()),
    ]
    if data["outputs"] is None:
        lines.append(("works", f"{data['leaves']:,}"))
    else:
        lines += [("outputs", f"{data['outputs']:,}"), ("credits", f"{data['leaves']:,}")]
    return [*lines, ("file", "0x" + data["file_hash"].hex())]


def _recorded_data(one: Recorded) -> dict[str, Any]:
    return {
        "licence": one.licence,
        **_what_data(one.what),
        "by": checksum_address(one.by),
        "time": one.time,
        "resent": one.resent,
        "file_kept": current().session.files.has(one.what.file_hash),
    }


def _proof_lines(proof: Proof, recorded: Recorded) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    if proof.output:
        weight, confidence = proof.words[3], proof.words[4]
        lines = [
            ("output", proof.output),
            ("credits", proof.work or "what is outside the catalogue"),
            ("weight", f"{weight:,} parts per million, confidence {confidence / 100:g} %"),
        ]
    else:
        lines = [("work", proof.work), ("was used to train", recorded.what.model.replace("\n", " "))]
    return [
        *lines,
        ("licence", f"{proof.licence}, recorded {_when(recorded)}"),
        ("root", "0x" + proof.root.hex()),
        ("proof", f"{len(proof.siblings)} hashes (--json prints them)"),
        ("the contract says", "proved"),
    ]
