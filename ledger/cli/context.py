"""What every command has: its options, its output, its session, and the one way in which things are sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.output import Output
from ledger.cli.registry import NOUNS, epilog
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    import typer

    from ledger.chain.sender import Sender
    from ledger.operations.plan import Plan
    from ledger.operations.session import Session


@dataclass(frozen=True, slots=True)
class Options:
    """The options of every command."""

    home: Path | None = None
    rpc: str = ""
    chain_id: int | None = None
    files: str = ""
    account: str = ""
    password_file: Path | None = None
    yes: bool = False
    json: bool = False
    debug: bool = False


class Context:
    """One run of one command."""

    def __init__(self, options: Options, command: str) -> None:
        self.options = options
        self.out = Output(as_json=options.json, command=command)

    @cached_property
    def session(self) -> Session:
        """Home folder, chain, ledger, files and accounts; each is opened when it is first used."""
        from ledger.operations.session import Session, Settings

        options = self.options
        return Session(
            Settings(
                options.home,
                options.rpc,
                options.chain_id,
                options.files,
                options.account,
                options.password_file,
                ask_password if sys.stdin.isatty() else None,
            )
        )

    def close(self) -> None:
        """Gives back what was opened."""
        if "session" in self.__dict__:
            self.session.close()

    def say_once(self, key: str, text: str) -> None:
        """Tells something that is worth telling once: the home folder remembers."""
        marker = self.session.home.path / "told" / key
        if marker.exists():
            return
        self.out.say(f"Note: {text}")
        from ledger.chain.folders import write_whole

        with suppress(OSError):  # where nothing can be written it is told again
            write_whole(marker, b"")

    # ---- sending

    def may_send(self, plan: Plan) -> bool:
        """Shows the plan where it matters and says whether to go on: at once on the local chain, elsewhere
        by --yes.

        Where it says no it has ended the command: the plan and what the node thinks of it are printed,
        nothing is sent.
        """
        session, out = self.session, self.out
        for warning in plan.warnings:
            out.say(f"Note: {warning}")
        if session.is_local:
            return True
        if self.options.yes:
            for one in plan.effects:
                out.say(f"{one.who} {one.does} {one.what} {one.to}".rstrip())
            return True
        from ledger.operations.plan import rehearse

        rehearsal = rehearse(session, plan)
        if rehearsal.refused is not None:
            raise rehearsal.refused
        effects = [one.as_dict() for one in plan.effects]
        data = {"sent": False, "chain_id": session.rpc.chain_id, "plan": effects, "gas": rehearsal.gas}

        def show() -> None:
            rows = [(one.who, one.does, one.what, one.to) for one in plan.effects]
            out.table(
                ("who", "does", "what", "to"),
                rows,
                title=f"On chain {session.rpc.chain_id} this would be done",
            )
            out.say(f"Nothing was sent. Gas: about {rehearsal.gas:,}. Add --yes to send it.")

        out.result(data, show)
        return False

    @contextmanager
    def sender(self, account: str = "") -> Iterator[Sender]:
        """The sender of an account (--from by default), its progress shown."""
        told = 0

        def listen(what: str, count: int) -> None:
            nonlocal told
            told += 1
            if what in ("settling", "resent") and count:
                self.out.say(f"{what} {count} transactions of an earlier run")

        with self.session.sender(account, listen) as sender:
            yield sender


_current: list[Context] = []


def current() -> Context:
    """The context of the command that runs."""
    return _current[-1]


@contextmanager
def entered(context: Context) -> Iterator[Context]:
    """Makes a context the current one while a command runs."""
    _current.append(context)
    try:
        yield context
    finally:
        _current.pop()
        context.close()


def noun(name: str) -> typer.Typer:
    """The Typer application of a noun."""
    import typer

    _module, verbs, text = NOUNS[name]
    return typer.Typer(
        name=name,
        help=text[0].upper() + text[1:] + "." if verbs else None,
        epilog=epilog(),
        no_args_is_help=bool(verbs),
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def ask_password(question: str) -> str:
    """Asks at the terminal without showing what is typed."""
    from getpass import getpass

    return getpass(question)


def ask_new_password() -> str:
    """A new account's password: from the file or variable, else typed twice. Raises LedgerError."""
    from ledger.chain.keys import read_password

    context = current()
    prompt = context.session.settings.prompt
    first = read_password("New password: ", prompt, context.options.password_file)
    typed = (
        prompt is not None
        and context.options.password_file is None
        and "LICENCE_LEDGER_PASSWORD" not in os.environ
    )
    if typed and prompt is not None and prompt("The same again: ") != first:
        raise LedgerError("The two passwords differ.", remedy="Try again; no key was made.")
    return first


def read_bytes(path: Path | str, *, largest: int = 256 * 1024 * 1024) -> bytes:
    """A file that the user names; "-" is standard input. Raises LedgerError."""
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(largest + 1)
        else:
            with Path(path).expanduser().open("rb") as file:
                content = file.read(largest + 1)  # a device may go on for ever
    except OSError as error:
        raise LedgerError(
            "The file cannot be read.",
            str(path),
            error.strerror or str(error),
            "Check its name and who may read it.",
        ) from error
    if len(content) > largest:
        raise LedgerError(
            f"The file is larger than {largest:,} bytes.", str(path), remedy="Check that it is the one meant."
        )
    return content


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that the user asked for, whole or not at all. Raises LedgerError."""
    from ledger.chain.folders import write_whole

    remedy = "Give another name, or check who may write there."
    try:
        place = path.expanduser().resolve()
        if place.exists() and not place.is_file():
            # A device would be replaced by a file.
            raise LedgerError("The file cannot be written.", str(path), "What is there is no file.", remedy)
        write_whole(place, content)
    except OSError as error:
        raise LedgerError(
            "The file cannot be written.", str(path), error.strerror or str(error), remedy
        ) from error


def command(*parts: object) -> str:
    """A command to try next, as it would be typed."""
    import shlex

    home = current().options.home
    where = ["--home", str(home)] if home is not None and "LICENCE_LEDGER_HOME" not in os.environ else []
    return shlex.join(["licence-ledger", *map(str, parts), *where])


def one_of(values: Sequence[Any], what: str) -> Any:
    """The only value. Raises LedgerError where there is none or more than one."""
    if len(values) == 1:
        return values[0]
    raise LedgerError(f"There is no {what}." if not values else f"There is more than one {what}.")
