"""The fast path: whole chunks of our own records scanned and checked, compiled by numba. Import it lazily.

What is plainly right is turned into numbers here; every line that is not goes to the exact path in Python as an
event, so that a flaw has one place where it is worded. Offsets are bytes from the start of the buffer.
"""

# mypy: disable-error-code="assignment, return-value, no-any-return"
from __future__ import annotations

from typing import Any

import numba
import numpy as np

from ledger.usage.kernel_cells import Bytes, amount, count, hash_of, is_doi, is_hash, is_isrc, is_iswc, same

#: What a line of the events is: any other record, one of ours with something to look at, a block out of order,
#: a right to be kept.
OTHER, WORK, USAGE, RIGHT, BLOCK, GOOD_RIGHT = 0, 1, 2, 3, 4, 5
#: Status of a usage: good, unmatched, rejected, to be judged by the exact path.
ACCEPTED, UNMATCHED, REJECTED, OPEN = 0, 1, 2, 3
#: Decimal places whose sums are kept apart, so that they stay exact.
SCALES = 19
NET, RIGHT_NET, RIGHT_AMOUNT, RIGHT_COUNT = 0, 1, 2, 3
_TAB, _LF, _CR = 9, 10, 13
_TABS = 16
#: References of so many works of a block are compared one by one; of more they are looked up.
_FEW = 8
_LONGEST = 1 << 20
_LOW = np.int64(0xFFFFFFFF)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@numba.njit(cache=True, nogil=True, inline="always")
def _is_ours(buf: Bytes, start: int, family: Any) -> bool:  # pragma: no cover - compiled
    """Whether `xxAI.01` and a tab stand there."""
    return (
        buf[start] == family
        and buf[start + 2] == 65
        and buf[start + 3] == 73
        and buf[start + 4] == 46
        and buf[start + 5] == 48
        and buf[start + 6] == 49
        and buf[start + 7] == _TAB
    )


@numba.njit(cache=True, nogil=True)
def seed_summaries(buf: Bytes, starts: Any, ends: Any, factor: Any) -> Any:  # pragma: no cover - compiled
    """A hash table of summary ids: slot -> index, -1 where empty. The later of two equal ids is left out."""
    size = 8
    while size < 2 * len(starts) + 2:
        size *= 2
    slots = np.full(size, -1, np.int32)
    for k in range(len(starts)):
        slot = np.int64(hash_of(buf, starts[k], ends[k], factor) & np.uint64(size - 1))
        while slots[slot] >= 0:
            held = slots[slot]
            length = ends[k] - starts[k]
            if ends[held] - starts[held] == length and same(buf, starts[held], starts[k], length):
                break
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot] = k
    return slots


@numba.njit(cache=True, nogil=True)
def _slot(  # pragma: no cover - compiled
    buf: Bytes, ref: int, length: int, block: int, cells: Any, blocks: Any, slots: Any, factor: Any
) -> int:
    """Where a reference of this block stands in the table, or the empty slot where it would."""
    mask = len(slots) - 1
    key = hash_of(buf, ref, ref + length, factor) + np.uint64(block) * _MIX
    slot = np.int64((key ^ (key >> _SHIFT)) & np.uint64(mask))
    while slots[slot] >= 0:
        held = slots[slot]
        row = cells[held]
        if blocks[held] == block and row[2] - 1 - row[1] == length and same(buf, row[1], ref, length):
            break
        slot = (slot + 1) & mask
    return slot


@numba.njit(cache=True, nogil=True)
def _enter(  # pragma: no cover - compiled
    buf: Bytes, k: int, block: int, cells: Any, blocks: Any, slots: Any, factor: Any
) -> bool:
    """Enters work k by its reference; False where the block has that reference already."""
    row = cells[k]
    slot = _slot(buf, row[1], row[2] - 1 - row[1], block, cells, blocks, slots, factor)
    if slots[slot] >= 0:
        return False
    slots[slot] = k
    return True


