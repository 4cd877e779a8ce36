"""The model of Licences, second part: offers, acceptance, and the token that a licence is."""

from __future__ import annotations

from ledger.domain.canonical import ZERO_ADDRESS, address_word, uint_word
from ledger.domain.chain_terms import SCOPES, ChainTerms, Offer, offer_id
from ledger.domain.journal import Entry
from ledger.domain.licence_money import LicenceMoney
from ledger.domain.licence_types import ACTIVE, Grant, LicenceState
from ledger.domain.reverts import Revert

_MAX_LIVE = 2**24 - 1


class LicenceGrants(LicenceMoney):
    """Offers, acceptance, transfers."""

    # Offer and acceptance

    def offer(self, caller: str, terms: ChainTerms, offer: Offer, *, now: int) -> list[Entry]:
        """Puts an offer on chain."""
        terms.check()
        self._require_licensor(terms, caller)
        if now > offer.deadline:
            raise Revert("Licences_OfferExpired", offer.deadline)
        if self.nonce_used(caller, offer.nonce):
            raise Revert("Licences_NonceUsed", caller, offer.nonce)
        digest = self.offer_id(terms, offer)
        with self._undo.call():
            self._undo.put(self.offers, digest, caller)
        args = {
            "terms": terms.encode(),
            "nonce": offer.nonce,
            "deadline": offer.deadline,
            "uri": offer.uri,
        }
        return [Entry("Offered", digest, caller, args)]

    def cancel_nonce(self, caller: str, nonce: int) -> list[Entry]:
        """Makes a nonce of the caller unusable."""
        with self._undo.call():
            self._use_nonce(caller, nonce)
        return [Entry("NonceCancelled", address_word(caller), caller, {"nonce": nonce})]

    def accept(
        self, caller: str, terms: ChainTerms, offer: Offer, *, now: int, signed: bool | None = None
    ) -> list[Entry]:
        """Accepts an offer; the licence's number is the entry's id.

        `signed`: None for an offer on chain, else whether the signature given is the licensor's.
        """
        terms.check()
        if now > offer.deadline:
            raise Revert("Licences_OfferExpired", offer.deadline)
        digest = self.offer_id(terms, offer)
        return self.accept_known(
            caller, terms, digest=digest, nonce=offer.nonce, uri=offer.uri, now=now, signed=signed
        )

    def accept_known(
        self,
        caller: str,
        terms: ChainTerms,
        *,
        digest: bytes,
        nonce: int,
        uri: str,
        now: int,
        signed: bool | None = True,
    ) -> list[Entry]:
        """An acceptance whose offer is named by its digest alone, as an entry tells it; see `accept`."""
        terms.check()
        if terms.licensee not in (ZERO_ADDRESS, caller):
            raise Revert("Licences_NotInvited", caller, terms.licensee)
        if terms.end and now >= terms.end:
            raise Revert("Licences_TermOver", terms.end)
        licensor = self.catalogues.owner_of(terms.catalogue)
        split_id = self.catalogues.split_at(terms.catalogue, now)
        if not (self.offers.get(digest) == licensor if signed is None else signed):
            raise Revert("Licences_NotOffered", digest)
        with self._undo.call():
            self._use_nonce(licensor, nonce)
            licence = self._grant(caller, terms, uri, now)
            fee = terms.upfront_fee
            if fee:
                arrived = self.money.credit(caller, split_id, terms.token, fee)
                if arrived <= 0:
                    raise Revert("Splits_NothingArrived", terms.token)
                if arrived < fee:
                    raise Revert("Licences_FeeShort", arrived, fee)
                fee = arrived
        args = {
            "licensor": licensor,
            "offerId": digest,
            "nonce": nonce,
            "destination": split_id,
            "fee": fee,
            "terms": terms.encode(),
            "uri": uri,
        }
        return [Entry("Accepted", uint_word(licence), caller, args)]

    def offer_id(self, terms: ChainTerms, offer: Offer) -> bytes:
        """The EIP-712 digest of an offer."""
        return offer_id(terms, offer, chain_id=self.chain_id, licences=self.address)

    def nonce_used(self, licensor: str, nonce: int) -> bool:
        """Whether a nonce was used or cancelled."""
        return self.nonces.get((licensor, nonce), False)

    def _use_nonce(self, licensor: str, nonce: int) -> None:
        if self.nonce_used(licensor, nonce):
            raise Revert("Licences_NonceUsed", licensor, nonce)
        self._undo.put(self.nonces, (licensor, nonce), True)

    def _grant(self, caller: str, terms: ChainTerms, uri: str, now: int) -> int:
        taken = 0
        for bit in range(len(SCOPES)):
            if not terms.scope >> bit & 1:
                continue
            live, exclusive = self.live_of(terms.catalogue, bit)
            wanted = terms.exclusive >> bit & 1
            if exclusive or live == _MAX_LIVE or (live and wanted):
                taken |= 1 << bit
            self._undo.put(self.live, (terms.catalogue, bit), (live + 1, exclusive + wanted))
        if taken:
            raise Revert("Licences_ScopeTaken", terms.catalogue, taken)
        licence = self.count + 1
        self._undo.put(self.grants, licence, Grant(licence, terms, terms.hash, uri))
        self._undo.put(self.states, licence, LicenceState(ACTIVE, terms.transferable, now))
        self._undo.put(self.holders, licence, caller)
        return licence

    @property
    def count(self) -> int:
        """How many licences were granted."""
        return len(self.grants)

    def live_of(self, catalogue: int, bit: int) -> tuple[int, int]:
        """Live licences, and live exclusive ones, of a catalogue on one scope bit."""
        return self.live.get((catalogue, bit), (0, 0))

    # The token

    def move(self, caller: str, licence: int, sender: str, to: str, *, approved: bool = False) -> list[Entry]:
        """Transfers the licence; `approved`: the caller has an ERC-721 approval, which the journal leaves
        out.
        """
        if to == ZERO_ADDRESS:
            raise Revert("ERC721InvalidReceiver", to)
        holder = self.holders.get(licence)
        if holder is None:
            raise Revert("ERC721NonexistentToken", licence)
        if caller != holder and not approved:
            raise Revert("ERC721InsufficientApproval", caller, licence)
        if self.locked(licence):
            raise Revert("Licences_Locked", licence)
        if holder != sender:
            raise Revert("ERC721IncorrectOwner", sender, licence, holder)
        with self._undo.call():
            self._undo.put(self.holders, licence, to)
        return [Entry("Moved", uint_word(licence), caller, {"from": sender, "to": to})]

    def locked(self, licence: int) -> bool:
        """Whether a transfer would be refused now."""
        if licence not in self.states:
            raise Revert("ERC721NonexistentToken", licence)
        state = self.states[licence]
        return bool(not state.transferable or state.open_periods or state.open_disputes or state.in_cure)
