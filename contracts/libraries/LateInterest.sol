// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title LateInterest
/// @notice Simple interest as a numerator: Σ open × rate (ppm a year) × seconds, floored only when it is paid.
/// @dev Open principal is below 2^104, rates below 2^24, times below 2^40: a change adds less than 2^168, and the 2^16
///      versions of a period, two changes each, less than 2^185. `upTo` is zero before interest ever ran.
library LateInterest {
    /// @dev What one base unit of interest is in the numerator: ppm × seconds of a year of 365 days.
    uint256 internal constant UNIT = 1e6 * 365 days;

    struct Interest {
        uint256 numerator;
        uint256 upTo;
    }

    /// @notice Brings the numerator up to date. Nothing runs up to and including the second `from`.
    function accrue(Interest memory self, uint256 open, uint256 ratePpm, uint256 from) internal view {
        if (block.timestamp <= from || ratePpm == 0) return;
        uint256 start = self.upTo > from ? self.upTo : from;
        unchecked {
            self.numerator += open * ratePpm * (block.timestamp - start);
        }
        self.upTo = block.timestamp;
    }

    /// @notice The interest that `principal` bears from the second `from` until now.
    function since(uint256 principal, uint256 ratePpm, uint256 from) internal view returns (uint256) {
        unchecked {
            return block.timestamp > from ? principal * ratePpm * (block.timestamp - from) : 0;
        }
    }

    /// @notice Takes off the interest of cancelled principal, not below zero.
    function giveBack(Interest memory self, uint256 numerator) internal pure {
        unchecked {
            self.numerator = self.numerator > numerator ? self.numerator - numerator : 0;
        }
    }

    /// @notice Whole base units of interest.
    function dueDown(Interest memory self) internal pure returns (uint256) {
        return self.numerator / UNIT;
    }

    function pack(Interest memory self) internal pure returns (uint256) {
        return self.numerator | (self.upTo << 208);
    }

    function unpack(Interest memory self, uint256 word) internal pure {
        self.numerator = uint208(word);
        self.upTo = word >> 208;
    }
}
