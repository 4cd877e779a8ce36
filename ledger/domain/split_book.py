"""The executable model of contracts/Splits.sol: publications, credits, payouts by page, claims, accounts.

A method is a call: it changes the book and returns the entries that the contract records, or raises the
contract's error and changes nothing. Ids and words are bytes, addresses lower-case hex strings, amounts
base units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.domain.canonical import ZERO_ADDRESS, address_word
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import (
    PAGE_SIZE,
    Split,
    check_leaf,
    check_page,
    check_run,
    check_words,
    padded_words,
    read_leaf,
    used_words,
)
from ledger.domain.reverts import Revert
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import (
    CLAIMED,
    CUMULATIVE_LIMIT,
    MIN_GAS_EACH,
    PASSED_OVER,
    TAKEN_OUT,
    Leaf,
    PagePayout,
    PageState,
    Publication,
    Run,
    Transfer,
    account_id,
    always,
    leaves_hash,
)
from ledger.domain.undo import Undo


class SplitBook:
    """The state of Splits. `address` is the contract's own, which no leaf may name; None skips that check."""

    def __init__(self, address: str | None = None, undo: Undo | None = None) -> None:
        self.address = address
        self.publications: dict[bytes, Publication] = {}
        self.cumulatives: dict[tuple[bytes, str], int] = {}
        self.page_states: dict[tuple[bytes, str, int], PageState] = {}
        self.checkpoints: dict[tuple[bytes, str, int], tuple[int, int]] = {}
        self.accounts: dict[tuple[bytes, str], int] = {}
        self.standing: dict[str, str] = {}
        self.nonces: dict[str, int] = {}
        #: All that came into an account and was moved out of it; the contract does not keep it.
        self.funded: dict[tuple[bytes, str], int] = {}
        self.moved: dict[tuple[bytes, str], int] = {}
        #: All that was paid out of a split in a token; the contract does not keep it.
        self.paid: dict[tuple[bytes, str], int] = {}
        self._undo = undo or Undo()

    # Publication

    def publish(self, caller: str, split: Split, runs: Sequence[Run]) -> list[Entry]:
        """Publishes the pages of runs; one that is public already is passed over."""
        entries: list[Entry] = []
        with self._undo.call():
            for run in runs:
                split_id = check_run(split, run.first_page, run.words, run.siblings)
                for at in range(0, len(run.words), PAGE_SIZE):
                    page = run.first_page + at // PAGE_SIZE
                    entries += self._publish_page(
                        caller, split, split_id, page, run.words[at : at + PAGE_SIZE]
                    )
        return entries

    def _publish_page(
        self, caller: str, split: Split, split_id: bytes, page: int, words: Sequence[bytes]
    ) -> list[Entry]:
        """Publishes a page whose words stand at their place."""
        check_words(words, self.address)
        known = self.publications.get(split_id) or Publication(split)
        if page in known.pages:
            return []
        used = used_words(words)
        self._undo.put(self.publications, split_id, Publication(split, {**known.pages, page: used}))
        args = {
            "root": split.root,
            "total": split.total,
            "depth": split.depth,
            "page": page,
            "words": tuple(used),
        }
        return [Entry("PagePublished", split_id, caller, args)]

    def is_published(self, split_id: bytes) -> bool:
        """Whether every page of the split is public."""
        known = self.publications.get(split_id)
        return known is not None and known.complete

    # Money in

    def credit(self, caller: str, split_id: bytes, token: str, arrived: int) -> list[Entry]:
        """A credit by allowance, of what arrived."""
        if not self.is_published(split_id):
            raise Revert("Splits_NotPublished", split_id)
        return self.credit_by_callback(caller, split_id, token, arrived)

    def credit_by_callback(self, caller: str, split_id: bytes, token: str, arrived: int) -> list[Entry]:
        """A credit by a caller who vouches that the split is published."""
        if arrived <= 0:
            raise Revert("Splits_NothingArrived", token)
        with self._undo.call():
            self._add_credit(split_id, token, arrived)
        return [Entry("Credited", split_id, caller, {"token": token, "amount": arrived})]

    def fund_account(
        self, caller: str, controller: str, salt: bytes, token: str, arrived: int
    ) -> list[Entry]:
        """Money that waits for its split."""
        if arrived <= 0:
            raise Revert("Splits_NothingArrived", token)
        account = account_id(controller, salt)
        with self._undo.call():
            self._undo.put(self.accounts, (account, token), self.account_balance(account, token) + arrived)
            self._undo.put(self.funded, (account, token), self.funded.get((account, token), 0) + arrived)
        args = {"controller": controller, "salt": salt, "token": token, "amount": arrived}
        return [Entry("AccountFunded", account, caller, args)]

    def move_account(self, caller: str, salt: bytes, token: str, split_id: bytes, amount: int) -> list[Entry]:
        """Moves money of the caller's account into a published split."""
        return self.move_known(caller, account_id(caller, salt), token, split_id, amount)

    def move_known(
        self, caller: str, account: bytes, token: str, split_id: bytes, amount: int
    ) -> list[Entry]:
        """A move out of an account that is the caller's."""
        held = self.account_balance(account, token)
        if amount == 0 or amount > held:
            raise Revert("Splits_AccountTooSmall", account, token, held, amount)
        if not self.is_published(split_id):
            raise Revert("Splits_NotPublished", split_id)
        with self._undo.call():
            self._undo.put(self.accounts, (account, token), held - amount)
            self._undo.put(self.moved, (account, token), self.moved.get((account, token), 0) + amount)
            self._add_credit(split_id, token, amount)
        args = {"token": token, "splitId": split_id, "amount": amount}
        return [Entry("AccountMoved", account, caller, args)]

    def _add_credit(self, split_id: bytes, token: str, amount: int) -> None:
        total = self.cumulative(split_id, token) + amount
        if total >= CUMULATIVE_LIMIT:
            raise Revert("Splits_CreditTooLarge", split_id, token)
        self._undo.put(self.cumulatives, (split_id, token), total)

    # Money out, by page

    def pay_pages(
        self,
        caller: str,
        split: Split,
        token: str,
        pages: Sequence[PagePayout],
        *,
        transfer: Transfer = always,
        gas_each: int = MIN_GAS_EACH,
    ) -> list[Entry]:
        """Pays pages; a payee whose transfer fails is passed over. A call that pays nothing raises."""
        if gas_each < MIN_GAS_EACH:
            raise Revert("Splits_GasPerTransferTooLow", gas_each, MIN_GAS_EACH)
        with self._undo.call():
            entries = [self._pay_page(caller, split, token, page, transfer) for page in pages]
            if not any(entry["paid"] for entry in entries):
                raise Revert("Splits_NothingPaid", token)
        return entries

    def _pay_page(
        self, caller: str, split: Split, token: str, payout: PagePayout, transfer: Transfer
    ) -> Entry:
        split_id = check_page(split, payout.page, payout.words, payout.siblings)
        return self.settle_page(
            caller,
            split_id,
            token,
            total=split.total,
            page=payout.page,
            words=payout.words,
            retry=payout.retry,
            succeeds=lambda place, payee, amount: transfer(token, payee, amount),
        )

    def settle_page(
        self,
        caller: str,
        split_id: bytes,
        token: str,
        *,
        total: int,
        page: int,
        words: Sequence[bytes],
        retry: int,
        succeeds: Callable[[int, str, int], bool],
    ) -> Entry:
        """Pays the words of a proved page; `succeeds` tells of each transfer (place in the page, payee,
        amount).
        """
        state = self.page_state(split_id, token, page)
        up_to = self.cumulative(split_id, token)
        first = page * PAGE_SIZE
        kept = failed = paid = 0
        for i, word in enumerate(words):
            start = state.paid_up_to
            if state.exceptions >> i & 1:
                kind, start = self.checkpoints[split_id, token, first + i]
                if kind == TAKEN_OUT or (kind == PASSED_OVER and not retry >> i & 1):
                    kept |= 1 << i
                    continue
                self._undo.put(self.checkpoints, (split_id, token, first + i), (0, 0))
            payee, units = read_leaf(word)
            amount = entitled_down(up_to, units, total) - entitled_down(start, units, total)
            if amount == 0:
                continue
            if succeeds(i, payee, amount):
                paid += amount
            else:
                failed |= 1 << i
                self._undo.put(self.checkpoints, (split_id, token, first + i), (PASSED_OVER, start))
        self._undo.put(self.page_states, (split_id, token, page), PageState(up_to, kept | failed))
        self._undo.put(self.paid, (split_id, token), self.paid.get((split_id, token), 0) + paid)
        args = {
            "token": token,
            "page": page,
            "cumulative": up_to,
            "retry": retry,
            "failed": failed,
            "paid": paid,
        }
        return Entry("PagePaid", split_id, caller, args)

    # Money out, by claim

    def claim(self, caller: str, leaves: Sequence[Leaf], transfer: Transfer = always) -> list[Entry]:
        """Pays leaves to their payees or to the standing addresses of these. Anyone may call."""
        with self._undo.call():
            return self._claim(caller, leaves, None, None, transfer)

    def claim_to(
        self, caller: str, leaves: Sequence[Leaf], to: str, transfer: Transfer = always
    ) -> list[Entry]:
        """Pays the caller's own leaves to `to`."""
        with self._undo.call():
            return self._claim(caller, leaves, caller, to, transfer)

    def claim_by_signature(
        self,
        caller: str,
        leaves: Sequence[Leaf],
        *,
        payee: str,
        to: str,
        nonce: int,
        deadline: int,
        now: int,
        valid: bool = True,
        transfer: Transfer = always,
    ) -> list[Entry]:
        """Pays a payee's leaves to `to` by its signature; `valid` says whether that is the payee's."""
        if now > deadline:
            raise Revert("Splits_SignatureExpired", deadline)
        leaves_hash(leaves)
        if nonce != self.nonces.get(payee, 0) or not valid:
            raise Revert("Splits_BadSignature", payee)
        with self._undo.call():
            used = self._use_nonce(caller, payee)
            return [used, *self._claim(caller, leaves, payee, to, transfer)]

    def cancel_claim_nonce(self, caller: str) -> list[Entry]:
        """Uses up the caller's next claim nonce."""
        with self._undo.call():
            return [self._use_nonce(caller, caller)]

    def _use_nonce(self, caller: str, payee: str) -> Entry:
        nonce = self.nonces.get(payee, 0)
        self._undo.put(self.nonces, payee, nonce + 1)
        return Entry("ClaimNonceUsed", address_word(payee), caller, {"nonce": nonce})

    def _claim(
        self, caller: str, leaves: Sequence[Leaf], only: str | None, to: str | None, transfer: Transfer
    ) -> list[Entry]:
        if to is not None and to in (ZERO_ADDRESS, self.address):
            raise Revert("Splits_BadRecipient", to)
        entries: list[Entry] = []
        transfers: list[tuple[str, str, int]] = []
        for item in leaves:
            payee, units = read_leaf(item.leaf)
            recipient = to or self.standing_address(payee) or payee
            split_id = check_leaf(item.split, item.index, item.leaf, item.siblings)
            if only is not None and payee != only:
                raise Revert("Splits_NotPayee", only, payee)
            up_to = self.cumulative(split_id, item.token)
            amount = self.settle_claim(split_id, item.token, item.index, units=units, total=item.split.total)
            if amount == 0:
                continue
            args = {
                "token": item.token,
                "index": item.index,
                "leaf": item.leaf,
                "to": recipient,
                "cumulative": up_to,
                "paid": amount,
            }
            entries.append(Entry("Claimed", split_id, caller, args))
            if transfers and transfers[-1][:2] == (item.token, recipient):
                transfers[-1] = (item.token, recipient, transfers[-1][2] + amount)
            else:
                transfers.append((item.token, recipient, amount))
        if not transfers:
            raise Revert("Splits_NothingPaid", leaves[0].token if leaves else ZERO_ADDRESS)
        for token, recipient, amount in transfers:
            if not transfer(token, recipient, amount):
                raise Revert("Splits_TransferFailed", token, recipient)
        return entries

    def settle_claim(
        self, split_id: bytes, token: str, index: int, *, units: int, total: int | None, trusted: int = 0
    ) -> int:
        """Marks a proved leaf as paid up to now; returns what it is paid, `trusted` where the total is not
        known.
        """
        up_to = self.cumulative(split_id, token)
        kind, start = self.checkpoint(split_id, token, index)
        amount = trusted
        if total is not None:
            amount = entitled_down(up_to, units, total) - entitled_down(start, units, total)
        if amount:
            kind = TAKEN_OUT if kind == TAKEN_OUT else CLAIMED
            self._set_checkpoint(split_id, token, index, kind, up_to)
            self._undo.put(self.paid, (split_id, token), self.paid.get((split_id, token), 0) + amount)
        return amount

    def set_standing_address(self, caller: str, to: str) -> list[Entry]:
        """Names the address to which claims by anyone go; zero: the payee itself."""
        if to == self.address:
            raise Revert("Splits_BadRecipient", to)
        with self._undo.call():
            self._undo.put(self.standing, caller, to)
        return [Entry("StandingAddressSet", address_word(caller), caller, {"to": to})]

    def place_leaves(self, caller: str, leaves: Sequence[Leaf], out: bool) -> list[Entry]:
        """Takes the caller's leaves out of their pages, or puts them back."""
        entries: list[Entry] = []
        with self._undo.call():
            for item in leaves:
                split_id = check_leaf(item.split, item.index, item.leaf, item.siblings)
                payee, _ = read_leaf(item.leaf)
                if payee != caller:
                    raise Revert("Splits_NotPayee", caller, payee)
                start = self.settle_place(split_id, item.token, item.index, out=out)
                if start is None:
                    continue
                args = {
                    "token": item.token,
                    "index": item.index,
                    "leaf": item.leaf,
                    "checkpoint": start,
                    "out": out,
                }
                entries.append(Entry("LeafPlaced", split_id, caller, args))
        return entries

    def settle_place(self, split_id: bytes, token: str, index: int, *, out: bool) -> int | None:
        """Takes a proved leaf out of its page or puts it back; its checkpoint, or None if it stood so
        already.
        """
        kind, start = self.checkpoint(split_id, token, index)
        if (kind == TAKEN_OUT) == out:
            return None
        self._set_checkpoint(split_id, token, index, TAKEN_OUT if out else CLAIMED, start)
        return start

    def _set_checkpoint(self, split_id: bytes, token: str, index: int, kind: int, up_to: int) -> None:
        page, place = divmod(index, PAGE_SIZE)
        state = self.page_state(split_id, token, page)
        marked = PageState(state.paid_up_to, state.exceptions | 1 << place)
        self._undo.put(self.page_states, (split_id, token, page), marked)
        self._undo.put(self.checkpoints, (split_id, token, index), (kind, up_to))

    # Views

    def cumulative(self, split_id: bytes, token: str) -> int:
        """All that was ever credited."""
        return self.cumulatives.get((split_id, token), 0)

    def account_balance(self, account: bytes, token: str) -> int:
        """What waits in an account."""
        return self.accounts.get((account, token), 0)

    def page_state(self, split_id: bytes, token: str, page: int) -> PageState:
        """State of a page."""
        return self.page_states.get((split_id, token, page), PageState())

    def leaf_state(self, split_id: bytes, token: str, index: int) -> tuple[int, int]:
        """A leaf's own kind and checkpoint as stored; in force while its bit is set in its page's
        exceptions.
        """
        return self.checkpoints.get((split_id, token, index), (0, 0))

    def checkpoint(self, split_id: bytes, token: str, index: int) -> tuple[int, int]:
        """Kind (0: its page's counts) and the cumulative up to which the leaf was paid."""
        page, place = divmod(index, PAGE_SIZE)
        state = self.page_state(split_id, token, page)
        if not state.exceptions >> place & 1:
            return 0, state.paid_up_to
        return self.checkpoints[split_id, token, index]

    def standing_address(self, payee: str) -> str | None:
        """The address to which claims by anyone go, if the payee named one."""
        to = self.standing.get(payee, ZERO_ADDRESS)
        return None if to == ZERO_ADDRESS else to

    def leaf(self, split_id: bytes, index: int) -> tuple[str, int]:
        """Payee and units of a published leaf; zero address and 0 where it is padding."""
        page, place = divmod(index, PAGE_SIZE)
        known = self.publications.get(split_id)
        if known is None or page not in known.pages:
            raise Revert("Splits_NotPublished", split_id)
        words = padded_words(known.pages[page], known.split.depth)
        if place >= len(words):
            raise Revert("Splits_IndexOutOfRange", index, known.split.depth)
        return read_leaf(words[place])

    def entitled(self, split_id: bytes, token: str, index: int) -> int:
        """floor(cumulative × units / total) of a published leaf."""
        _, units = self.leaf(split_id, index)
        total = self.publications[split_id].split.total
        return entitled_down(self.cumulative(split_id, token), units, total)

    def paid_to(self, split_id: bytes, token: str, index: int) -> int:
        """What a published leaf was paid so far."""
        _, units = self.leaf(split_id, index)
        _, start = self.checkpoint(split_id, token, index)
        return entitled_down(start, units, self.publications[split_id].split.total)

    def owed(self, split_id: bytes, token: str, index: int) -> int:
        """What a published leaf would be paid by a claim now."""
        return self.entitled(split_id, token, index) - self.paid_to(split_id, token, index)
