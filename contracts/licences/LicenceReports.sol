// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ILicences } from "../interfaces/ILicences.sol";
import { Errors } from "../libraries/Errors.sol";
import { LateInterest } from "../libraries/LateInterest.sol";
import { LicenceState } from "../libraries/LicenceState.sol";
import { Periods } from "../libraries/Periods.sol";
import { RoyaltyMath } from "../libraries/RoyaltyMath.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";
import { LicenceGrants } from "./LicenceGrants.sol";

/// @title LicenceReports
/// @notice Figures booked, restated and paid.
abstract contract LicenceReports is LicenceGrants {
    using LateInterest for LateInterest.Interest;

    uint256 internal constant REPORTED = 1;
    uint256 internal constant MISSING = 2;
    uint256 internal constant RESTATED = 3;
    uint256 internal constant SETTLED = 4;

    /// @dev Versions that the licensee can use up; the other half is left to settlements.
    uint256 private constant MAX_RESTATED = 1 << 15;

    /// @dev Reports of one call that are booked before they are paid.
    uint256 private constant BATCH = 32;

    // Changes

    /// @inheritdoc ILicences
    function report(
        uint256 licence,
        bytes calldata terms,
        Figures calldata figures,
        bool payNow
    ) external nonReentrant returns (int256 line) {
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireLicensee(licence);
        Account memory account;
        _report(account, licence, t, self, figures);
        _close(account, t, self, payNow);
        return account.line;
    }

    /// @inheritdoc ILicences
    function reportMany(
        uint256 licence,
        bytes calldata terms,
        Figures[] calldata figures,
        bool payNow
    ) external nonReentrant {
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireLicensee(licence);
        uint256 done = 0;
        while (done < figures.length) done += _reportBatch(licence, t, self, figures[done:], payNow);
    }

    /// @inheritdoc ILicences
    function bookMissing(
        uint256 licence,
        bytes calldata terms,
        uint256 period
    ) external nonReentrant returns (int256 line) {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        Account memory account;
        _next(account, licence, t, self, period);
        uint256 reportBy = account.span.reportBy;
        if (block.timestamp <= reportBy) revert Errors.Licences_NotMissing(licence, period, reportBy);
        account.kind = MISSING;
        account.limit = type(uint256).max;

        // effect
        _book(account, t, self);
        _close(account, t, self, false);
        return account.line;
    }

    /// @inheritdoc ILicences
    function restate(
        uint256 licence,
        bytes calldata terms,
        Figures calldata figures
    ) external nonReentrant returns (int256 line) {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireLicensee(licence);
        uint256 period = figures.period;
        Account memory account;
        LicenceState.Period memory state = account.state;
        _open(account, licence, t, self, period);
        _requireVersion(account, figures.version);
        if (state.version >= MAX_RESTATED) revert Errors.Licences_VersionsUsedUp(licence, period);
        if (_disputes[licence][period].proposer != 0) revert Errors.Licences_DisputeOpen(licence, period);
        _fillBooking(account, t, figures, RESTATED);
        if (account.base < state.base) {
            revert Errors.Licences_LowersBase(state.base, account.base);
        }

        // effect
        _book(account, t, self);
        _close(account, t, self, false);
        return account.line;
    }

    /// @inheritdoc ILicences
    function pay(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        uint256 version,
        uint256 believedOpen,
        uint256 amount
    ) external nonReentrant returns (uint256 interest, uint256 principal) {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        Account memory account;
        _open(account, licence, t, self, period);
        _requireVersion(account, version);
        uint256 open = account.state.open;
        if (open != believedOpen) revert Errors.Licences_OpenDiffers(licence, period, believedOpen, open);
        if (open == 0 && account.interest.dueDown() == 0) revert Errors.Licences_NothingOpen(licence, period);
        (uint256 due, uint256 least) = _dueAndLeast(account);
        if (amount > due) amount = due;
        if (amount < least) revert Errors.Licences_PaymentTooSmall(amount, account.interest.dueDown());
        account.destination = _destinationOf(licence, t, self, period, account.span.start);

        // interaction: what counts is what arrives, so the effects have to follow it
        uint256 arrived = _pull(t, account, amount);

        // effect
        (interest, principal) = _count(self, account, arrived);
        _store(licence, self);
        _recordPaid(account, interest, principal);
        _endCure(t, self, account, false);
    }

    // Internals

    /// @dev Reports the first of the figures, at most BATCH, and pays them; returns how many. Where there is set-off, one
    ///      at a time, so that its use is told in the order of the periods.
    function _reportBatch(
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Figures[] calldata figures,
        bool payNow
    ) private returns (uint256 size) {
        uint256 memoryMark;
        assembly ("memory-safe") {
            memoryMark := mload(0x40)
        }
        Account[] memory batch = new Account[](figures.length < BATCH ? figures.length : BATCH);
        do {
            _report(batch[size], licence, terms, self, figures[size]);
            ++size;
        } while (size < batch.length && self.setOff == 0);
        _closeBatch(batch, size, terms, self, payNow);
        // Nothing of the batch is used any more; otherwise memory would cost more with every report.
        assembly ("memory-safe") {
            mstore(0x40, memoryMark)
        }
    }

    function _report(
        Account memory account,
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Figures calldata figures
    ) private {
        uint256 period = figures.period;
        _next(account, licence, terms, self, period);
        uint256 end = account.span.end;
        if (block.timestamp < end) revert Errors.Licences_PeriodNotOver(licence, period, end);
        if (figures.version != 0) revert Errors.Licences_StaleVersion(licence, period, figures.version, 0);
        _fillBooking(account, terms, figures, REPORTED);
        _book(account, terms, self);
    }

    /// @dev Prepares the booking of a new period, which has to be the next.
    function _next(
        Account memory account,
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 period
    ) private view {
        if (terms.periodMonths == 0) revert Errors.Licences_NoReports(licence);
        if (period != self.nextPeriod) revert Errors.Licences_WrongPeriod(licence, period, self.nextPeriod);
        Periods.Span memory span = account.span;
        _fillSpan(span, terms, self, period);
        if (span.start >= self.stop) revert Errors.Licences_NoSuchPeriod(licence, period);
        account.licence = licence;
        account.period = period;
        account.interest.accrue(0, terms.lateRatePpm, span.interestFrom);
        unchecked {
            self.nextPeriod = period + 1;
        }
    }

    function _requireVersion(Account memory account, uint256 version) internal pure {
        uint256 standing = account.state.version;
        if (version != standing) {
            revert Errors.Licences_StaleVersion(account.licence, account.period, version, standing);
        }
    }

    function _fillBooking(
        Account memory account,
        TermsCodec.Words calldata terms,
        Figures calldata figures,
        uint256 kind
    ) internal pure {
        account.kind = kind;
        account.gross = figures.gross;
        account.deductions = figures.deductions;
        LicenceState.checkFigure(account.gross);
        LicenceState.checkFigure(account.deductions);
        account.base = RoyaltyMath.baseOf(account.gross, account.deductions, terms.deductionCapPpm);
        account.limit = figures.maxDue;
        account.reportHash = figures.reportHash;
    }

    /// @dev Books figures: the line, and what it opens, cancels or sets off. The caller closes.
    function _book(Account memory account, TermsCodec.Words calldata terms, LicenceState.Licence memory self) internal {
        // check
        (int256 line, uint256 sumA, uint256 sumB) = _lineOf(terms, self, account, account.base);
        if (line > 0 && uint256(line) > account.limit) {
            revert Errors.Licences_AboveMaxDue(uint256(line), account.limit);
        }
        account.destination = _destinationOf(account.licence, terms, self, account.period, account.span.start);

        // effect
        self.sumA = sumA;
        self.sumB = sumB;
        account.state.base = account.base;
        unchecked {
            ++account.state.version;
        }
        account.state.bookedAt = block.timestamp;
        account.line = line;
        _applyLine(terms, self, account);
        _storeAccount(self, account);
    }

    /// @dev Stores the licence after a booking, pays it if `payNow`, and records it.
    function _close(
        Account memory account,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        bool payNow
    ) internal {
        uint256 licence = account.licence;
        _store(licence, self);
        // interaction: all is stored as open until the money has arrived
        uint256 arrived = 0;
        if (payNow && account.counted) {
            (uint256 due, ) = _dueAndLeast(account);
            arrived = _pull(terms, account, due);
        }

        // effect
        _closeOne(account, terms, self, arrived, payNow);
        if (arrived != 0) _store(licence, self);
    }

    /// @dev The same for bookings of one licence: neighbours of one destination are paid by one pull, and what arrives
    ///      is counted in their order.
    function _closeBatch(
        Account[] memory batch,
        uint256 size,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        bool payNow
    ) private {
        uint256 licence = batch[0].licence;
        _store(licence, self);
        uint256 next = 0;
        while (next < size) {
            uint256 first = next;
            uint256 sum = 0;
            do {
                (uint256 due, ) = _dueAndLeast(batch[next]);
                sum += due;
                ++next;
            } while (next < size && batch[next].destination == batch[first].destination);

            // interaction: all is stored as open until the money has arrived
            if (!payNow) sum = 0;
            if (sum != 0) sum = _pull(terms, batch[first], sum);

            // effect
            for (uint256 i = first; i < next; ++i) sum -= _closeOne(batch[i], terms, self, sum, payNow);
            _store(licence, self);
        }
    }

    /// @dev Counts what has arrived for one booking, at most all of `arrived`, and records it; returns what was counted.
    function _closeOne(
        Account memory account,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 arrived,
        bool payNow
    ) private returns (uint256 counted) {
        uint256 interest = 0;
        uint256 principal = 0;
        if (payNow && account.counted) {
            (counted, ) = _dueAndLeast(account);
            if (counted > arrived) counted = arrived;
            (interest, principal) = _count(self, account, counted);
        }
        _recordBooked(account, interest == 0 ? principal : 0);
        if (interest != 0) _recordPaid(account, interest, principal);
        _endCure(terms, self, account, account.kind <= MISSING);
    }

    function _recordBooked(Account memory account, uint256 paid) private {
        _record(
            Booked.selector,
            bytes32(account.licence),
            abi.encode(
                msg.sender,
                account.kind,
                account.period,
                account.state.version,
                account.gross,
                account.deductions,
                account.state.base,
                account.line,
                account.destination,
                account.cancelled,
                account.setOff,
                paid,
                account.reportHash
            )
        );
    }

    function _recordPaid(Account memory account, uint256 interest, uint256 principal) private {
        _record(
            Paid.selector,
            bytes32(account.licence),
            abi.encode(msg.sender, account.period, account.destination, interest, principal, account.state.open)
        );
    }
}
