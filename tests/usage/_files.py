"""Small usage files for the tests, written line by line so that each test can spoil one."""

from __future__ import annotations

from pathlib import Path

from ledger.usage.reader import Report, read_report

NAME = "DSR_R_S_service_2026-Q1_Worldwide_1of1_20260402T000000.tsv"
HEAD = (
    "HEAD\taill/1\tAiUsageProfile\t1.0\tM1\t2026-04-02T00:00:00Z\t1\t1\t2026-01-01\t2026-03-31\tPADPIDA1"
    "\tDeveloper\t\t\t\t"
)
HASH = "0x" + "ab" * 32
DAMAGED = "GBAYE06014X8"


def summary(
    key="1",
    *,
    usages="60",
    use="AiInference",
    licence="7",
    territory="Worldwide",
    gross="100",
    net="90",
    **more,
):
    kinds, amounts = more.get("deduction", ("refunds", "10"))
    version = more.get("version", "1")
    cells = [
        "SYAI.01",
        key,
        licence,
        "POOL",
        f"aill::{use}",
        territory,
        "",
        "model",
        version,
        usages,
        "tokens",
        "",
    ]
    return "\t".join([*cells, "EUR", gross, kinds, amounts, net, *[""] * 7])


def work(
    block="1", reference="R1", name="work-1", identifier="GBAYE0601498", iswc="T-034.524.680-1", title="First"
):
    return "\t".join(["ASAI.01", block, reference, name, identifier, iswc, title, "Ann", "A|B"])


def usage(block="1", reference="R1", *, key="1", output="o1", count="10", weight="500000", **more):
    bearing, sure = more.get("bearing", "true"), more.get("sure", "9000")
    cells = ["SUAI.01", block, key, output, reference, bearing, count, weight, "retrieval", sure]
    return "\t".join([*cells, more.get("outputs", "1"), more.get("net", "")])


def right(block="1", key="1"):
    return "\t".join(["LI01.01", block, key, "Pub", "P1", "W1", "100", "mechanical", "1.50", "2.25"])


def body() -> list[str]:
    """Three blocks, two outputs, all sums right: 60 usages."""
    return [
        HEAD,
        summary(),
        work(),
        work(reference="R2", name="work-2", identifier=HASH, iswc=""),
        usage(),
        usage(reference="R2"),
        right(),
        work("2", name="work-3", identifier="10.5281/zenodo.12", title="Zweites «Ä»"),
        usage("2", output="o2", count="20", weight="1000000"),
        work("3", name="work-1"),
        usage("3", output="", count="20", weight="", sure="", outputs=""),
    ]


def foot(lines: list[str]) -> str:
    counted = [line for line in lines if line and not line.startswith("#")]
    blocks = len(
        dict.fromkeys(line.split("\t")[1] for line in counted if line[:2] in ("AS", "SU") and "\t" in line)
    )
    summaries = sum(line.startswith("SY") for line in counted)
    total = len(counted) + 1
    return f"FOOT\t{total}\t{total}\t{summaries}\t{blocks}\t{blocks}"


def write(folder: Path, lines: list[str], *, name: str = NAME, end: bool = True) -> Path:
    path = folder / name
    whole = [*lines, foot(lines)] if end else lines
    path.write_bytes("".join(line + "\n" for line in whole).encode())
    return path


def read(folder: Path, *paths: Path, **options) -> Report:
    place = folder / "tables"
    place.mkdir(exist_ok=True)
    return read_report(paths, place, **options)


def told(report: Report) -> list[tuple[int, str, str]]:
    """Line, kind and cell of every flaw."""
    return [(one.line, one.kind.value, one.cell) for one in report.flaws]


def figures(report: Report) -> tuple[int, int, int, int]:
    """Accepted lines, unmatched lines, rejected lines, all usages."""
    return report.accepted.lines, report.unmatched.lines, report.rejected.lines, report.total().usages
