"""The benchmark of sending does what it says: the import and the loop book the same reports."""

import pytest

from benchmarks import send
from ledger.operations.reports import TOGETHER


# Said by the import of web3.
@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")
def test_import_and_loop_book_every_report() -> None:
    reports = 2 * send.LICENCES
    send.imported(reports, 1)  # both end the process unless the chain has all reports
    _, transactions = send.looped(reports, TOGETHER)
    assert transactions == send.LICENCES
