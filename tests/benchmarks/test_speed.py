"""The rows of the table of time and memory, and the sizes that the command chooses."""

import json
import re

import pytest

from benchmarks import __main__ as command
from benchmarks import speed, table


def test_a_miss_is_told_with_its_size() -> None:
    assert speed.least(20, 20) == "met"
    assert speed.least(15, 20) == "missed by 25 %"
    assert speed.most(1.5, 1.0) == "missed by 50 %"


def test_every_result_has_its_rows_and_every_row_its_figures() -> None:
    kept = table.results()
    named = {name.removesuffix("_small") for name in kept} - {"gas"}
    assert named <= set(speed.ROWS)
    shown = speed.off_chain(kept)
    for row, result in speed.rows(kept):
        assert row.job in shown
        assert re.search(r"\d", row.ours)
        assert str(result["date"]) in shown


def test_a_small_run_is_held_to_no_goal() -> None:
    kept = table.results()
    help_ = kept["help"]
    small = [row for row, _ in speed.rows({"help_small": help_})]
    assert [(row.goal, row.verdict) for row in small] == [("", "")]
    assert small[0].job.endswith("(small)")
    assert "small" not in speed.goals({"help_small": help_, "help": help_})


def test_large_sizes_need_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    for name in command.SIZED:
        monkeypatch.setitem(command.SIZED, name, lambda large, name=name: ran.append((name, large)))
    for held in (command.PARTS, command.LAST):
        for name in held:
            monkeypatch.setitem(held, name, lambda name=name: ran.append(name))
    command.main([])
    assert [one for one in ran if isinstance(one, tuple)] == [(name, False) for name in command.SIZED]
    assert {"gas", "send", "million", "tables"} <= {one for one in ran if isinstance(one, str)}
    assert "gas-snapshot" not in ran
    ran.clear()
    command.main(["--large"])
    assert ran == [*((name, True) for name in command.SIZED), "tables"]
    with pytest.raises(SystemExit):
        command.main(["nothing"])


def test_results_name_date_machine_and_goals() -> None:
    for name, result in table.results().items():
        assert {"date", "machine", "versions", "figures", "goals"} <= set(result), name
        assert "/" not in json.dumps(result["versions"]), name
