"""Runs one command: the options of every command, the noun's module, errors in plain words, exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ledger.cli.context import Context, Options, entered
from ledger.cli.output import Output
from ledger.cli.registry import NOUNS, OPTIONS, OWN_OPTIONS, epilog
from ledger.domain.errors import ExitCode, IncompleteError, LedgerError

#: What Typer makes of Ctrl-C.
_INTERRUPTED = 130
_FLAGS = {name for name, value, _ in OPTIONS if not value}
_VALUED = {name for name, value, _ in OPTIONS if value}


def run(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit code."""
    debug = "--debug" in arguments
    out = Output(as_json="--json" in arguments)
    try:
        options, rest = split_options(arguments)
        code = _dispatch(options, rest, out)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output has gone: what it wanted it has.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except LedgerError as error:
        if debug:
            raise
        out.failure(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        if debug:
            raise
        out.failure(
            IncompleteError("Interrupted.", remedy="Run the same command again: nothing is done twice.")
        )
        return int(ExitCode.INCOMPLETE)
    except Exception as error:
        if debug:
            raise
        fault = LedgerError(
            f"A fault in licence-ledger: {type(error).__name__}.",
            why=str(error)[:500],
            remedy="Run it again with --debug and send us what it prints; nothing is done twice.",
            exit_code=ExitCode.FAULT,
        )
        out.failure(fault)
        return int(ExitCode.FAULT)


def _dispatch(options: Options, rest: list[str], out: Output) -> int:
    if rest == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"licence-ledger {version('licence-ledger')}\n")
        return 0
    if not rest or rest[0] in ("--help", "-h", "help"):
        from ledger.cli.registry import overview

        sys.stdout.write(overview())
        return 0
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
                if not given:
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
    if chain_id and not (chain_id.isascii() and chain_id.isdigit()):
        raise LedgerError(f"{chain_id!r} is no chain id.", remedy="Give a number, such as --chain-id 31337.")
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
