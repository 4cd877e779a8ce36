// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Calendar
/// @notice Months of the proleptic Gregorian calendar in UTC, as plain numbers: month 0 is January of the year 0.
/// @dev After Howard Hinnant, "chrono-compatible low-level date algorithms": years that begin in March, eras of 400 years
///      (146,097 days), day 719,468 of era 0 being 1 January 1970. Nothing wraps for times below 2^40.
library Calendar {
    /// @notice The month that contains a time.
    function monthOf(uint256 time) internal pure returns (uint256 month) {
        unchecked {
            uint256 day = time / 1 days + 719_468;
            uint256 era = day / 146_097;
            day %= 146_097;
            uint256 year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
            // Months since March of that year; January and February belong to the next year.
            day -= 365 * year + year / 4 - year / 100;
            month = (era * 400 + year) * 12 + 2 + (5 * day + 2) / 153;
        }
    }

    /// @notice The first second of a month at or after January 1970.
    function startOf(uint256 month) internal pure returns (uint256 time) {
        unchecked {
            uint256 fromMarch = month - 2;
            uint256 year = fromMarch / 12;
            uint256 era = year / 400;
            uint256 yearOfEra = year % 400;
            uint256 day = (153 * (fromMarch % 12) + 2) / 5;
            day += yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100;
            time = (era * 146_097 + day - 719_468) * 1 days;
        }
    }
}
