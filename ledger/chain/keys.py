"""Keys: encrypted key files, passwords that never stand in an argument, and anvil's published keys for test
chains.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ledger.chain.folders import home_folder, private_folder
from ledger.chain.rpc import Rpc
from ledger.chain.signing import Signer
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError

KEYS_VARIABLE = "LICENCE_LEDGER_KEYS"
PASSWORD_VARIABLE = "LICENCE_LEDGER_PASSWORD"
SUFFIX = ".keystore.json"
#: No name begins as an address does: wherever an account is named an address may stand.
_NAME = re.compile(r"(?!0x)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: Published by anvil in its banner: everybody has them, so they are refused off a local chain.
_DEV_KEYS = (
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
)

Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Account:
    """A key file: the account's name, address and place."""

    name: str
    address: str
    path: Path


def dev_signer(number: int) -> Signer:
    """One of anvil's ten published keys, for test chains."""
    if not 0 <= number < len(_DEV_KEYS):
        raise LedgerError(f"There is no account dev:{number}.", remedy="Take dev:0 to dev:9.")
    return Signer(bytes.fromhex(_DEV_KEYS[number]))


def is_dev_address(address: str) -> bool:
    """Whether the address belongs to one of anvil's published keys."""
    return any(dev_signer(number).address == address.lower() for number in range(len(_DEV_KEYS)))


def keys_folder(folder: Path | None = None) -> Path:
    """Where key files lie: the folder given, else $LICENCE_LEDGER_KEYS, else below the ledger's home."""
    if folder is not None:
        return folder.expanduser()
    if named := os.environ.get(KEYS_VARIABLE):
        return Path(named).expanduser()
    return home_folder() / "keys"


def list_accounts(folder: Path | None = None) -> list[Account]:
    """The key files of the folder, by name. Files that are none are passed over."""
    found = []
    for path in sorted(keys_folder(folder).glob(f"*{SUFFIX}")):
        try:
            found.append(_account(path))
        except LedgerError:
            continue
    return found


def new_account(name: str, password: str, folder: Path | None = None, *, work: int | None = None) -> Account:
    """Makes a key from the system's randomness and writes its encrypted file. Refuses a name that is taken.

    `work`: scrypt's n, a power of two; the default takes about a second to unlock.
    """
    return _write(name, secrets.token_bytes(32), password, folder, work)


def import_account(
    name: str, key: str, password: str, folder: Path | None = None, *, work: int | None = None
) -> Account:
    """Encrypts a key given as hexadecimal digits. Refuses a name that is taken."""
    digits = key.strip().removeprefix("0x")
    if not re.fullmatch("[0-9a-fA-F]{64}", digits):
        raise LedgerError("This is no private key.", remedy="A key is 0x and 64 hexadecimal digits.")
    return _write(name, bytes.fromhex(digits), password, folder, work)


def import_file(name: str, path: Path, password: str, folder: Path | None = None) -> Account:
    """Takes over another program's encrypted key file (Web3 Secret Storage), by its password."""
    key = _decrypt(path, password)
    return _write(name, key, password, folder, None)


def unlock(
    name: str,
    folder: Path | None = None,
    *,
    prompt: Prompt | None = None,
    password_file: Path | None = None,
) -> Signer:
    """Decrypts a key file. Raises LedgerError for a missing file, a missing or wrong password."""
    path = _there(name, folder)
    return Signer(_decrypt(path, read_password(f"Password of {name}: ", prompt, password_file)))


def address_of(name: str, folder: Path | None = None) -> str:
    """The address that an account's key file states. Raises LedgerError for a missing or damaged file."""
    return _account(_there(name, folder)).address


