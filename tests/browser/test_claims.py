"""The claim button, with a wallet that the real chain backs: the money arrives, or nothing happens and it says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import _forge as forge
import pytest
from _wallet import Wallet, refusal

from ledger.chain.keys import dev_signer

OWED = 100_000_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hosted(built) -> Iterator[str]:
    """The built site on a plain web server, below a folder: `serve` would take up what is set back after the test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=built.parent))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def wallet(spent) -> Wallet:
    """The holder's."""
    return Wallet(spent.node.url, spent.holder)


@pytest.fixture
def page(visit, spent, hosted, built) -> Callable:
    """The holder's page with a wallet in the browser."""

    def go(wallet: Wallet | None, change: Callable[[str], str] | None = None):
        path = built / f"holders/{spent.holder}.html"
        name = path.name
        if change is not None:
            name = "forged.html"
            path.with_name(name).write_text(change(path.read_text()))
        before = None if wallet is None else wallet.into
        return visit(f"{hosted}/{built.name}/holders/{name}", origins=[hosted], before=before)

    return go


@pytest.fixture
def money(spent) -> Callable[[], int]:
    """What the holder's address holds."""
    return lambda: spent.dollar.balance(spent.holder)


def click(seen, until: str, state: str = "") -> str:
    """Claims, and waits for a state of the text beside the button; that text."""
    seen.page.locator("button.claim").click()
    line = seen.page.locator(f".claim-status[data-state={state}]" if state else ".claim-status")
    line.filter(has_text=until).wait_for()
    return line.inner_text()


@pytest.mark.parametrize("kind", ["injected", "announced", "both"])
def test_a_claim_pays_the_holder_to_the_unit(page, wallet, money, spent, kind):
    wallet.injected = "" if kind == "announced" else "injected"
    wallet.announced = () if kind == "injected" else ("Test wallet",)
    before = money()
    seen = page(wallet)
    assert seen.page.locator("button.claim").is_enabled()
    assert "100" in seen.text("button.claim")
    told = click(seen, "Paid", "verified")
    assert money() - before == OWED
    (call,) = wallet.asked("eth_sendTransaction")[0]
    receipt = spent.rpc.call("eth_getBlockByNumber", "latest", False)
    assert receipt["transactions"][0] in told
    assert call["to"].lower() == spent.ledger.splits.address
    assert call["from"] == spent.holder
    assert int(call.get("value", "0x0"), 16) == 0
    assert {name for name, _, _ in wallet.calls} == {"injected" if kind == "injected" else "Test wallet"}


def test_after_the_claim_the_next_page_shows_it_and_proves_it(page, visit, wallet, spent):
    click(page(wallet), "Paid", "verified")
    site = spent.site(spent.folder / "after", "--holder", spent.holder, "--format", "none")
    seen = visit((site / f"holders/{spent.holder}.html").as_uri())
    assert seen.prove(spent.anchor()) == "verified", seen.text("#verdict")
    owed = next(one for one in seen.figures() if one.key.endswith("/owed"))
    assert (owed.value, owed.state) == ("0", "verified")
    assert seen.page.locator("button.claim").count() == 0


def test_somebody_else_may_send_it_and_the_holder_is_paid(page, wallet, money, spent):
    wallet.account = dev_signer(6).address
    theirs = spent.dollar.balance(wallet.account)
    before = money()
    click(page(wallet), "Paid", "verified")
    assert money() - before == OWED
    assert spent.dollar.balance(wallet.account) == theirs


def test_several_wallets_can_be_chosen_from(page, wallet, money):
    wallet.injected = ""
    wallet.announced = ("First", "<img src=x onerror=alert(1)>")
    before = money()
    seen = page(wallet)
    choice = seen.page.get_by_role("combobox", name="Wallet")
    assert choice.locator("option").all_text_contents() == list(wallet.announced)
    choice.select_option(label=wallet.announced[1])
    click(seen, "Paid", "verified")
    assert money() - before == OWED
    assert {name for name, _, _ in wallet.calls} == {wallet.announced[1]}


def test_a_wallet_that_comes_late(page, wallet, money):
    wallet.injected = ""
    before = money()
    seen = page(wallet)
    assert not seen.page.locator("button.claim:enabled").count()
    seen.page.evaluate("window.__announce('late')")
    click(seen, "Paid", "verified")
    assert money() - before == OWED


def test_by_keyboard(page, wallet, money):
    before = money()
    seen = page(wallet)
    for _ in range(20):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.matches('button.claim')"):
            break
    else:
        pytest.fail("the claim is not reached by Tab")
    seen.page.keyboard.press("Enter")
    seen.page.locator(".claim-status", has_text="Paid").wait_for()
    assert money() - before == OWED


# ---- nothing is sent


def nothing_was_sent(wallet, money, before: int) -> None:
    assert money() == before
    assert wallet.asked("eth_sendTransaction") == []


def test_without_a_wallet_there_is_nothing_to_press(page):
    seen = page(None)
    assert not seen.page.locator("button.claim:enabled").count()
    assert "wallet" in seen.text(".claim-status")


def test_a_wallet_on_another_chain(page, wallet, money):
    wallet.answers["eth_chainId"] = "0x1"
    before = money()
    seen = page(wallet)
    told = click(seen, "chain", "differs")
    assert "chain 1" in told
    assert "31337" in told
    nothing_was_sent(wallet, money, before)
    del wallet.answers["eth_chainId"]  # changed in the wallet, tried again
    click(seen, "Paid", "verified")
    assert money() - before == OWED


