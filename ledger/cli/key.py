"""licence-ledger key: encrypted accounts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.context import ask_new_password, command, current, noun
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError

app = noun("key")
Name = Annotated[str, typer.Argument(help="Name of the account: letters, digits, dots, dashes.")]


@app.command()
def new(name: Name) -> None:
    """Makes a key and keeps it encrypted. The password is asked for, or read from --password-file."""
    from ledger.chain import keys

    account = keys.new_account(name, ask_new_password(), current().session.keys_folder)
    _tell(account.name, account.address, account.path)


@app.command("import")
def import_(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Option(help="Another program's encrypted key file; without it the key itself is asked for."),
    ] = None,
) -> None:
    """Takes over a key from an encrypted file, or typed or piped in (never as an argument), and encrypts
    it.
    """
    import sys

    from ledger.chain import keys

    context = current()
    folder, prompt = context.session.keys_folder, context.session.settings.prompt
    if file is not None:
        password = keys.read_password(f"Password of {file.name}: ", prompt, context.options.password_file)
        account = keys.import_file(name, file.expanduser(), password, folder)
    else:
        if (
            prompt is None
            and context.options.password_file is None
            and keys.PASSWORD_VARIABLE not in os.environ
        ):
            raise LedgerError(
                "The key is piped in, so the password cannot be asked for.",
                remedy="Give --password-file FILE.",
            )
        try:
            key = prompt("Private key: ") if prompt is not None else sys.stdin.readline()
        except UnicodeDecodeError:
            key = ""  # what is no text is no key
        account = keys.import_account(name, key, ask_new_password(), folder)
    _tell(account.name, account.address, account.path)


@app.command("list")
def list_() -> None:
    """Lists the accounts: names, addresses, files."""
    from ledger.chain import keys

    out, folder = current().out, current().session.keys_folder
    accounts = keys.list_accounts(folder)
    rows = [
        {"name": one.name, "address": checksum_address(one.address), "path": str(one.path)}
        for one in accounts
    ]

    def show() -> None:
        if rows:
            out.table(("name", "address"), [(one["name"], one["address"]) for one in rows])
        else:
            out.say(f"No accounts in {folder}.")

    out.result({"folder": str(folder), "accounts": rows}, show, after=[command("key", "new", "NAME")])


def _tell(name: str, address: str, path: Path) -> None:
    out = current().out
    data = {"name": name, "address": checksum_address(address), "path": str(path)}

    def show() -> None:
        out.fields([("name", name), ("address", data["address"]), ("file", path)])
        out.say("Keep a copy of the file and the password: without both, what the account holds is lost.")

    out.result(data, show, after=[command("balance", data["address"])])
