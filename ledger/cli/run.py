"""Runs one command: the options of every command, the noun's module, errors in plain words, exit codes."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ledger.cli import streams
from ledger.cli.context import Context, Options, current, entered
from ledger.cli.output import Output
from ledger.cli.registry import NOUNS, OPTIONS, OWN_OPTIONS, epilog
from ledger.domain.errors import ExitCode, IncompleteError, LedgerError

#: What Typer makes of Ctrl-C.
_INTERRUPTED = 130
_AGAIN = "Run the same command again: nothing is done twice."
#: The disk, not the path, is the trouble: what was begun can be finished once there is room.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_FLAGS = {name for name, value, _ in OPTIONS if not value}
_VALUED = {name for name, value, _ in OPTIONS if value}


def run(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit code."""
    streams.prepare()
    debug = "--debug" in arguments
    out = Output(as_json="--json" in arguments)
    try:
        options, rest = split_options(arguments)
        code = _dispatch(options, rest, out)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output has gone: what it wanted it has.
        streams.drop_stdout()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        told = _in_words(error)
        try:
            out.failure(told)
            sys.stdout.flush()
        except OSError:
            # Nothing can be written where the answer belongs.
            streams.drop_stdout()
            with contextlib.suppress(OSError):
                Output(as_json=False).failure(told)
        return int(told.exit_code)


def _in_words(error: BaseException) -> LedgerError:
    """Any error as one of ours: what, where, why, what to do."""
    if isinstance(error, LedgerError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return IncompleteError("Interrupted.", remedy=_AGAIN)
    if isinstance(error, OSError):
        full = error.errno in _FULL
        return LedgerError(
            "Nothing can be written." if full else "A file or folder cannot be read or written.",
            str(error.filename or ""),
            error.strerror or str(error),
            f"{'Make room' if full else 'Check its name and who may read and write it'}. {_AGAIN}",
            ExitCode.INCOMPLETE if full else ExitCode.USAGE,
        )
    if isinstance(error, RecursionError):
        return LedgerError("A file that was read is nested too deeply.", remedy="Check the files given.")
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # pathlib's, for ~ and ~name
        return LedgerError(
            "No home directory is known for a path that begins with ~.",
            why=str(error),
            remedy="Write the path out, or set $HOME and give --home DIR.",
        )
    return LedgerError(
        f"A fault in licence-ledger: {type(error).__name__}.",
        why=str(error)[:500],
        remedy="Run it again with --debug and send us what it prints; nothing is done twice.",
        exit_code=ExitCode.FAULT,
    )


def _dispatch(options: Options, rest: list[str], out: Output) -> int:
    if rest == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"licence-ledger {version('licence-ledger')}\n")
        return 0
    if not rest and out.as_json:
        raise LedgerError("A command is needed.", remedy="See: licence-ledger --help")
    if not rest or rest[0] in ("--help", "-h", "help"):
        from ledger.cli.registry import overview

        sys.stdout.write(overview())
        return 0 if rest else int(ExitCode.USAGE)
    noun = rest[0]
    if noun not in NOUNS:
        raise _unknown(noun)
    module, verbs, _ = NOUNS[noun]
    out.command = " ".join(rest[: 2 if verbs else 1])
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise LedgerError(f"The command {noun} is not in this version.") from None
    with entered(Context(options, out.command)):
        return _typer(found, f"licence-ledger {noun}", rest[1:])


def _typer(module: object, name: str, arguments: list[str]) -> int:
    import typer

    try:
        command = typer.main.get_command(module.app)  # type: ignore[attr-defined]
        for verb in getattr(command, "commands", {}).values():
            verb.epilog = epilog()
        returned = command.main(args=arguments, prog_name=name, standalone_mode=False)
        if returned == _INTERRUPTED:
            raise KeyboardInterrupt
        return returned if isinstance(returned, int) else 0
    except SystemExit:
        # Typer's answer to a pipe that nobody reads any more.
        raise BrokenPipeError from None
    except typer.Exit as exit_:
        return int(exit_.exit_code)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except _click_errors() as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            if current().out.as_json:
                raise LedgerError("A verb is needed.", remedy=f"See: {name} --help") from None
            sys.stderr.write(f"{error}\n")
            return int(ExitCode.USAGE)
        context = getattr(error, "ctx", None)
        path = getattr(context, "command_path", name)
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        said, found, _ = said.partition("Input should be a valid integer")
        said += "a whole number is needed." if found else ""
        raise LedgerError(said, remedy=f"See: {path} --help") from None


def _click_errors() -> tuple[type[Exception], ...]:
    """What Typer raises for a wrong command line; newer versions carry a Click of their own."""
    import typer

    return tuple(
        one
        for one in typer.BadParameter.__mro__
        if one.__name__ == "ClickException" and issubclass(one, Exception)
    )


def _unknown(noun: str) -> LedgerError:
    import difflib

    near = difflib.get_close_matches(noun, NOUNS, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    return LedgerError(f"There is no command {noun!r}.", remedy=f"{hint}See: licence-ledger --help")


def split_options(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Takes the options of every command out of a command line, wherever they stand. Raises LedgerError."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    rest: list[str] = []
    given = list(arguments)
    while given:
        one = given.pop(0)
        name, equals, value = one.partition("=")
        if one == "--":
            rest += [one, *given]
            break
        if one in _FLAGS:
            flags.add(one)
        elif name in _VALUED and (" ".join(rest[:2]), name) not in OWN_OPTIONS:
            if not equals:
                if not given or given[0] in _FLAGS | _VALUED:
                    raise LedgerError(
                        f"The option {name} needs a value.", remedy="See: licence-ledger --help"
                    )
                value = given.pop(0)
            values[name] = value
        else:
            rest.append(one)
    for name in _VALUED - values.keys():
        variable = "LICENCE_LEDGER_" + name.removeprefix("--").replace("-", "_").upper()
        if held := os.environ.get(variable):
            values[name] = held
    return _options(flags, values), rest


def _options(flags: set[str], values: dict[str, str]) -> Options:
    chain_id = values.get("--chain-id", "")
    if chain_id and not (chain_id.isascii() and chain_id.isdigit() and len(chain_id) <= 20):
        raise LedgerError(
            f"{chain_id[:40]!r} is no chain id.", remedy="Give a number, such as --chain-id 31337."
        )
    home, password_file = values.get("--home"), values.get("--password-file")
    return Options(
        home=Path(home).expanduser() if home else None,
        rpc=values.get("--rpc", ""),
        chain_id=int(chain_id) if chain_id else None,
        files=values.get("--files", ""),
        account=values.get("--from", ""),
        password_file=Path(password_file).expanduser() if password_file else None,
        yes="--yes" in flags,
        json="--json" in flags,
        debug="--debug" in flags,
    )
