"""The ledger's home folder: chain state, keys, files, books of deployments, outboxes, and the user's
defaults.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.folders import home_folder
from ledger.domain.errors import LedgerError

_KEYS = {"rpc": str, "chain_id": int, "from": str, "files": str}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What config.toml in the home folder says; options of a command come before it."""

    rpc: str = ""
    chain_id: int | None = None
    account: str = ""
    files: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The places below the home folder. None need exist yet."""

    path: Path

    @classmethod
    def find(cls, named: Path | None = None) -> Home:
        """The folder named, else $LICENCE_LEDGER_HOME, else the user's data folder."""
        return cls((named or home_folder()).expanduser().absolute())

    @property
    def chain(self) -> Path:
        """State of the local chain."""
        return self.path / "chain"

    @property
    def keys(self) -> Path:
        """Encrypted key files."""
        return self.path / "keys"

    @property
    def files(self) -> Path:
        """Terms, manifests and reports, by content hash."""
        return self.path / "files"

    def defaults(self) -> Defaults:
        """What config.toml says. Raises LedgerError for one that cannot be read."""
        path = self.path / "config.toml"
        try:
            held = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Defaults()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise LedgerError(
                "The defaults cannot be read.", str(path), str(error), "Correct the file."
            ) from error
        for name, value in held.items():
            kind = _KEYS.get(name)
            if kind is None or type(value) is not kind:
                raise LedgerError(
                    f"The defaults hold {name} = {value!r}.",
                    str(path),
                    remedy="Known are rpc, from and files (texts) and chain_id (a number).",
                )
        return Defaults(
            held.get("rpc", ""), held.get("chain_id"), held.get("from", ""), held.get("files", "")
        )
