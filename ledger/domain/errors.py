"""The one family of errors of the ledger, and the collection of findings about a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    FAULT = 1
    USAGE = 2
    UNREACHABLE = 3
    AUDIT_FAILED = 4
    REVERTED = 5
    INCOMPLETE = 6


class LedgerError(Exception):
    """What went wrong, where, why, and what to do about it.

    `what` is a plain sentence; the other parts may be empty.
    """

    def __init__(
        self,
        what: str,
        where: str = "",
        why: str = "",
        remedy: str = "",
        exit_code: ExitCode = ExitCode.USAGE,
    ) -> None:
        self.what = what
        self.where = where
        self.why = why
        self.remedy = remedy
        self.exit_code = exit_code
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        parts = [head]
        if self.why:
            parts.append(f"Why: {self.why}")
        if self.remedy:
            parts.append(f"Remedy: {self.remedy}")
        return "\n".join(parts)

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "remedy": self.remedy,
            "exit_code": int(self.exit_code),
        }


class ValueRefused(LedgerError):
    """One value (an amount, an identifier, a field) is not acceptable."""


class UnreachableError(LedgerError):
    """No node answers, or it is on another chain."""

    def __init__(self, what: str, where: str = "", why: str = "", remedy: str = "") -> None:
        super().__init__(what, where, why, remedy, ExitCode.UNREACHABLE)


class AuditFailed(LedgerError):
    """Something proved does not match."""

    def __init__(self, what: str, where: str = "", why: str = "", remedy: str = "") -> None:
        super().__init__(what, where, why, remedy, ExitCode.AUDIT_FAILED)


class IncompleteError(LedgerError):
    """A batch stopped half way; running it again finishes it."""

    def __init__(self, what: str, where: str = "", why: str = "", remedy: str = "") -> None:
        super().__init__(what, where, why, remedy or "Run the same command again.", ExitCode.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw of a file. `where` is a line or a path such as `tiers[1].rate_ppm`."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.remedy})" if self.remedy else text

    def as_dict(self) -> dict[str, str]:
        """The finding as data for `--json`."""
        return {"where": self.where, "what": self.what, "remedy": self.remedy}


class FindingsError(LedgerError):
    """A file was refused whole; `findings` lists every flaw."""

    def __init__(self, what: str, findings: tuple[Finding, ...], where: str = "", remedy: str = "") -> None:
        self.findings = findings
        super().__init__(what, where, "", remedy or "Correct every line listed; nothing was sent or written.")

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n".join([head, *(f"  {finding}" for finding in self.findings), f"Remedy: {self.remedy}"])

    def as_dict(self) -> dict[str, object]:
        """The error with all its findings as data for `--json`."""
        return {**super().as_dict(), "findings": [finding.as_dict() for finding in self.findings]}


class Findings:
    """Collects the flaws of one file, so that all are reported together."""

    def __init__(self) -> None:
        self._all: list[Finding] = []

    def add(self, where: str, what: str, remedy: str = "") -> None:
        """Notes one flaw."""
        self._all.append(Finding(where, what, remedy))

    def add_error(self, where: str, error: LedgerError) -> None:
        """Notes a refused value at its place in the file."""
        self._all.append(Finding(where, error.what, error.remedy))

    def extend(self, findings: tuple[Finding, ...], prefix: str = "") -> None:
        """Takes over the flaws of a part, its places prefixed."""
        self._all.extend(Finding(prefix + one.where, one.what, one.remedy) for one in findings)

    def __len__(self) -> int:
        return len(self._all)

    def __bool__(self) -> bool:
        return bool(self._all)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._all)

    def all(self) -> tuple[Finding, ...]:
        """Every flaw, in the order in which it was found."""
        return tuple(self._all)

    def error(self, what: str, where: str = "", remedy: str = "") -> FindingsError:
        """The refusal with all flaws; `what` is such as "The catalogue was refused"."""
        count = len(self._all)
        suffix = "1 flaw" if count == 1 else f"{count:,} flaws"
        return FindingsError(f"{what}: {suffix}.", tuple(self._all), where, remedy)

    def raise_if_any(self, what: str, where: str = "", remedy: str = "") -> None:
        """Raises FindingsError with all flaws, if there is one."""
        if self._all:
            raise self.error(what, where, remedy)