@pytest.mark.parametrize("method", ["eth_requestAccounts", "eth_sendTransaction"])
def test_the_user_declines(page, wallet, money, method):
    wallet.answers[method] = refusal("User rejected the request.")
    before = money()
    seen = page(wallet)
    told = click(seen, "Declined", "differs")
    assert "nothing was sent" in told
    assert money() == before
    assert seen.page.locator("button.claim").is_enabled()


def test_a_wallet_without_accounts(page, wallet, money):
    wallet.answers["eth_requestAccounts"] = []
    before = money()
    assert "no account" in click(page(wallet), "account", "differs")
    nothing_was_sent(wallet, money, before)


def test_what_was_paid_meanwhile_is_not_paid_twice(page, wallet, money, spent):
    seen = page(wallet)
    before = money()
    spent.do("payout", "claim", spent.holder, account="dev:2")
    assert money() - before == OWED
    told = click(seen, "owed any more", "differs")
    assert "paid since" in told
    nothing_was_sent(wallet, money, before + OWED)


def test_a_token_that_refuses_the_transfer(page, wallet, money, spent):
    """The token's code is gone: the contract's reason is shown, nothing is signed."""
    spent.rpc.call("anvil_setCode", spent.dollar.address, "0x60006000fd")
    seen = page(wallet)
    told = click(seen, "", "differs")
    assert "revert" in told or "refuses" in told, told
    assert wallet.asked("eth_sendTransaction") == []


def test_a_transaction_that_fails_in_its_block(page, wallet, money):
    def failed(params):
        return {"blockNumber": "0x99", "status": "0x0"}

    wallet.answers["eth_getTransactionReceipt"] = failed
    told = click(page(wallet), "failed", "differs")
    assert "nothing was paid" in told


def test_a_receipt_that_takes_its_time(page, wallet, money):
    waits = iter([None, None])
    wallet.answers["eth_getTransactionReceipt"] = lambda params: next(
        waits, {"blockNumber": "0x99", "status": "0x1"}
    )
    assert "Paid" in click(page(wallet), "Paid", "verified")
    assert len(wallet.asked("eth_getTransactionReceipt")) == 3


def test_a_wallet_whose_chain_has_other_code(page, wallet, money):
    wallet.answers["eth_getCode"] = "0x6001"
    before = money()
    assert "not that of our build" in click(page(wallet), "build", "differs")
    nothing_was_sent(wallet, money, before)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"eth_estimateGas": refusal("<img src=x onerror=alert(1)> went wrong", -32603)}, "<img"),
        ({"eth_sendTransaction": refusal("insufficient funds for gas", -32000)}, "insufficient funds"),
        ({"eth_chainId": None}, ""),
        ({"eth_chainId": "<b>"}, ""),
        ({"eth_getCode": 17}, ""),
    ],
    ids=["text with markup", "no gas", "no chain", "odd chain", "odd code"],
)
def test_whatever_a_wallet_says_is_shown_as_text(page, wallet, money, answers, words):
    wallet.answers |= answers
    before = money()
    seen = page(wallet)
    assert words in click(seen, words, "differs")
    assert seen.page.locator(".claim-status *").count() == 0
    assert money() == before
    assert seen.page.locator("button.claim").is_enabled()


# ---- pages that lie about what is to be signed


def with_data(name: str, value: str) -> Callable[[str], str]:
    """The page with another attribute of its claim button."""

    def change(page: str) -> str:
        start = page.index('<button class="claim"')
        end = page.index(">", start)
        head = page[start:end]
        at = head.index(f'{name}="') + len(name) + 2
        changed = head[:at] + value + head[head.index('"', at) :]
        assert changed != head
        return page[:start] + changed + page[end:]

    return change


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data-to", "0x" + "66" * 20),
        ("data-holder", "0x" + "66" * 20),
        ("data-token", "0x" + "66" * 20),
        ("data-calldata", "0x"),
        ("data-calldata", "0xa9059cbb" + "00" * 64),
        ("data-calldata", "nonsense"),
    ],
)
def test_a_claim_that_is_not_what_it_says_is_not_offered(page, wallet, money, name, value):
    before = money()
    seen = page(wallet, with_data(name, value))
    seen.page.locator(".claim-status", has_text="Not offered").wait_for()
    assert not seen.page.locator("button.claim:enabled").count()
    nothing_was_sent(wallet, money, before)


def test_a_claim_of_another_payee_is_not_offered(page, wallet, built):
    theirs = (built / "holders/0x2222222222222222222222222222222222222222.html").read_text()
    data = theirs[theirs.index('data-calldata="') + 15 :]
    seen = page(wallet, with_data("data-calldata", data[: data.index('"')]))
    seen.page.locator(".claim-status", has_text="Not offered").wait_for()
    assert not seen.page.locator("button.claim:enabled").count()
    assert wallet.calls == []


def test_a_page_of_another_chain(page, wallet, money):
    before = money()
    told = click(page(wallet, with_data("data-chain-id", "1")), "chain", "differs")
    assert "31337" in told
    nothing_was_sent(wallet, money, before)


def test_the_wallet_is_asked_nothing_before_the_button_is_pressed(page, wallet, spent):
    seen = page(wallet)
    assert seen.prove(spent.anchor()) == "verified"
    assert wallet.calls == []


def test_the_amount_on_the_button_is_what_is_owed(page, wallet, built, spent):
    shown = forge.first_figure((built / f"holders/{spent.holder}.html").read_text(), "/owed")
    assert int(shown[1]) == OWED
    assert "100.000000" in page(wallet).text("button.claim")
