"""What nobody did, and files that nobody gave: a gap is told as a gap (P-14)."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from _weighted_pool import (
    LICENSEE,
    LICENSOR,
    OPEN_MONTH,
    duties,
    found,
    honest,
    step,
)

# ---- what nobody paid


def test_a_page_that_is_published_and_credited_but_never_paid(pool):
    """Since when, and how much waits for its payees."""
    assert duties(pool.audit()[1], "page never paid") == []
    folder, units = honest(pool)
    tree = pool.post_split(folder, list(units.items()))
    pool.after("2024-09-10")
    pool.settle(OPEN_MONTH)
    since = int(pool.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    pool.after("2024-12-20")
    pool.rpc.call("anvil_mine", "0x1")
    code, verdict = pool.audit()
    (page,) = duties(verdict, "page never paid")
    assert (code, page["split"], page["since"]) == (0, "0x" + tree.id.hex(), since)
    assert int(page["amount"]) == sum(units.values())
    assert "published and credited" in page["what"]


def test_credits_that_nobody_recorded_at_all(pool):
    """A licence whose outputs are to be credited: revenue is booked, and by its report date no output is."""
    terms = pool._terms(
        {"catalogue": 1, "works_root": "0x" + pool.manifest()[0].hex()},
        scope=["COMMERCIAL_OUTPUT"],
        duties={
            "reporting_period": "MONTH",
            "days_to_report": 10,
            "days_to_pay": 20,
            "attribution": "PER_OUTPUT",
        },
    )
    offer = pool.folder / "second.json"
    pool.do("licence", "offer", terms, "--out", offer, account=LICENSOR)
    second = pool.do("licence", "accept", offer, account=LICENSEE)["licence"]
    pool.do("report", "submit", second, "50", "--pay", account=LICENSEE)
    assert not [one for one in duties(pool.audit()[1], "missing credits") if one["licence"] == second]
    pool.after("2024-09-13")
    pool.rpc.call("anvil_mine", "0x1")
    (fact,) = [one for one in duties(pool.audit()[1], "missing credits") if one["licence"] == second]
    assert (fact["period"], fact["who"]) == (0, pool.books().licences.holders[second])
    assert "no output is credited by its report date" in fact["what"]


def test_money_that_waits_for_a_call_that_anyone_may_make(pool):
    """Posted and not settled; not posted at all; held for longer than 730 days: how much waits, and since when."""
    folder, units = honest(pool)
    assert duties(pool.audit()[1], "no distribution posted") != []
    pool.post_split(folder, list(units.items()))
    pool.after("2024-09-10")
    pool.rpc.call("anvil_mine", "0x1")
    verdict = pool.audit()[1]
    (waits,) = duties(verdict, "distribution not settled")
    assert (waits["period"], int(waits["amount"])) == (OPEN_MONTH, sum(units.values()))
    (nothing,) = duties(verdict, "no distribution posted")
    assert (nothing["period"], nothing["who"]) == (5, pool.books().catalogues.owner_of(1))
    pool.after("2027-01-01")
    pool.rpc.call("anvil_mine", "0x1")
    (held,) = duties(pool.audit()[1], "held money not released")
    assert (held["period"], int(held["amount"]) > 0) == (0, True)


# ---- files that nobody gave


def test_files_that_are_missing_are_told_loudly_and_fail_only_where_required(pool, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    code, verdict = pool.audit("--files", empty)
    assert (code, verdict["passed"]) == (0, True)
    kinds = {one["kind"] for one in verdict["missing"]}
    assert kinds == {"report file", "usage report", "works manifest", "terms document", "attribution file"}
    many = len(verdict["missing"])
    assert verdict["verdict"].endswith(f"NOT COVERED: {many} files are missing")
    for name in ("manifests", "reports", "distributions", "attributions"):
        told = step(verdict, f"files of {name}")
        assert (told["status"], told["compared"]) == ("NOTE", 0)
        assert "NOT COVERED for want of files" in told["detail"]
    code, verdict = pool.audit("--files", empty, "--require-files")
    assert (code, len(found(verdict, "missing-file"))) == (4, many)
    assert step(verdict, "files of reports")["status"] == "FAIL"


def test_one_licence_alone_asks_for_its_files_alone(pool, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    pool.do("licence", "offer", pool._terms(
        {"catalogue": 1, "works_root": "0x" + pool.manifest()[0].hex()},
        scope=["INDEX"]), "--out", pool.folder / "second.json", account=LICENSOR)  # fmt: skip
    second = pool.do("licence", "accept", pool.folder / "second.json", account=LICENSEE)["licence"]
    _, verdict = pool.audit("--files", empty, "--licence", second)
    assert {one["kind"] for one in verdict["missing"]} == {"works manifest"}


def test_a_bundle_is_verified_with_the_files_beside_it(pool, tmp_path):
    """The bundle holds entries and proofs; the files lie in the store."""
    bundle, empty = tmp_path / "ledger.bundle", tmp_path / "empty"
    empty.mkdir()
    anchor = pool.anchor()
    assert pool.audit("--bundle", bundle)[0] == 0
    code, envelope = pool.run("audit", "verify", bundle, "--anchor", anchor)
    assert (code, step(envelope["data"], "files of distributions")["status"]) == (0, "PASS")
    code, envelope = pool.run(
        "audit", "verify", bundle, "--anchor", anchor, "--files", empty, "--require-files"
    )
    assert code == 4


def test_a_store_that_is_read_by_url(pool, tmp_path):
    """What DIR holds may be served; the usage report's folder is copied and checked like any other."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(pool.files)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        code, verdict = pool.audit("--files", f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (code, verdict["missing"]) == (0, [])
    told = step(verdict, "files of distributions")
    assert (told["status"], told["compared"]) == ("PASS", 5)
