// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors
/// @notice Every custom error of the ledger, in one place. The prefix names the contract that reverts.
library Errors {
    // Splits: trees, proofs and publication

    /// @notice The depth of a split is above 32.
    error Splits_DepthTooLarge(uint256 depth);
    /// @notice The total of a split is zero or above 2^128 - 1.
    error Splits_TotalOutOfRange(uint256 total);
    /// @notice A leaf index is at or past 2^depth.
    error Splits_IndexOutOfRange(uint256 index, uint256 depth);
    /// @notice A page number is at or past the number of pages of the split.
    error Splits_PageOutOfRange(uint256 page, uint256 pages);
    /// @notice A page does not have exactly min(128, 2^depth) words, or a run not those of 1, 2, 4 … pages of the split;
    ///         `expected` is the next number that a run may have.
    error Splits_WrongWordCount(uint256 given, uint256 expected);
    /// @notice The first page of a run is not a multiple of the number of its pages.
    error Splits_RunMisplaced(uint256 firstPage, uint256 pages);
    /// @notice A proof does not have exactly the number of words that its position demands.
    error Splits_WrongProofLength(uint256 given, uint256 expected);
    /// @notice A sibling's sum, or a running sum, is above the total of the split.
    error Splits_SumAboveTotal(uint256 sum, uint256 total);
    /// @notice Leaves and siblings do not hash to the root, or do not sum to the total.
    error Splits_ProofMismatch(bytes32 splitId);
    /// @notice A leaf has a payee without units, or units without a payee.
    error Splits_BadLeaf(bytes32 leaf);
    /// @notice A leaf names Splits itself as payee, so its money could never leave.
    error Splits_PayeeIsSplits(uint256 index);
    /// @notice Not every page of the split is published.
    error Splits_NotPublished(bytes32 splitId);

    // Splits: money in

    /// @notice No token arrived: the measured change of the balance is zero.
    error Splits_NothingArrived(address token);
    /// @notice The cumulative credit would reach 2^128.
    error Splits_CreditTooLarge(bytes32 splitId, address token);
    /// @notice The account holds less than the amount to be moved.
    error Splits_AccountTooSmall(bytes32 account, address token, uint256 held, uint256 wanted);

    // Splits: money out

    /// @notice The gas for each transfer is below the minimum.
    error Splits_GasPerTransferTooLow(uint256 given, uint256 minimum);
    /// @notice The call has too little gas left to give the next transfer its share.
    error Splits_NotEnoughGas(uint256 left, uint256 needed);
    /// @notice No transfer of the call succeeded, so nobody is marked.
    error Splits_NothingPaid(address token);
    /// @notice More of the token left than was paid out.
    error Splits_OutflowTooLarge(address token, uint256 outflow, uint256 paid);
    /// @notice A claim's token transfer failed.
    error Splits_TransferFailed(address token, address to);
    /// @notice Only the payee may do this.
    error Splits_NotPayee(address caller, address payee);
    /// @notice The recipient is zero or Splits itself.
    error Splits_BadRecipient(address to);
    /// @notice The signature's deadline has passed.
    error Splits_SignatureExpired(uint256 deadline);
    /// @notice The signature is not the payee's over these leaves, recipient, nonce and deadline.
    error Splits_BadSignature(address payee);

    // Catalogues

    /// @notice There is no such catalogue.
    error Catalogues_Unknown(uint256 catalogue);
    /// @notice The caller does not own the catalogue.
    error Catalogues_NotOwner(uint256 catalogue, address caller);
    /// @notice The caller was not named as the next owner.
    error Catalogues_NotPendingOwner(uint256 catalogue, address caller);
    /// @notice A setting is out of range: 1 works root, 2 file hash, 3 notice, 4 dispute window, 5 arbiter window.
    error Catalogues_BadSetting(uint256 which);
    /// @notice The split has pages that nobody has published.
    error Catalogues_SplitNotPublished(bytes32 splitId);
    /// @notice No split was in force at that time.
    error Catalogues_NoSplitAt(uint256 catalogue, uint256 time);
    /// @notice The catalogue's list of splits ends before this position.
    error Catalogues_NoPosition(uint256 catalogue, uint256 position);

    // Licences: terms, offers, acceptance

    /// @notice There is no such licence.
    error Licences_Unknown(uint256 licence);
    /// @notice The terms given do not hash to the terms of the licence.
    error Licences_TermsMismatch(uint256 licence);
    /// @notice A field of the terms is out of range; `which` is its position in ILicences.Terms, from 0;
    ///         27: the bytes are not the canonical encoding.
    error Licences_BadTerms(uint256 which);
    /// @notice The caller is not the owner of the catalogue that the terms name.
    error Licences_NotLicensor(uint256 catalogue, address caller);
    /// @notice The caller does not hold the licence.
    error Licences_NotLicensee(uint256 licence, address caller);
    /// @notice The offer is for another licensee.
    error Licences_NotInvited(address caller, address licensee);
    /// @notice The offer's deadline has passed.
    error Licences_OfferExpired(uint256 deadline);
    /// @notice The nonce was used or cancelled.
    error Licences_NonceUsed(address licensor, uint256 nonce);
    /// @notice There is no such offer on chain, and no valid signature of the licensor.
    error Licences_NotOffered(bytes32 offerId);
    /// @notice The licence's term has ended before it could be accepted.
    error Licences_TermOver(uint256 end);
    /// @notice A live licence or a live exclusive one stands in the way, on these scope bits.
    error Licences_ScopeTaken(uint256 catalogue, uint256 bits);
    /// @notice Less of the upfront fee arrived than the terms name.
    error Licences_FeeShort(uint256 arrived, uint256 fee);

    // Licences: reports and money

    /// @notice The licence has no reporting periods.
    error Licences_NoReports(uint256 licence);
    /// @notice Periods are booked in order: another one is next.
    error Licences_WrongPeriod(uint256 licence, uint256 period, uint256 next);
    /// @notice The licence has no such period: it would start at or after the stop.
    error Licences_NoSuchPeriod(uint256 licence, uint256 period);
    /// @notice The period has not ended yet.
    error Licences_PeriodNotOver(uint256 licence, uint256 period, uint256 end);
    /// @notice The report deadline has not passed, so nobody else may book the period.
    error Licences_NotMissing(uint256 licence, uint256 period, uint256 deadline);
    /// @notice The period has not been booked.
    error Licences_NotReported(uint256 licence, uint256 period);
    /// @notice The figures replace another version than the one that stands.
    error Licences_StaleVersion(uint256 licence, uint256 period, uint256 given, uint256 standing);
    /// @notice The licensee has restated the period as often as it may; settlements can still change it.
    error Licences_VersionsUsedUp(uint256 licence, uint256 period);
    /// @notice A figure is 2^104 or more.
    error Licences_FigureTooLarge(uint256 figure);
    /// @notice The line is larger than the caller's limit.
    error Licences_AboveMaxDue(uint256 line, uint256 maxDue);
    /// @notice The restatement lowers the base: it must be proposed.
    error Licences_LowersBase(uint256 standing, uint256 proposed);
    /// @notice What the payer believes to be open is not what is open.
    error Licences_OpenDiffers(uint256 licence, uint256 period, uint256 believed, uint256 open);
    /// @notice Nothing is open for the period.
    error Licences_NothingOpen(uint256 licence, uint256 period);
    /// @notice The payment would not cover the interest and at least one unit of principal.
    error Licences_PaymentTooSmall(uint256 amount, uint256 interest);

    // Licences: disputes, cure, end

    /// @notice A dispute over the period is open.
    error Licences_DisputeOpen(uint256 licence, uint256 period);
    /// @notice No dispute over the period is open.
    error Licences_NoDispute(uint256 licence, uint256 period);
    /// @notice The window for objections to this version has closed.
    error Licences_WindowClosed(uint256 licence, uint256 period, uint256 closedAt);
    /// @notice The proposed base is not on the proposer's side of the standing one.
    error Licences_BadProposal(uint256 standing, uint256 proposed);
    /// @notice The arbiter was called before, or the catalogue has none.
    error Licences_ArbiterUnavailable(uint256 licence, uint256 period);
    /// @notice The caller may not settle the dispute this way now.
    error Licences_MayNotSettle(uint256 licence, uint256 period, address caller);
    /// @notice The period is not in breach.
    error Licences_NoBreach(uint256 licence, uint256 period);
    /// @notice The cure time has not passed, or no notice was given for the period.
    error Licences_CureRunning(uint256 licence, uint256 until);
    /// @notice The licence has ended.
    error Licences_Ended(uint256 licence);
    /// @notice The licence has not reached its end.
    error Licences_NotEnded(uint256 licence, uint256 end);
    /// @notice The terms, or something open, disputed or in cure, forbid the transfer.
    error Licences_Locked(uint256 licence);
    /// @notice Only Splits may call back, and only while a payment is under way.
    error Licences_UnexpectedCallback(address caller);

    // Distributions

    /// @notice The terms given do not hash to the terms of the licence.
    error Distributions_TermsMismatch(uint256 licence);
    /// @notice The terms name another contract, or none, to distribute the licence's periods.
    error Distributions_Elsewhere(uint256 licence, address distributions);
    /// @notice The licence has no such period.
    error Distributions_NoSuchPeriod(uint256 licence, uint256 period);
    /// @notice The period has not ended yet.
    error Distributions_PeriodNotOver(uint256 licence, uint256 period, uint256 end);
    /// @notice The distribution given is not the one of this round.
    error Distributions_Mismatch(uint256 licence, uint256 period, uint256 round);
    /// @notice The round is in another stage than the call needs.
    error Distributions_WrongStage(uint256 licence, uint256 period, uint256 round, uint256 stage);
    /// @notice As many rounds as a period may have are settled.
    error Distributions_RoundsUsedUp(uint256 licence, uint256 period);
    /// @notice The caller is not the side that may post, replace or concede now.
    error Distributions_MayNotPost(uint256 licence, uint256 period, address caller);
    /// @notice The time to post has passed.
    error Distributions_PostingClosed(uint256 licence, uint256 period, uint256 closedAt);
    /// @notice The one replacement of the posting is used up.
    error Distributions_Replaced(uint256 licence, uint256 period, uint256 round);
    /// @notice The windows that would follow do not end before the last date.
    error Distributions_TooLate(uint256 licence, uint256 period, uint256 lastDate);
    /// @notice The split has pages that nobody has published.
    error Distributions_SplitNotPublished(bytes32 splitId);
    /// @notice The units of the split are more than the amount that it is for.
    error Distributions_TotalAboveAmount(uint256 total, uint256 amount);
    /// @notice The amount is more than waits for the round.
    error Distributions_AmountAboveWaiting(uint256 amount, uint256 waits);
    /// @notice The time to object, or to choose, has passed.
    error Distributions_WindowClosed(uint256 licence, uint256 period, uint256 closedAt);
    /// @notice The time to object, or to choose, has not passed.
    error Distributions_WindowOpen(uint256 licence, uint256 period, uint256 until);
    /// @notice The leaf shown is not the caller's, or not of the posted or the standing split.
    error Distributions_NotHolder(address caller, bytes32 splitId);
    /// @notice The arbiter may not object, or, as licensor, licensee or poster, may not choose.
    error Distributions_ArbiterIsParty(address arbiter);
    /// @notice The caller is not the arbiter of the catalogue.
    error Distributions_NotArbiter(address caller);
    /// @notice The counter-split is the posted one.
    error Distributions_CounterIsPosted(bytes32 splitId);
    /// @notice There is no such choice, or no counter-split to choose.
    error Distributions_BadChoice(uint256 choice);
    /// @notice Less than the bond arrived.
    error Distributions_BondTooSmall(uint256 arrived, uint256 bond);
    /// @notice The objection given is not the one of this round.
    error Distributions_ObjectionMismatch(uint256 licence, uint256 period, uint256 round);
    /// @notice There is nothing to be moved.
    error Distributions_NothingToMove(uint256 licence, uint256 period);
    /// @notice The date after which this may be done has not passed.
    error Distributions_NotYet(uint256 licence, uint256 period, uint256 until);
    /// @notice Only Splits may call back, and only while a bond is pulled.
    error Distributions_UnexpectedCallback(address caller);

    // Attributions

    /// @notice The terms given do not hash to the terms of the licence.
    error Attributions_TermsMismatch(uint256 licence);
    /// @notice The caller neither holds the licence nor, for outputs, is the attributor that its terms name.
    error Attributions_MayNotRecord(uint256 licence, address caller);
    /// @notice None of the scope bits `wanted` is in the licence's scope.
    error Attributions_OutsideScope(uint256 licence, uint256 scope, uint256 wanted);
    /// @notice This is not recorded before `start` nor after `until`.
    error Attributions_OutsideTerm(uint256 licence, uint256 start, uint256 until);
    /// @notice The licence covers another model, or another version of it.
    error Attributions_WrongModel(uint256 licence, bytes32 model, bytes32 licensed);
    /// @notice A field is out of range: 1 kind, 2 model, 3 root, 4 leaves, 5 outputs.
    error Attributions_BadRecord(uint256 which);
}