@numba.njit(cache=True, nogil=True)
def scan(  # pragma: no cover - compiled
    buf: Bytes,
    stops: Any,
    stop: int,
    shift: int,
    begin: int,
    size: int,
    carried: int,
    state: Any,
    factors: Any,
    countries: Bytes,
    summaries: Any,
    works: Any,
    slots: Any,
    uses: Any,
    events: Any,
    sums: Any,
    keep_rights: bool,
) -> tuple[int, int, int, int, int]:
    """Scans the lines of buf[begin:size], the first `carried` of which are works of the open block, seen before.

    `state`: start and length of the open block's id, its number (-1: not a number), blocks begun, generation,
    whether a work or usage of ours was seen.
    `summaries`: (buffer, starts, ends, known from line, slots). `works`: (cells[k, 10], block, usable, line).
    `uses`: (line, work, usages, bearing, weight, confidence, outputs, summary, units, scale, h1, h2, status,
    cells[m, 16]). `events`: (start, end, line, kind, index). `sums[summary, which, scale, low or high]`.
    `stops`, from `stop` on: the places of all bytes below 32, less `shift`. Lines count from 0 after the carried
    ones. Returns (lines, works, usages, events, first work of the open block).
    """
    sum_buf, sum_starts, sum_ends, sum_known, sum_slots = summaries
    work_cells, work_block, work_ok, work_line = works
    u_line, u_work, u_usages, u_bearing, u_weight, u_conf, u_outputs = uses[:7]
    u_sum, u_units, u_scale, u_h1, u_h2, u_status, u_cells = uses[7:]
    e_start, e_end, e_line, e_kind, e_index = events
    sum_mask = len(sum_slots) - 1
    tabs = np.empty(_TABS, np.int64)
    n_line, n_work, n_use, n_event = -carried, 0, 0, 0
    block_start, block_len, block_number, blocks, block = state[0], state[1], state[2], state[3], state[4]
    first_work = 0
    last_sum = -1
    at = begin
    out_start, out_len, out1, out2 = 0, -1, np.uint64(0), np.uint64(0)
    while at < size:
        start = at
        tabbed = 0
        bad = False
        while True:
            end = stops[stop] + shift
            stop += 1
            byte = buf[end]
            if byte == _TAB:
                if tabbed < _TABS:
                    tabs[tabbed] = end
                tabbed += 1
            elif byte == _LF:
                break
            elif not (byte == _CR and buf[end + 1] == _LF):
                bad = True
        at = end + 1
        if end > start and buf[end - 1] == _CR:
            end -= 1
        line = n_line
        n_line += 1
        kind = OTHER
        if end - start > 9 and end - start <= _LONGEST:
            second = buf[start + 1]
            first = buf[start]
            if second == 85 and _is_ours(buf, start, 83):
                kind = USAGE
            elif second == 83 and _is_ours(buf, start, 65):
                kind = WORK
            elif (
                state[5]
                and first == 76
                and second == 73
                and buf[start + 2] == 48
                and buf[start + 3] == 49
                and (
                    buf[start + 4] == 46
                    and buf[start + 5] == 48
                    and buf[start + 6] == 49
                    and buf[start + 7] == _TAB
                )
            ):
                kind = RIGHT
        if kind == OTHER:
            e_start[n_event], e_end[n_event], e_line[n_event] = start, end, line
            e_kind[n_event], e_index[n_event] = OTHER, 0
            n_event += 1
            continue
        # Rights belong to our works only where there are some: a DDEX file's are read with its own blocks.
        state[5] = 1
        # The block: the cell after the name.
        from_, to = start + 8, (tabs[1] if tabbed > 1 else end)
        length = to - from_
        if length != block_len or not same(buf, from_, block_start, length):
            block_start, block_len = from_, length
            block += 1
            first_work = n_work
            if line >= 0:
                blocks += 1
                number = count(buf, from_, to)
                if number >= 0 and block_number >= 0 and number <= block_number and length > 0:
                    e_start[n_event], e_end[n_event], e_line[n_event] = start, end, line
                    e_kind[n_event], e_index[n_event] = BLOCK, 0
                    n_event += 1
                block_number = number if length > 0 else block_number
        if kind == WORK:
            good = not bad and tabbed == 8 and length > 0
            usable = not bad and tabbed >= 3 and length > 0
            cells = work_cells[n_work]
            for i in range(9):
                cells[i] = tabs[i] + 1 if i < tabbed else end + 1
            cells[9] = end + 1
            work_block[n_work] = block
            ref, ref_len = cells[1], cells[2] - 1 - cells[1]
            if ref_len <= 0 or cells[3] - 1 - cells[2] <= 0:
                good = usable = False
            # A block of few works, the usual case, never touches the table.
            if n_work - first_work < _FEW:
                for k in range(first_work, n_work):
                    row = work_cells[k]
                    if work_ok[k] and row[2] - 1 - row[1] == ref_len and same(buf, row[1], ref, ref_len):
                        good = usable = False
            else:
                if n_work - first_work == _FEW:
                    for k in range(first_work, n_work):
                        if work_ok[k]:
                            _enter(buf, k, block, work_cells, work_block, slots, factors[0])
                if usable and not _enter(buf, n_work, block, work_cells, work_block, slots, factors[0]):
                    good = usable = False
            if good:
                a, b = cells[3], cells[4] - 1
                if b > a and not (is_isrc(buf, a, b, countries) or is_hash(buf, a, b) or is_doi(buf, a, b)):
                    good = False
                a, b = cells[4], cells[5] - 1
                if b > a and not is_iswc(buf, a, b):
                    good = False
            work_ok[n_work] = usable
            work_line[n_work] = line
            if not good and line >= 0:
                e_start[n_event], e_end[n_event], e_line[n_event] = start, end, line
                e_kind[n_event], e_index[n_event] = WORK, n_work
                n_event += 1
            n_work += 1
            continue
        # The summary: the second cell of a usage or a right.
        good = not bad and length > 0 and tabbed == (11 if kind == USAGE else 9)
        found = -1
        if tabbed > 2 or (tabbed == 2 and kind == USAGE):
            a = tabs[1] + 1
            b = tabs[2] if tabbed > 2 else end
            s_len = b - a
            if last_sum >= 0 and sum_ends[last_sum] - sum_starts[last_sum] == s_len:
                alike = True
                for i in range(s_len):
                    if sum_buf[sum_starts[last_sum] + i] != buf[a + i]:
                        alike = False
                        break
                if alike:
                    found = last_sum
            if found < 0:
                slot = np.int64(hash_of(buf, a, b, factors[0]) & np.uint64(sum_mask))
                while sum_slots[slot] >= 0 and found < 0:
                    held = sum_slots[slot]
                    if sum_ends[held] - sum_starts[held] == s_len:
                        found = held
                        for i in range(s_len):
                            if sum_buf[sum_starts[held] + i] != buf[a + i]:
                                found = -1
                                break
                    slot = (slot + 1) & sum_mask
            if found >= 0 and sum_known[found] > line:
                found = -1
            if found >= 0:
                last_sum = found
        if kind == RIGHT:
            if found < 0:
                good = False
            if good:
                if tabs[2] + 1 == tabs[3]:
                    good = False
                _, share_scale = amount(buf, tabs[5] + 1, tabs[6])
                net, net_scale = amount(buf, tabs[7] + 1, tabs[8])
                paid, paid_scale = amount(buf, tabs[8] + 1, end)
                if share_scale < 0 or net_scale < 0 or paid_scale < 0:
                    good = False
                if good:
                    sums[found, RIGHT_NET, net_scale, 0] += net & _LOW
                    sums[found, RIGHT_NET, net_scale, 1] += net >> 32
                    sums[found, RIGHT_AMOUNT, paid_scale, 0] += paid & _LOW
                    sums[found, RIGHT_AMOUNT, paid_scale, 1] += paid >> 32
                    sums[found, RIGHT_COUNT, 0, 0] += 1
            if not good or keep_rights:
                e_start[n_event], e_end[n_event], e_line[n_event] = start, end, line
                e_kind[n_event], e_index[n_event] = GOOD_RIGHT if good else RIGHT, found
                n_event += 1
            continue
        cells = u_cells[n_use]
        for i in range(12):
            cells[i] = tabs[i] + 1 if i < tabbed and i < _TABS else end + 1
        cells[11] = end + 1
        cells[12], cells[13] = start, end + 1
        work = -1
        ref, ref_len = cells[3], cells[4] - 1 - cells[3]
        if not bad and length > 0 and ref_len > 0 and n_work > first_work:
            if n_work - first_work <= _FEW:
                for k in range(first_work, n_work):
                    row = work_cells[k]
                    if work_ok[k] and row[2] - 1 - row[1] == ref_len and same(buf, row[1], ref, ref_len):
                        work = k
                        break
            else:
                work = slots[_slot(buf, ref, ref_len, block, work_cells, work_block, slots, factors[0])]
        if work < 0 or found < 0:
            good = False
        bearing, weight, confidence, outputs, scale = 0, -1, -1, -1, -1
        usages, units = 0, 0
        if good:
            a, b = cells[4], cells[5] - 1
            if b - a == 4 and buf[a] == 116 and buf[a + 1] == 114 and buf[a + 2] == 117 and buf[a + 3] == 101:
                bearing = 1
            elif not (
                b - a == 5
                and buf[a] == 102
                and buf[a + 1] == 97
                and buf[a + 2] == 108
                and buf[a + 3] == 115
                and buf[a + 4] == 101
            ):
                good = False
            usages = count(buf, cells[5], cells[6] - 1)
            if usages < 0:
                good = False
            a, b = cells[6], cells[7] - 1
            if b > a:
                weight = count(buf, a, b)
                # A weight without an output has nothing to sum to.
                if weight < 0 or weight > 1_000_000 or cells[2] == cells[3] - 1:
                    good = False
            a, b = cells[8], cells[9] - 1
            if b > a:
                confidence = count(buf, a, b)
                if confidence < 0 or confidence > 10_000:
                    good = False
            a, b = cells[9], cells[10] - 1
            if b > a:
                outputs = count(buf, a, b)
                if outputs < 0:
                    good = False
            a, b = cells[10], cells[11] - 1
            if b > a:
                units, scale = amount(buf, a, b)
                if scale < 0:
                    good = False
        u_line[n_use], u_work[n_use], u_usages[n_use], u_bearing[n_use] = line, work, usages, bearing
        u_weight[n_use], u_conf[n_use], u_outputs[n_use], u_sum[n_use] = weight, confidence, outputs, found
        u_units[n_use], u_scale[n_use] = units, scale
        u_status[n_use] = ACCEPTED if good else OPEN
        if good and weight >= 0:
            # The lines of one output mostly follow each other.
            a, length = cells[2], cells[3] - 1 - cells[2]
            if length != out_len or not same(buf, a, out_start, length):
                out_start, out_len = a, length
                out1, out2 = hash_of(buf, a, a + length, factors[0]), hash_of(buf, a, a + length, factors[1])
            u_h1[n_use], u_h2[n_use] = out1, out2
        if not good:
            e_start[n_event], e_end[n_event], e_line[n_event] = start, end, line
            e_kind[n_event], e_index[n_event] = USAGE, n_use
            n_event += 1
        n_use += 1
    state[0], state[1], state[2], state[3], state[4] = block_start, block_len, block_number, blocks, block
    return n_line, n_work, n_use, n_event, first_work


@numba.njit(cache=True, nogil=True)
def add_up(n: int, uses: Any, counts: Any, sums: Any) -> None:  # pragma: no cover - compiled
    """Adds the usages that are plainly right into counts[summary, low or high or lines], and allocated
    revenue into the sums.
    """
    _, _, u_usages, _, _, _, _, u_sum, u_units, u_scale, _, _, u_status, _ = uses
    for i in range(n):
        if u_status[i] != ACCEPTED:
            continue
        k, usages = u_sum[i], u_usages[i]
        counts[k, 0] += usages & _LOW
        counts[k, 1] += usages >> 32
        counts[k, 2] += 1
        if u_scale[i] >= 0:
            sums[k, NET, u_scale[i], 0] += u_units[i] & _LOW
            sums[k, NET, u_scale[i], 1] += u_units[i] >> 32
