"""One file read: chunks through the fast path, the lines that it leaves through the exact one, rows to the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.domain.errors import LedgerError
from ledger.usage import kernel, kernel_cells
from ledger.usage.buffers import Buffers, SummaryTable, isrc_countries
from ledger.usage.chunks import ROOM, Readier, Ready, ahead
from ledger.usage.flaws import FlawKind
from ledger.usage.line_types import ReadAhead, Rejected, Use
from ledger.usage.own_lines import OwnLineReader
from ledger.usage.rows import Rows, any_between, exact, optional, other_rows
from ledger.usage.sources import Chunk, LongLine, SourceRefused
from ledger.usage.summary import Sums, Tally
from ledger.usage.tables import Tables, decimals

#: The works of an open block are carried from chunk to chunk up to so many bytes.
_CARRIED = 64 * 1024 * 1024


class FileReader:
    """Reads the lines of one file. `keys` are the secrets of the hashes of output ids, one pair a report."""

    def __init__(
        self, lines: OwnLineReader, tables: Tables, keys: Any, *, lines_a_row: int = 1, first_row: int = 1
    ) -> None:
        self.lines = lines
        self.facts = lines.facts
        self.tables = tables
        self.unmatched = Tally()
        self.accepted = Tally()
        self.rejected = Tally()
        self._keys = keys
        self._per_row = lines_a_row
        self._first_row = first_row
        self._seen = 0
        self._gaps = np.zeros(0, np.int64)
        self._state = np.array([0, 0, -1, 0, 0, 0], np.int64)
        self._block = b""
        self._carry: list[bytes] = []
        self._buffers = Buffers()
        self._readier = Readier()

    def number(self, local: int) -> int:
        """The number of a line, or row, that stands `local` lines after those already read."""
        row = self._first_row + (self._seen + local) // self._per_row
        return row + int(np.searchsorted(self._gaps, row, "right")) if len(self._gaps) else row

    def numbers(self, local: Any) -> Any:
        """The same of many lines."""
        rows = self._first_row + (self._seen + local.astype(np.int64)) // self._per_row
        return rows + np.searchsorted(self._gaps, rows, "right") if len(self._gaps) else rows

    def left_out(self, numbers: list[int]) -> None:
        """Tells the rows, in order, that the file has and that never come here."""
        self._gaps = np.array(numbers, np.int64) - np.arange(len(numbers))

    # ---- the whole file

    def read(
        self, source: Iterator[Chunk | LongLine], torn: Callable[[], bool], told: Callable[[], None]
    ) -> None:
        """Reads all. A file that cannot be read on is noted; `told` is called after each chunk."""
        try:
            for one in ahead(self._readier.all(source)):
                if isinstance(one, LongLine):
                    self._long(one)
                else:
                    self._chunk(one)
                told()
        except SourceRefused as refused:
            self.facts.whole = False
            self.lines.flaw(refused.kind, 0, "", "", refused.what, refused.why)
        self.lines.close()
        if (
            torn()
            and self.facts.whole
            and (self.facts.foot is None or self.facts.foot.number != self.facts.all_lines)
        ):
            self.facts.whole = False
            self.lines.flaw(
                FlawKind.CUT, self.facts.all_lines, "", "", "The file ends in the middle of a line."
            )

    def _long(self, line: LongLine) -> None:
        number = self.number(0)
        self._seen += 1
        self.facts.all_lines += 1
        self.lines.too_long(number, line.length, line.begin)
        self._flush_rejected(None)

    def finish(self) -> None:
        """Writes what still waits."""
        self._flush_rejected(None, last=True)

    # ---- a chunk

    def chunk(self, data: bytes) -> None:
        """Reads whole lines."""
        self._chunk(self._readier.ready(data))

    def _chunk(self, ready: Ready) -> None:
        data, shown, marks, stops, heads, line_count = ready
        # Works of the open block, which were read with the chunk before, stand before the chunk's own lines.
        prefix = self._block + b"".join(self._carry)
        raw = prefix + shown if prefix else shown
        buf = np.frombuffer(raw, np.uint8)
        begin, size = len(self._block), len(raw)
        carried = np.flatnonzero(buf[begin : len(prefix)] < 32).astype(np.int32) + (begin - len(prefix))
        first_stop = ROOM - len(carried)
        if first_stop < 0:
            stops, first_stop = np.concatenate((carried, stops[ROOM:])), 0
        else:
            stops[first_stop:ROOM] = carried
        held = self._buffers
        held.fit(line_count + len(self._carry))
        read_ahead = self._summaries(data, shown, marks, heads)
        summaries = SummaryTable(self.lines, self._keys, self._seen)
        self._state[0], self._state[1] = 0, len(self._block)
        blocks = int(self._state[3])
        sums = np.zeros((len(summaries) + 1, 4, kernel.SCALES, 2), np.int64)
        counts = np.zeros((len(summaries) + 1, 3), np.int64)
        n_line, n_work, n_use, n_event, first_work = kernel.scan(
            buf, stops, first_stop, len(prefix), begin, size, len(self._carry), self._state, self._keys,
            isrc_countries(), summaries.arrays, held.works, held.slots, held.uses, held.events, sums,
            self.tables.details,
        )  # fmt: skip
        kernel.add_up(n_use, held.uses, counts, sums)
        self.facts.lines += n_line - int(np.count_nonzero(held.events[3][:n_event] == kernel.OTHER))
        self._note_blocks(blocks, n_use, n_work)
        patches, others = self._events(raw, len(prefix), data, marks, n_event, read_ahead)
        self._book(summaries, counts, sums)
        refused = self._rows(raw, buf, n_use, summaries, patches, others)
        if self.tables.details:
            self._works(buf, n_work)
        self._carry_on(raw, n_work, first_work)
        self._seen += n_line
        self.facts.all_lines += n_line
        self._flush_rejected(refused)

    def _summaries(
        self, data: bytes, shown: bytes, marks: list[int], starts: list[int]
    ) -> dict[int, ReadAhead]:
        """Reads HEAD and the summaries of a chunk first, for the fast path needs to know them.

        What else comes of it is put where their lines stand, so that nothing hangs on where a chunk ends.
        """
        done: dict[int, ReadAhead] = {}
        at, line = 0, 0
        for start in starts:
            line += shown.count(b"\n", at, start)
            at = start
            end = shown.index(b"\n", start)
            with self.lines.flaws.aside() as flaws:
                use = self.lines.read(
                    self.number(line),
                    data[start:end].removesuffix(b"\r"),
                    encoding=any_between(marks, start, end),
                )
            done[line] = ReadAhead(flaws, self.lines.rejected, use)
            self.lines.rejected = []
        return done

    def _note_blocks(self, before: int, n_use: int, n_work: int) -> None:
        self.facts.blocks += int(self._state[3]) - before
        lines = self._buffers.works[3][len(self._carry) : n_work], self._buffers.uses[0][:n_use]
        numbers = [self.number(int(one[place])) for one in lines if len(one) for place in (0, -1)]
        for number in numbers:
            self.facts.note(number)
            self.facts.note_block(number)

    def _events(
        self,
        raw: bytes,
        shift: int,
        data: bytes,
        marks: list[int],
        n_event: int,
        read_ahead: dict[int, ReadAhead],
    ) -> tuple[dict[int, Use], list[Use]]:
        """Takes the lines that the fast path left through the exact one; our usages by place, and other ones."""
        held = self._buffers
        starts, ends, places, kinds, indices = (one[:n_event].tolist() for one in held.events)
        patches: dict[int, Use] = {}
        others: list[Use] = []
        rights: list[tuple[int, str]] = []
        for start, end, place, kind, index in zip(starts, ends, places, kinds, indices, strict=True):
            number = self.number(place)
            line = data[start - shift : end - shift] if start >= shift else raw[start:end]
            bad = bool(marks) and any_between(marks, start - shift, end - shift)
            if kind == kernel.OTHER:
                ahead = read_ahead.get(place)
                if ahead is None:
                    use = self.lines.read(number, line, encoding=bad)
                else:
                    use = ahead.use
                    self.lines.rejected += ahead.rejected
                    for flaw in ahead.flaws:
                        self.lines.flaws.put(flaw)
                if use is not None:
                    others.append(use)
            elif kind == kernel.WORK:
                repeated = not held.works[2][index]
                self.lines.own_work(number, line, encoding=bad, repeated=repeated)
            elif kind == kernel.USAGE:
                work = int(held.uses[1][index])
                patches[index] = self.lines.own_usage(
                    number, line, None if work < 0 else self._work_text(raw, work), encoding=bad
                )
            elif kind == kernel.RIGHT:
                self.lines.own_right(number, line, encoding=bad)
                if self.tables.details and not bad:
                    rights.append((number, line.decode("utf-8", "replace")))
            elif kind == kernel.GOOD_RIGHT:
                rights.append((number, line.decode()))
            else:
                self.lines.block_out_of_order(number, line)
        if rights:
            numbers = [number for number, _ in rights]
            self.tables.add(
                "rights",
                [
                    pa.array([self.facts.index] * len(rights), pa.int32()),
                    pa.array(numbers),
                    pa.array([t for _, t in rights]),
                ],
            )
        return patches, others

    def _work_text(self, raw: bytes, work: int) -> str:
        cells = self._buffers.works[0][work]
        return raw[int(cells[2]) : int(cells[3]) - 1].decode("utf-8", "replace")

    # ---- sums and rows

    def _book(self, summaries: SummaryTable, counts: Any, sums: Any) -> None:
        """Adds what the fast path counted to the sums of each summary id, exactly."""
        for place, one in enumerate(summaries.held):
            lines = int(counts[place, 2])
            usages = int(counts[place, 0]) + (int(counts[place, 1]) << 32)
            (self.rejected if one.refused else self.accepted).add(lines, usages)
            if not lines and not sums[place].any():
                continue
            mine = self.lines.sums.setdefault(one.id, Sums())
            mine.usages += usages
            if sums[place, kernel.NET].any():
                mine.has_net = True
                mine.net += exact(sums[place, kernel.NET])
            if sums[place, kernel.RIGHT_COUNT, 0, 0]:
                mine.has_rights = True
                mine.right_net += exact(sums[place, kernel.RIGHT_NET])
                mine.right_amount += exact(sums[place, kernel.RIGHT_AMOUNT])

    def tally(self, use: Use) -> None:
        """Counts a usage that the exact path read."""
        kept = self.rejected if use.rejected else (self.accepted if use.matched else self.unmatched)
        kept.add(1, use.usages, 0 if use.readable else 1)

    def _rows(
        self,
        raw: bytes,
        buf: Any,
        n: int,
        summaries: SummaryTable,
        patches: dict[int, Use],
        others: list[Use],
    ) -> list[Any] | None:
        """The usages of a chunk as rows of the usage table; those under a refused summary are rejected: the columns."""
        for use in others:
            self.tally(use)
        kept = [use for use in others if use.rejected is None]
        if n == 0:
            if kept:
                self.tables.add("usage", other_rows(kept, self.facts.index, details=self.tables.details))
            return None
        held = self._buffers
        line, work, usages, bearing, weight, conf, outputs, place, _, _, h1, h2, status, cells = (
            one[:n] for one in held.uses
        )
        large: dict[int, int] = {}
        for i, use in patches.items():
            self.tally(use)
            status[i] = kernel.REJECTED if use.rejected else kernel.ACCEPTED
            bearing[i], weight[i], conf[i], outputs[i] = use.bearing, use.weight, use.confidence, use.outputs
            if use.usages < 10**18:
                usages[i] = use.usages
            else:
                usages[i], large[i] = 0, use.usages
            if use.summary is not None and not use.rejected:
                place[i] = summaries.place[use.summary.id]
            if use.weight >= 0:
                h1[i], h2[i] = kernel_cells.hashes(buf, cells[i, 2], cells[i, 3] - 1, self._keys)
        rejected = None
        refused = summaries.refused()
        if refused.any():
            mask = (status == kernel.ACCEPTED) & refused[place]
            rejected = self._rejected_rows(buf, np.flatnonzero(mask), summaries)
            status[mask] = kernel.REJECTED
        keep = np.flatnonzero(status == kernel.ACCEPTED) if patches or refused.any() else None
        rows = Rows(buf, self._buffers, n, keep)
        numbers = self.numbers(rows.of(line))
        if keep is not None and large:
            where = {int(old): new for new, old in enumerate(keep)}
            large = {where[i]: value for i, value in large.items() if i in where}
        count = len(numbers)
        files = pa.array(np.full(count, self.facts.index, np.int32))
        weights = rows.of(weight)
        columns = [
            rows.works(work),
            pa.DictionaryArray.from_arrays(summaries.use_codes[rows.of(place)], summaries.use_types),
            summaries.rights(rows.of(place)),
            decimals(rows.of(usages), large),
            optional(weights, pa.int64()),
            optional(rows.of(conf), pa.int32()),
            optional(rows.of(outputs), pa.int64()),
            pa.array(rows.of(bearing).astype(bool)),
            pa.array(numbers),
            files,
        ]
        if self.tables.details:
            columns += [rows.text(cells, column) for column in (0, 3, 1, 2, 7, 10)]
        if kept:
            columns = self.tables.merged(
                "usage",
                columns,
                other_rows(kept, self.facts.index, details=self.tables.details),
                by=("record",),
            )
        self.tables.add("usage", columns)
        self._weigh(weights, rows.of(h1), rows.of(h2), numbers)
        return rejected

    def _weigh(self, weights: Any, h1: Any, h2: Any, numbers: Any) -> None:
        """Adds up the weights of neighbouring lines of one output."""
        weighed = np.flatnonzero(weights >= 0)
        if not len(weighed):
            return
        h1, h2, numbers = h1[weighed], h2[weighed], numbers[weighed]
        begins = np.flatnonzero(np.concatenate(([True], (h1[1:] != h1[:-1]) | (h2[1:] != h2[:-1]))))
        ends = np.concatenate((begins[1:], [len(weighed)])) - 1
        sums = np.add.reduceat(weights[weighed].astype(np.int64), begins)
        files = np.full(len(begins), self.facts.index, np.int32)
        held = (h1[begins], h2[begins], sums, files, numbers[begins], numbers[ends])
        self.tables.add("weights", [pa.array(one) for one in held])

    def _rejected_rows(self, buf: Any, chosen: Any, summaries: SummaryTable) -> list[Any] | None:
        """Usages under a refused summary, right in themselves, as rows of the rejected lines."""
        if not len(chosen):
            return None
        uses = self._buffers.uses
        kinds = [one.refused.value if one.refused else "" for one in summaries.held]
        return [
            pa.array(np.full(len(chosen), self.facts.index, np.int32)),
            pa.array(self.numbers(uses[0][chosen])),
            pa.array([kinds[k] for k in uses[7][chosen]]),
            pa.array(["SUAI.01"] * len(chosen)),
            decimals(uses[2][chosen], {}),
            Rows(buf, self._buffers, len(uses[0]), chosen).text(uses[13], 12).cast(pa.binary()),
        ]

    def _works(self, buf: Any, n: int) -> None:
        """The works of a chunk, those carried left out."""
        first = len(self._carry)
        if n <= first:
            return
        chosen = np.flatnonzero(self._buffers.works[2][first:n]) + first
        cells = self._buffers.works[0]
        rows = Rows(buf, self._buffers, n, chosen)
        numbers = self.numbers(self._buffers.works[3][chosen])
        columns = [pa.array(np.full(len(chosen), self.facts.index, np.int32)), pa.array(numbers)]
        self.tables.add("works", [*columns, *(rows.text(cells, column) for column in range(8))])

    def _carry_on(self, raw: bytes, n_work: int, first_work: int) -> None:
        """Keeps the works of the block that is open, for its usages in the next chunk."""
        start, length = int(self._state[0]), int(self._state[1])
        cells = self._buffers.works[0]
        self._block = raw[start : start + length]
        # With both bytes of an end of line: a carriage return of the line's own stays within it.
        lines = [
            raw[int(cells[k, 0]) - 8 : int(cells[k, 9]) - 1] + b"\r\n" for k in range(first_work, n_work)
        ]
        if sum(map(len, lines)) > _CARRIED:
            raise LedgerError("A block of the file describes works of more than 64 MiB.", self.facts.name)
        self._carry = lines

    def _flush_rejected(self, more: list[Any] | None, *, last: bool = False) -> None:
        """Writes the lines that the exact path rejected, and `more` rows of such, in the order of the file."""
        held: list[Rejected] = self.lines.rejected
        self.lines.rejected = []
        if self._per_row > 1 and not last:
            # A table's reader is ahead of us: what it left out waits for the rows above it.
            here = self.number(0)
            self.lines.rejected = [one for one in held if one.line >= here]
            held = [one for one in held if one.line < here]
        if not held:
            if more is not None:
                self.tables.add("rejected", more)
            return
        # A line that nobody can tell to be no usage counts as one whose number is not known.
        lost = sum(not one.told and one.record[:2] in ("", "SU") for one in held)
        self.rejected.add(lost, 0, lost)
        columns = [
            pa.array([self.facts.index] * len(held), pa.int32()),
            pa.array([one.line for one in held], pa.int64()),
            pa.array([one.kind.value for one in held]),
            pa.array([one.record for one in held]),
            pa.array([one.usages for one in held], pa.decimal128(38, 0)),
            pa.array([one.text for one in held], pa.binary()),
        ]
        if more is not None or self._per_row > 1:
            columns = self.tables.merged("rejected", columns, more, by=("record", "name"))
        self.tables.add("rejected", columns)
