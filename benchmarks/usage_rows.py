"""A usage file of any number of rows, and a plain Python reader of it: line by line, the same checks."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from pathlib import Path
from random import Random

#: Works of one output, and the weights that they get.
WORKS, WEIGHTS = 4, (400_000, 300_000, 200_000, 100_000)
_CATALOGUE = 200_000
_TOGETHER = 10_000
NAME = "DSR_PADPIDA2014999999Z_PADPIDA2014111801Y_inference_2026-Q1_Worldwide_1of1_20260402T000000.tsv"


def write_rows(folder: Path, rows: int) -> Path:
    """A file of our format with so many lines: blocks of four works and four usages, one output a block."""
    path = folder / NAME
    blocks = (rows - 3) // (2 * WORKS)
    draw = Random(rows)
    head = ["HEAD", "aill/1", "AiUsageProfile", "1.0", "M1", "2026-04-02T00:00:00Z", "1", "1", "2026-01-01"]
    head += ["2026-03-31", "PADPIDA2014111801Y", "Developer", "", "", "", ""]
    summary = ["SYAI.01", "1", "1", "POOL", "aill::AiInference", "Worldwide", "", "model", "1"]
    summary += [str(7 * WORKS * blocks), "", "", "EUR", "1000.00", "", "", "1000.00", *[""] * 7]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(head) + "\n" + "\t".join(summary) + "\n")
        for first in range(1, blocks + 1, _TOGETHER):
            lines = []
            for block in range(first, min(first + _TOGETHER, blocks + 1)):
                works = [draw.randrange(_CATALOGUE) for _ in WEIGHTS]
                lines += [
                    f"ASAI.01\t{block}\tR{i}\twork-{work}\tGBAYE{work:07}\tT-034.524.680-1\tTitle {work}\tArtist\t"
                    for i, work in enumerate(works)
                ]
                lines += [
                    f"SUAI.01\t{block}\t1\toutput-{block}\tR{i}\ttrue\t7\t{weight}\tretrieval\t9000\t1\t"
                    for i, weight in enumerate(WEIGHTS)
                ]
            file.write("\n".join(lines) + "\n")
        count = 3 + 2 * WORKS * blocks
        file.write(f"FOOT\t{count}\t{count}\t1\t{blocks}\t{blocks}\n")
    return path


class PlainReader:
    """A line-by-line reader as one would write it: `str.split`, dictionaries, compiled expressions."""

    def __init__(self, countries: frozenset[str]) -> None:
        self._countries = countries
        self._isrc = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
        self._hash = re.compile(r"0x[0-9a-f]{64}")
        self._doi = re.compile(r"10\.[0-9]{4,9}/[!-~]+")
        self._iswc = re.compile(r"T-?([0-9]{3})\.?([0-9]{3})\.?([0-9]{3})-?([0-9])")
        self._control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
        self.usages = 0
        self.lines = 0
        self.blocks = 0
        self.sha256 = b""
        self.flaws: list[tuple[int, str]] = []

    def read(self, path: Path) -> None:
        """Reads the file: usages, lines, blocks and flaws."""
        block: str | None = None
        number = -1
        works: dict[str, str] = {}
        summaries: dict[str, int] = {}
        claimed: dict[str, int] = {}
        allocated: dict[str, Decimal] = {}
        weights: dict[str, int] = {}
        tell = self.flaws.append
        foot: list[str] = []
        line = 0
        with path.open(encoding="utf-8", newline="\n") as file:
            for line, raw in enumerate(file, 1):
                text = raw.rstrip("\r\n")
                if not text or text[0] == "#":
                    continue
                if len(text) > 1 << 20 or self._control.search(text):
                    tell((line, "unreadable"))
                    continue
                self.lines += 1
                cells = text.split("\t")
                name = cells[0]
                if name in {"SUAI.01", "ASAI.01"} and cells[1] != block:
                    block = cells[1]
                    works = {}
                    self.blocks += 1
                    if block.isdigit():
                        if int(block) <= number:
                            tell((line, "order"))
                        number = int(block)
                if name == "SUAI.01":
                    if len(cells) != 12:
                        tell((line, "cells"))
                        continue
                    _, _, summary, output, reference, bearing, count, weight, _, sure, outputs, net = cells
                    if summary not in summaries:
                        tell((line, "summary"))
                        continue
                    if reference not in works:
                        tell((line, "reference"))
                    if bearing not in {"true", "false"}:
                        tell((line, "bearing"))
                    if not (count.isascii() and count.isdigit() and len(count) <= 38):
                        tell((line, "usages"))
                        continue
                    summaries[summary] += int(count)
                    if weight:
                        if (
                            not (weight.isascii() and weight.isdigit())
                            or int(weight) > 1_000_000
                            or not output
                        ):
                            tell((line, "weight"))
                        else:
                            weights[output] = weights.get(output, 0) + int(weight)
                    if sure and (not (sure.isascii() and sure.isdigit()) or int(sure) > 10_000):
                        tell((line, "confidence"))
                    if outputs and not (outputs.isascii() and outputs.isdigit()):
                        tell((line, "outputs"))
                    if net:
                        allocated[summary] = allocated.get(summary, Decimal(0)) + Decimal(net)
                elif name == "ASAI.01":
                    if len(cells) != 9:
                        tell((line, "cells"))
                        continue
                    reference, work, identifier, iswc = cells[2:6]
                    if not reference or not work or reference in works:
                        tell((line, "work"))
                    works[reference] = work
                    if identifier and not self._known(identifier):
                        tell((line, "identifier"))
                    if iswc and not self._is_iswc(iswc):
                        tell((line, "identifier"))
                elif name == "SYAI.01":
                    summaries[cells[1]] = 0
                    claimed[cells[1]] = int(cells[9])
                elif name == "FOOT":
                    foot = cells
                elif name != "HEAD":
                    tell((line, "record"))
        for output, total in weights.items():
            if total != 1_000_000:
                tell((0, output))
        for key, total in summaries.items():
            self.usages += total
            if claimed[key] != total:
                tell((0, key))
        with path.open("rb") as packed:
            self.sha256 = hashlib.file_digest(packed, "sha256").digest()
        if not foot or int(foot[1]) != self.lines or int(foot[4]) != self.blocks:
            tell((line, "foot"))

    def _known(self, text: str) -> bool:
        if self._isrc.fullmatch(text):
            return text[:2] in self._countries
        return bool(self._hash.fullmatch(text) or self._doi.fullmatch(text))

    def _is_iswc(self, text: str) -> bool:
        found = self._iswc.fullmatch(text)
        if not found:
            return False
        digits = found[1] + found[2] + found[3]
        return (10 - (1 + sum(i * int(one) for i, one in enumerate(digits, 1))) % 10) % 10 == int(found[4])
