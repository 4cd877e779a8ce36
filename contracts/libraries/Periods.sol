// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Calendar } from "./Calendar.sol";
import { TermsCodec } from "./TermsCodec.sol";

/// @title Periods
/// @notice The reporting periods of a licence in time, and the dates that count from their ends.
library Periods {
    /// @dev A period ∩ [start, stop), the seconds of the whole calendar period, and the last seconds to report, to pay,
    ///      and to pay without interest. It is one of the licence's periods if it starts before its end.
    struct Span {
        uint256 start;
        uint256 end;
        uint256 calendarSeconds;
        uint256 reportBy;
        uint256 payBy;
        uint256 interestFrom;
    }

    /// @notice The end of the term as it now stands; 2^256 − 1: none.
    /// @param terminatedAt when the licence was terminated; zero: it was not
    function stopOf(TermsCodec.Words calldata terms, uint256 terminatedAt) internal pure returns (uint256 stop) {
        stop = terms.end == 0 ? type(uint256).max : terms.end;
        if (terminatedAt != 0 && terminatedAt < stop) stop = terminatedAt;
    }

    /// @notice Fills in a period of terms that have periods.
    /// @param period below 2^17
    function fill(
        Span memory span,
        TermsCodec.Words calldata terms,
        uint256 acceptedAt,
        uint256 stop,
        uint256 period
    ) internal pure {
        uint256 months = terms.periodMonths;
        uint256 start = terms.start;
        // Nothing wraps: times of periods are below 2^43, delays below 2^33.
        unchecked {
            uint256 first = (Calendar.monthOf(start) / months + period) * months;
            uint256 calendarStart = Calendar.startOf(first);
            uint256 calendarEnd = Calendar.startOf(first + months);
            span.start = period == 0 ? start : calendarStart;
            span.end = calendarEnd < stop ? calendarEnd : stop;
            span.calendarSeconds = calendarEnd - calendarStart;
            uint256 from = span.end > acceptedAt ? span.end : acceptedAt;
            span.reportBy = from + terms.daysToReport * 1 days;
            span.payBy = from + terms.daysToPay * 1 days;
            span.interestFrom = span.payBy + terms.graceDays * 1 days;
        }
    }

    /// @notice G, the minimum guarantee of a period, pro rata by seconds.
    function guaranteeDown(TermsCodec.Words calldata terms, Span memory span) internal pure returns (uint256) {
        unchecked {
            return (terms.guarantee * (span.end - span.start)) / span.calendarSeconds;
        }
    }

    /// @notice The time whose split a period belongs to: its start, or acceptance where that is later or the period the
    ///         first.
    function splitTime(uint256 acceptedAt, uint256 period, uint256 start) internal pure returns (uint256) {
        return period == 0 || start < acceptedAt ? acceptedAt : start;
    }

    /// @notice The salt of a period's account in Splits.
    function saltOf(address licences, uint256 licence, uint256 period) internal pure returns (bytes32) {
        return keccak256(abi.encode(licences, licence, period));
    }
}
