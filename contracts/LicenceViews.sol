// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ILicenceViews } from "./interfaces/ILicenceViews.sol";
import { ILicences } from "./interfaces/ILicences.sol";
import { Errors } from "./libraries/Errors.sol";
import { LateInterest } from "./libraries/LateInterest.sol";
import { LicenceState } from "./libraries/LicenceState.sol";
import { Periods } from "./libraries/Periods.sol";
import { RoyaltyMath } from "./libraries/RoyaltyMath.sol";
import { TermsCodec } from "./libraries/TermsCodec.sol";

/// @title LicenceViews
/// @notice Answers about licences; told in ILicenceViews. Apart from Licences, whose code has no room for it.
contract LicenceViews is ILicenceViews {
    using LateInterest for LateInterest.Interest;

    /// @dev Sources of set-off that one line uses at most, as in Licences.
    uint256 private constant SOURCES_EACH = 8;

    /// @inheritdoc ILicenceViews
    ILicences public immutable override licences;

    constructor(ILicences licences_) {
        licences = licences_;
    }

    /// @inheritdoc ILicenceViews
    function dueOf(uint256 licence, bytes calldata terms, uint256 period) external view returns (Due memory due) {
        (TermsCodec.Words calldata t, ILicences.State memory state) = _load(licence, terms);
        Periods.Span memory span = _spanOf(licence, t, state, period);
        _fillDates(due, span);
        ILicences.Period memory booked = licences.periodOf(licence, period);
        due.base = booked.base;
        due.open = booked.open;
        LateInterest.Interest memory interest = LateInterest.Interest(booked.interestNumerator, booked.interestUpTo);
        interest.accrue(booked.open, t.lateRatePpm, span.interestFrom);
        due.interest = interest.dueDown();
        _fillRoyalty(due, t, state, span);
        due.setOff = state.setOff;
        due.destination = _destinationOf(licence, t, state, period, span.start);
    }

    /// @inheritdoc ILicenceViews
    function quote(
        uint256 licence,
        bytes calldata terms,
        ILicences.Figures calldata figures
    ) external view returns (int256 line, uint256 setOff) {
        (TermsCodec.Words calldata t, ILicences.State memory state) = _load(licence, terms);
        uint256 period = figures.period;
        if (period > state.nextPeriod) revert Errors.Licences_WrongPeriod(licence, period, state.nextPeriod);
        Periods.Span memory span = _spanOf(licence, t, state, period);
        ILicences.Period memory booked = licences.periodOf(licence, period);
        if (figures.version != booked.version) {
            revert Errors.Licences_StaleVersion(licence, period, figures.version, booked.version);
        }
        LicenceState.checkFigure(figures.gross);
        LicenceState.checkFigure(figures.deductions);
        (line, , ) = RoyaltyMath.lineOf({
            terms: t,
            sumA: state.sumA,
            sumB: state.sumB,
            isNew: booked.version == 0,
            before: booked.base,
            base: RoyaltyMath.baseOf(figures.gross, figures.deductions, t.deductionCapPpm),
            guarantee: Periods.guaranteeDown(t, span)
        });
        if (line > 0 && state.setOff != 0) setOff = _usableSetOff(licence, uint256(line));
    }

    function _load(
        uint256 licence,
        bytes calldata data
    ) private view returns (TermsCodec.Words calldata terms, ILicences.State memory state) {
        if (keccak256(data) != licences.termsHashOf(licence)) revert Errors.Licences_TermsMismatch(licence);
        terms = TermsCodec.inPlace(data);
        state = licences.stateOf(licence);
    }

    function _spanOf(
        uint256 licence,
        TermsCodec.Words calldata terms,
        ILicences.State memory state,
        uint256 period
    ) private pure returns (Periods.Span memory span) {
        if (terms.periodMonths == 0) revert Errors.Licences_NoReports(licence);
        if (period <= type(uint16).max) {
            Periods.fill(span, terms, state.acceptedAt, Periods.stopOf(terms, state.stop), period);
        }
        if (span.start >= span.end) revert Errors.Licences_NoSuchPeriod(licence, period);
    }

    function _destinationOf(
        uint256 licence,
        TermsCodec.Words calldata terms,
        ILicences.State memory state,
        uint256 period,
        uint256 start
    ) private view returns (bytes32) {
        address distributions = address(uint160(terms.distributions));
        if (distributions != address(0)) {
            return licences.splits().accountId(distributions, Periods.saltOf(address(licences), licence, period));
        }
        uint256 time = Periods.splitTime(state.acceptedAt, period, start);
        return time > block.timestamp ? bytes32(0) : licences.catalogues().splitAt(terms.catalogue, time);
    }

    function _fillDates(Due memory due, Periods.Span memory span) private pure {
        due.start = span.start;
        due.end = span.end;
        due.reportBy = span.reportBy;
        due.payBy = span.payBy;
        due.interestFrom = span.interestFrom;
    }

    function _fillRoyalty(
        Due memory due,
        TermsCodec.Words calldata terms,
        ILicences.State memory state,
        Periods.Span memory span
    ) private pure {
        bool overLife = terms.tiersOverLife != 0;
        uint256 counted = overLife ? state.sumA : due.base;
        due.earnedByTier = _earnedByTier(terms, counted);
        due.earned = RoyaltyMath.earnedDown(terms, counted);
        due.guarantee = overLife ? state.sumB : Periods.guaranteeDown(terms, span);
        due.guaranteeTopUp = due.guarantee > due.earned ? due.guarantee - due.earned : 0;
        due.royalty = due.earned + due.guaranteeTopUp;
        uint256 royalties = overLife ? due.royalty : state.sumA;
        uint256 advance = terms.advance != 0 ? terms.upfrontFee : 0;
        due.recouped = royalties < advance ? royalties : advance;
        due.owedInAll = RoyaltyMath.owed(terms, state.sumA, state.sumB);
        due.capReached = terms.cap != 0 && due.owedInAll == terms.cap;
    }

    /// @dev What the queue of set-off would give to a line.
    function _usableSetOff(uint256 licence, uint256 line) private view returns (uint256 usable) {
        for (uint256 i = 0; i < SOURCES_EACH && usable < line; ++i) {
            (, uint256 amount) = licences.setOffAt(licence, i);
            usable += amount;
        }
        if (usable > line) usable = line;
    }

    function _earnedByTier(
        TermsCodec.Words calldata terms,
        uint256 counted
    ) private pure returns (uint256[] memory earned) {
        uint256 from = 0;
        earned = new uint256[](TermsCodec.tierCount(terms));
        for (uint256 i = 0; i < earned.length && counted > from; ++i) {
            (uint256 upTo, uint256 ratePpm) = TermsCodec.tierAt(terms, i);
            if (counted < upTo) upTo = counted;
            earned[i] = (upTo - from) * ratePpm;
            from = upTo;
        }
    }
}
