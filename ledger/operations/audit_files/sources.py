"""All checks of files, in the order in which they build on each other."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.audit.engine import Audit
from ledger.audit.findings import NOTE, Step
from ledger.operations.audit_files.attributions import check_attributions
from ledger.operations.audit_files.desk import Desk
from ledger.operations.audit_files.distributions import check_distributions
from ledger.operations.audit_files.manifests import check_manifests
from ledger.operations.audit_files.reports import check_reports
from ledger.operations.audit_files.usage import UsageReports
from ledger.operations.files import FileStore


def check_sources(audit: Audit, files: FileStore, *, require: bool = False) -> None:
    """Adds the steps over files to the verdict of an audit that has run. `require`: missing files are findings.

    Raises LedgerError only for a store that cannot be used at all.
    """
    if not audit.replayed:
        return
    with TemporaryDirectory(prefix="licence-ledger-") as place:
        desk = Desk(audit, files, Path(place), strict=require)
        usage = UsageReports(desk)
        check_manifests(desk)
        check_reports(desk)
        check_distributions(desk, usage)
        check_attributions(desk, usage)
    verdict = audit.verdict
    for place_of, one in enumerate(verdict.steps):
        if one.name == "duties":
            many = len(verdict.duties)
            detail = "late, missing or overdue" if many else "none is late or overdue"
            verdict.steps[place_of] = Step("duties", NOTE, many, detail=detail)