def read_password(question: str, prompt: Prompt | None = None, file: Path | None = None) -> str:
    """The password: from the file, else $LICENCE_LEDGER_PASSWORD, else asked for, else LedgerError."""
    if file is not None:
        try:
            # One line break at the end belongs to the editor, not to the password.
            return file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            why = "It is no text in UTF-8." if isinstance(error, ValueError) else error.strerror or str(error)
            raise LedgerError(
                "The password file cannot be read.", str(file), why, "Name a file that holds the password."
            ) from error
    if (held := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return held
    if prompt is not None:
        return prompt(question)
    raise LedgerError(
        "The key file is locked and no password was given.",
        why="There is no terminal to ask at.",
        remedy=f"Give --password-file FILE, or set ${PASSWORD_VARIABLE}.",
    )


def resolve(
    account: str,
    rpc: Rpc,
    folder: Path | None = None,
    *,
    prompt: Prompt | None = None,
    password_file: Path | None = None,
) -> Signer:
    """The signer of an account: `dev:0` to `dev:9` on a local chain, else the name of a key file.

    Anvil's published keys are refused on every other chain, in whichever way they are given.
    """
    if account.startswith("dev:"):
        if not re.fullmatch("[0-9]{1,3}", account[4:], re.ASCII):
            raise LedgerError(f"There is no account {account}.", remedy="Take dev:0 to dev:9.")
        _refuse_published(account, rpc)
        return dev_signer(int(account[4:]))
    signer = unlock(account, folder, prompt=prompt, password_file=password_file)
    if is_dev_address(signer.address):
        _refuse_published(account, rpc)
    return signer


def _refuse_published(account: str, rpc: Rpc) -> None:
    if not rpc.is_local:
        raise LedgerError(
            f"{account} is one of anvil's published keys, and this is not a local chain.",
            f"chain {rpc.chain_id}",
            "Everybody has these keys: whatever they hold on a public chain is stolen at once.",
            "Make a key of your own: `licence-ledger key new NAME`.",
        )


def _path(name: str, folder: Path | None) -> Path:
    if not _NAME.fullmatch(name):
        raise LedgerError(
            f"{name!r} cannot name an account.", remedy="Use letters, digits, dots, dashes and underscores."
        )
    return keys_folder(folder) / f"{name}{SUFFIX}"


def _there(name: str, folder: Path | None) -> Path:
    """The account's key file. Raises LedgerError where there is none."""
    there = ", ".join(one.name for one in list_accounts(folder)) or "none"
    if not _NAME.fullmatch(name):
        raise LedgerError(
            f"There is no account {name}.", str(keys_folder(folder)), remedy=f"Accounts there: {there}."
        )
    path = _path(name, folder)
    if not path.is_symlink() and not path.exists():
        raise LedgerError(
            f"There is no account {name}.",
            str(keys_folder(folder)),
            remedy=f"Accounts there: {there}. Make one: `licence-ledger key new {name}`.",
        )
    return path


def _write(name: str, key: bytes, password: str, folder: Path | None, work: int | None) -> Account:
    from eth_account import Account as Keystore

    path = _path(name, folder)
    if not password:
        raise LedgerError("An empty password protects nothing.", remedy="Choose one.")
    if path.exists():
        raise _taken(name, path)
    address = Signer(key).address
    held = Keystore.encrypt(key, password, iterations=work)
    private_folder(path.parent)
    try:
        # O_EXCL: two processes never write one name.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _taken(name, path) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(held))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Account(name, address, path)


def _taken(name: str, path: Path) -> LedgerError:
    return LedgerError(
        f"There is an account {name} already.",
        str(path),
        remedy="Choose another name; key files are never replaced.",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        held = orjson.loads(path.read_bytes())
    except OSError as error:
        raise LedgerError(
            "The key file cannot be read.",
            str(path),
            error.strerror or str(error),
            "Check its name and who may read it.",
        ) from error
    except ValueError:
        held = None
    if not isinstance(held, dict) or not isinstance(held.get("address"), str):
        raise LedgerError(
            "This is no key file.", str(path), remedy="Web3 Secret Storage, version 3, is expected."
        )
    return held


def _account(path: Path) -> Account:
    digits = _read(path)["address"].lower().removeprefix("0x")
    if not re.fullmatch("[0-9a-f]{40}", digits, re.ASCII):
        raise LedgerError(
            "The key file is damaged.", str(path), "What it states is no address.", "Take it from a backup."
        )
    return Account(path.name.removesuffix(SUFFIX), "0x" + digits, path)


def _decrypt(path: Path, password: str) -> bytes:
    held = _read(path)
    from eth_account import Account as Keystore

    stated = _account(path).address
    try:
        key = bytes(Keystore.decrypt(held, password))
        found = Signer(key).address
    except (KeyError, TypeError, ValueError, NotImplementedError) as error:
        if "mismatch" in str(error):  # the MAC of version 3, the checksum of version 4
            raise LedgerError(
                "The password is wrong.",
                str(path),
                remedy="Try again; nothing was sent. Without the password the key cannot be recovered.",
            ) from None
        raise LedgerError(
            "The key file is damaged.", str(path), str(error), "Take it from a backup."
        ) from error
    if found != stated:  # the format's own check covers neither the address nor the initial vector
        raise LedgerError(
            f"The key file is damaged: it states {checksum_address(stated)} and holds the key of "
            f"{checksum_address(found)}.",
            str(path),
            remedy="Take it from a backup; nothing was sent.",
        )
    return key
