"""A holder is an address, an account or a name of a manifest; dates narrow duties under the issue's names."""

from __future__ import annotations

from datetime import UTC, datetime

from _scene import ANN


def test_a_name_of_a_manifest_is_its_payee(scene):
    by_name = scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", "Ann")
    by_address = scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", ANN)
    assert by_name["holdings"] == by_address["holdings"] != []
    account = scene.do("audit", "run", "--anchor", scene.anchor(), "--holder", "dev:3")
    assert account["holdings"] == scene.do("audit", "run", "--holder", scene.holder)["holdings"] != []


def test_a_name_that_nobody_has_or_that_has_no_address_is_refused(scene):
    code, envelope = scene.run("audit", "run", "--holder", "Cy")
    assert (code, envelope["error"]["what"]) == (2, "'Cy' has 0 payees in the manifests.")
    code, envelope = scene.run("audit", "run", "--holder", "Nobody at all")
    assert code == 2
    code, envelope = scene.run("audit", "run", "--holder", "0x12")
    assert code == 2


def day(time: int) -> str:
    return str(datetime.fromtimestamp(time, UTC).date())


def test_from_is_a_date_for_an_audit_and_the_account_for_all_else(scene):
    anchor = scene.anchor()
    every = scene.do("audit", "run", "--anchor", anchor)["duties"]
    times = sorted(one["since"] for one in every)
    first, last = day(times[1]), day(times[-1])
    some = scene.do("audit", "run", "--anchor", anchor, "--from", first, f"--to={last}")["duties"]
    assert 0 < len(some) < len(every)
    assert all(first <= day(one["since"]) <= last for one in some)
    code, envelope = scene.run("payout", "run", "--from", "2024-06-01")
    assert (code, "2024-06-01" in envelope["error"]["what"]) == (2, True)
