"""The command line itself: help, options, errors, output."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from _command import HELD
from jsonschema import Draft202012Validator

from ledger.cli import registry
from ledger.cli.context import read_bytes, write_new
from ledger.cli.output import Output, clean, date, jsonable
from ledger.cli.run import split_options
from ledger.domain.errors import LedgerError

COMMAND = [sys.executable, "-m", "ledger.cli"]


def _child_cpu() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def test_help_imports_nothing_heavy(record_property):
    before = _child_cpu()
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    record_property("help CPU seconds", round(_child_cpu() - before, 3))
    for noun in registry.NOUNS:
        assert f"  {noun} " in shown
    loaded = "import sys; from ledger.cli import main; main(['--help']); print(sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stdout
    for heavy in ("typer", "click", "rich", "pydantic", "httpx", "numba", "web3", "ledger.chain"):
        assert f"'{heavy}'" not in modules


def test_help_cpu_is_reported(capsys):
    spent = []
    for _ in range(5):
        before = _child_cpu()
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        spent.append(_child_cpu() - before)
    with capsys.disabled():
        print(f"\nlicence-ledger --help: {min(spent):.3f} s CPU")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_succeeds(run, arguments):
    assert run(*arguments).out == registry.overview()


def test_nothing_given_shows_help_and_is_a_usage_error(run):
    ran = run()
    assert (ran.code, ran.out) == (2, registry.overview())


@pytest.mark.parametrize(("arguments", "missing"), [([], "A command"), (["report"], "A verb")])
def test_what_is_missing_is_told_as_json_too(run, arguments, missing):
    ran = run(*arguments, json=True)
    assert (ran.code, ran.error["what"]) == (2, f"{missing} is needed.")
    assert "--help" in ran.error["remedy"]


def test_a_noun_alone_shows_its_help(run):
    ran = run("chain")
    assert ran.code == 2
    assert "status" in ran.err


@pytest.mark.parametrize(
    ("noun", "verb"),
    [
        (noun, verb)
        for noun in ("chain", "key", "token", "catalogue", "licence")
        for verb in registry.NOUNS[noun][1].split()
    ],
)
def test_every_verb_has_help(run, noun, verb):
    ran = run(noun, verb, "--help")
    assert ran.code == 0
    assert "--rpc" in ran.out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["chian", "status"], "chain"), (["licenses"], "licence"), (["catalog", "show"], "catalogue")],
)
def test_unknown_commands_are_answered_with_the_nearest(run, typed, meant):
    ran = run(*typed, json=True)
    assert ran.code == 2
    assert f"Did you mean {meant}?" in ran.error["remedy"]


def test_unknown_verbs_and_options_are_usage_errors(run):
    assert "Did you mean" in run("chain", "strt", json=True).error["what"]
    assert "--frobnicate" in run("chain", "status", "--frobnicate", json=True).error["what"]
    assert run("chain", "advance", json=True).code == 2


def test_options_stand_anywhere():
    options, rest = split_options(
        ["--json", "licence", "--rpc=http://a:1", "show", "--chain-id", "5", "7", "--yes"]
    )
    assert rest == ["licence", "show", "7"]
    assert (options.json, options.yes, options.rpc, options.chain_id) == (True, True, "http://a:1", 5)


def test_options_fall_back_to_the_environment(monkeypatch):
    monkeypatch.setenv("LICENCE_LEDGER_RPC", "http://a:1")
    monkeypatch.setenv("LICENCE_LEDGER_FROM", "dev:3")
    options, _ = split_options(["--from", "dev:4"])
    assert (options.rpc, options.account) == ("http://a:1", "dev:4")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rpc"],
        ["--rpc", "--json"],
        ["chain", "--chain-id", "x"],
        ["chain", "--chain-id", "\u00b2"],
        ["chain", "--chain-id", "9" * 5_000],
    ],
)
def test_options_without_or_with_bad_values(arguments):
    with pytest.raises(LedgerError):
        split_options(arguments)


def test_a_fault_shows_no_traceback_unless_asked(run, monkeypatch):
    from ledger.chain import node

    def broken(folder):
        raise RuntimeError("boom")

    monkeypatch.setattr(node, "node_status", broken)
    ran = run("chain", "status")
    assert (ran.code, ran.out) == (1, "")
    assert "boom" in ran.err
    with pytest.raises(RuntimeError):
        run("chain", "status", debug=True)


def test_an_interrupt_says_that_it_can_be_run_again(run, monkeypatch):
    from ledger.chain import node

    def interrupted(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(node, "node_status", interrupted)
    ran = run("chain", "status", json=True)
    assert ran.code == 6
    assert "Run the same command again" in ran.error["remedy"]


def test_a_reader_that_goes_away_is_no_error():
    line = f"{sys.executable} -m ledger.cli chain status | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Mélodie · 音楽", "Mélodie · 音楽"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\nb\rc", "a\\nb\\rc"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_terminal_escapes_are_written_out(text, shown):
    assert clean(text) == shown


def test_escapes_and_markup_of_outside_names_do_nothing_in_tables(capsys):
    Output(as_json=False).table(("name",), [("\x1b[31m[bold]red[/bold]",)])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[bold]red[/bold]" in shown


def test_json_keeps_every_digit():
    assert jsonable({"a": 2**128, "b": b"\x01", "c": (1, None, True)}) == {
        "a": str(2**128),
        "b": "0x01",
        "c": [1, None, True],
    }


def test_dates_are_utc():
    assert date(1_704_067_200) == "2024-01-01 UTC"
    assert date(1_704_067_201) == "2024-01-01 00:00:01 UTC"
    assert date(2**60) == str(2**60)


def test_schemas_are_schemas():
    assert {"envelope.json", "common.json"} < set(HELD)
    for held in HELD.values():
        Draft202012Validator.check_schema(held)


def test_standard_input_is_read(on, monkeypatch, manifest):
    stream = io.TextIOWrapper(io.BytesIO(manifest.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    ran = on("catalogue", "publish", "-", account="dev:0", json=True)
    assert ran.data["payees"] == 3


def test_the_program_runs_as_a_process(node):
    ran = subprocess.run(
        [*COMMAND, "licence", "list", "--json", "--rpc", node.url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(ran.stdout)["data"] == {"licences": []}
    assert ran.stderr == ""


def test_time_of_a_command(node, capsys):
    start = time.perf_counter()
    subprocess.run([*COMMAND, "licence", "list", "--rpc", node.url], capture_output=True, check=True)
    with capsys.disabled():
        print(f"\nlicence-ledger licence list: {time.perf_counter() - start:.2f} s")


def test_a_number_that_is_none_is_told_in_plain_words(run):
    ran = run("licence", "show", "abc", json=True)
    assert (ran.code, ran.error["what"]) == (2, "Invalid value for 'number': a whole number is needed.")


# ---- files, folders and streams


@pytest.mark.parametrize("name", ["", "folder", "/dev/null", "file/below"])
def test_a_place_where_no_file_can_be_written(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(LedgerError, match="cannot be written") as told:
        write_new(Path(name), b"new")
    assert told.value.why
    assert told.value.remedy
    assert Path("/dev/null").is_char_device()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_new(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["", "missing", "folder", "dangling", "loop"])
def test_a_file_that_cannot_be_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(LedgerError, match="cannot be read") as told:
        read_bytes(name)
    assert told.value.why
    assert told.value.remedy


def test_a_device_without_an_end_is_too_large():
    with pytest.raises(LedgerError, match="larger than 1,000 bytes"):
        read_bytes("/dev/zero", largest=1_000)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_where_the_home_folder_belongs(run, tmp_path, name):
    (tmp_path / "file").write_text("kept")
    ran = run("chain", "start", home=tmp_path / name, json=True)
    assert (ran.code, ran.error["what"]) == (2, "A file or folder cannot be read or written.")
    assert str(tmp_path / "file") in ran.error["where"]
    assert ran.error["why"]
    assert ran.error["remedy"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_where_the_store_of_files_belongs(on, manifest, unsent):
    ran = on("catalogue", "create", manifest, files=manifest, account="dev:0", json=True)
    assert (ran.code, str(manifest) in ran.error["where"], unsent()) == (2, True, 0)


def test_paths_of_a_home_that_nobody_has(run, tmp_path):
    for arguments in (["key", "list", "--home", "~no-such-user/x"], ["report", "import", "~no-such-user/x"]):
        ran = run(*arguments, json=True)
        assert (ran.code, "begins with ~" in ran.error["what"], "$HOME" in ran.error["remedy"]) == (
            2,
            True,
            True,
        )


def test_a_program_without_any_home_still_says_what_is_missing(run, tmp_path, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda number: (_ for _ in ()).throw(KeyError(number)))
    assert run("doctor", home=tmp_path / "home", json=True).code == 0
    assert run("key", "list", home=tmp_path / "home", json=True).code == 0


def _child(code: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *code.split()], capture_output=True, env={**os.environ, **settings}, check=False
    )


def test_a_stream_that_lacks_letters_gets_them_escaped(tmp_path):
    home = tmp_path / "h\u00e9"
    for encoding in ("ascii", "latin-1"):
        told = _child(f"key list --home {home} --json", PYTHONIOENCODING=encoding)
        assert json.loads(told.stdout)["data"]["folder"] == str(home / "keys")
        told = _child("balance \u6f22 --rpc http://127.0.0.1:1", PYTHONIOENCODING=encoding)
        assert (told.returncode, b"UnicodeEncodeError" in told.stderr) == (3, False)


@pytest.mark.parametrize("options", ["", " --json"])
def test_output_that_cannot_be_written_is_told_once(tmp_path, options):
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(
            [*COMMAND, *f"chain status --home {tmp_path}{options}".split()],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert told.returncode == 6
    assert told.stderr.count(b"Error: Nothing can be written.") == 1
    assert b"Traceback" not in told.stderr
    assert b"Exception ignored" not in told.stderr


def test_closed_streams_are_no_fault(tmp_path):
    line = " ".join([*COMMAND, "key", "list", "--home", str(tmp_path)])
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        told = subprocess.run(["/bin/sh", "-c", f"{line} {closed}"], capture_output=True, check=False)
        assert (told.returncode, b"Traceback" in told.stderr) == (0, False), closed
