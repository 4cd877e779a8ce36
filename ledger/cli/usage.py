"""licence-ledger usage: files of who used which work how often."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun, read_bytes
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.operations.usage_files import Checked, Wanted

app = noun("usage")
Files = Annotated[
    list[Path], typer.Argument(help="The files of one report: .tsv, .tsv.gz, .csv or .parquet.")
]
TermsFile = Annotated[
    str, typer.Option("--terms", help="Terms document whose scope, territory, model, term and cap hold.")
]
Licence = Annotated[int, typer.Option(min=0, help="Number of the licence; usages of another are rejected.")]
ManifestFile = Annotated[
    str, typer.Option("--manifest", help="The catalogue's manifest; works that it lacks are unmatched.")
]
Before = Annotated[str, typer.Option(help="The manifest before it; works that only it has were withdrawn.")]
Expect = Annotated[
    list[str] | None,
    typer.Option("--expect", help="SHA-256 that the file must have, in the order of the files; repeat."),
]
#: So many flaws are shown; all of them are in the file of --flaws and in the imported folder.
_SHOWN = 200
_SHOWN_AS_JSON = 10_000


def _wanted(
    files: list[Path], terms: str, licence: int, manifest: str, before: str, expect: list[str] | None
) -> Wanted:
    from ledger.domain.terms import parse_terms
    from ledger.operations.manifests import read_manifest, read_text
    from ledger.operations.usage_files import Wanted

    hashes = {}
    for path, text in zip(files, expect or [], strict=False):
        try:
            hashes[path.name] = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            hashes[path.name] = b""
        if len(hashes[path.name]) != 32:
            raise LedgerError(f"{text!r} is no SHA-256.", remedy="Give its 64 hexadecimal digits.")
    if expect and len(expect) != len(files):
        raise LedgerError(
            f"{len(expect)} hashes are given for {len(files)} files.", remedy="Give one for each file."
        )
    return Wanted(
        parse_terms(read_text(read_bytes(terms), terms)) if terms else None,
        licence,
        hashes,
        read_manifest(read_bytes(manifest), manifest) if manifest else None,
        read_manifest(read_bytes(before), before) if before else None,
    )


def _store() -> Path:
    """Where usage reports are kept: in the store of files, a folder each."""
    session = current().session
    held = session.settings.files or session.home.defaults().files or str(session.home.files)
    if held.startswith(("http://", "https://")):
        raise LedgerError(
            "Usage reports cannot be put into a store that is read by URL.", held, remedy="Give --files DIR."
        )
    return Path(held).expanduser() / "usage"


def _data(done: Checked) -> dict[str, Any]:
    from ledger.operations.usage_files import by_severity

    report = done.report
    held = report.flaws.held()
    return {
        "files": [
            {
                "name": file.name,
                "sha256": file.sha256,
                "bytes": file.size,
                "lines": file.lines,
                "blocks": file.blocks,
                "summaries": len(file.summaries),
                "message_id": file.head.get("MessageId") if file.head else "",
            }
            for file in report.files
        ],
        "accepted": report.accepted.as_dict(),
        "unmatched": report.unmatched.as_dict(),
        "rejected": report.rejected.as_dict(),
        "importable": not report.refused,
        "severities": by_severity(report.flaws),
        "kinds": {kind.value: count for kind, count in sorted(report.flaws.counts.items())},
        "flaws": [
            {
                "severity": one.severity.value,
                "kind": one.kind.value,
                "file": report.files[one.file].name,
                "line": one.line,
                "record": one.record,
                "cell": one.cell,
                "what": one.what,
                "why": one.why,
            }
            for one in held[:_SHOWN_AS_JSON]
        ],
        "flaws_left_out": len(report.flaws) - min(len(held), _SHOWN_AS_JSON),
    }


def _show(data: dict[str, Any]) -> None:
    out = current().out
    rows = data["flaws"][:_SHOWN]
    if rows:
        out.table(
            ("severity", "kind", ">line", "record", "cell", "what"),
            [
                (
                    one["severity"],
                    one["kind"],
                    one["line"] or "",
                    one["record"],
                    one["cell"],
                    f"{one['what']} {one['why']}".strip(),
                )
                for one in rows
            ],
        )
    left = data["flaws_left_out"] + len(data["flaws"]) - len(rows)
    if left:
        out.line(f"{left:,} more flaws are not shown.")
    pairs: list[tuple[str, object]] = [
        (file["name"], f"{file['lines']:,} lines, {file['summaries']:,} summaries, {file['blocks']:,} blocks")
        for file in data["files"]
    ]
    for name in ("accepted", "unmatched", "rejected"):
        one = data[name]
        unread = f", {one['unread']:,} of them without a number" if one["unread"] else ""
        pairs.append((name, f"{one['lines']:,} usage lines, {int(one['usages']):,} usages{unread}"))
    found = ", ".join(f"{count:,} {name}" for name, count in data["severities"].items() if count)
    out.fields([*pairs, ("flaws", found or "none")])


@app.command()
def check(
    files: Files,
    terms: TermsFile = "",
    licence: Licence = 0,
    manifest: ManifestFile = "",
    before: Before = "",
    expect: Expect = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the report, as an import would, for any flaw.")
    ] = False,
    flaws: Annotated[str, typer.Option(help="Write every flaw into this CSV file.")] = "",
) -> None:
    """Reads the files of one report and lists every flaw. Nothing is kept."""
    from ledger.operations import usage_files

    wanted = _wanted(files, terms, licence, manifest, before, expect)
    context = current()
    with TemporaryDirectory(prefix="licence-ledger-") as place:
        with _progress(files) as told:
            done = usage_files.check(files, Path(place), wanted, told=told)
        if flaws:
            names = [file.name for file in done.report.files]
            usage_files.write_flaws(Path(flaws).expanduser(), done.report.flaws, names, done.spilled)
    if strict:
        usage_files.refuse(done.report, strict=True)
    data = _data(done)
    context.out.result(data, lambda: _show(data), after=[command("usage", "import", *files)])


@app.command("import")
def import_(
    files: Files,
    terms: TermsFile = "",
    licence: Licence = 0,
    manifest: ManifestFile = "",
    before: Before = "",
    expect: Expect = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse the report whole for any flaw.")] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the original files in the store too, for audits to read again."),
    ] = False,
) -> None:
    """Keeps a report in the store of files: its usage table, its flaws, its hashes. Run again, it finds the same."""
    from ledger.operations import usage_files

    wanted = _wanted(files, terms, licence, manifest, before, expect)
    store = _store()
    with _progress(files) as told:
        done = usage_files.import_report(files, store, wanted, strict=strict, told=told)
    if keep:
        for path in files:
            current().session.files.put_file(path)
    data = _data(done) | {"report": done.id, "folder": str(done.folder), "known": done.known}

    def show() -> None:
        _show(data)
        current().out.fields([("report", "0x" + done.id.hex()), ("folder", done.folder)])

    current().out.result(data, show, after=[command("usage", "export", "0x" + done.id.hex()[:16])])


@app.command()
def export(
    report: Annotated[str, typer.Argument(help="The report: its folder, or the beginning of its id.")],
    out: Annotated[Path, typer.Option(help="Folder that gets the files.")] = Path(),
) -> None:
    """Writes an imported report back: CSV and Parquet as they came, DSR-style files so too where they had no flaw."""
    from ledger.operations import usage_files

    folder = usage_files.folder_of(_store(), report)
    written = usage_files.export(folder, out.expanduser())
    data = {"files": [{"path": str(path), "bytes": path.stat().st_size} for path in written]}
    context = current()
    context.out.result(
        data,
        lambda: context.out.fields([(str(path), f"{path.stat().st_size:,} bytes") for path in written]),
        after=[command("usage", "check", *written)],
    )


def _progress(files: list[Path]) -> Any:
    """A bar of the bytes read."""
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager

    @contextmanager
    def bar() -> Iterator[Callable[[int, int], None]]:
        total = sum(path.stat().st_size for path in files if path.is_file())
        with current().out.progress("reading", total) as step:
            before = 0

            def told(done: int, _total: int) -> None:
                nonlocal before
                step(done - before)
                before = done

            yield told

    return bar()
