// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";

/// @title LicenceState
/// @notice How a licence and its periods are packed into words of storage.
/// @dev A licence: status 8 | transferable 8 | in cure 8 | has set-off 8 | next period 16 | open periods 16 | open
///      disputes 16 | accepted at 40 | sum A 128, from the low end; a second word, in use only where it is not zero:
///      sum B 128 | set-off 104. A period: base 104 | open 104 | version 16 | booked 32 seconds after acceptance.
library LicenceState {
    uint256 internal constant ACTIVE = 1;
    uint256 internal constant EXPIRED = 2;
    uint256 internal constant TERMINATED = 3;

    uint256 private constant FIGURE_BITS = 104;

    /// @dev `stop` and `secondWord` are not packed: the end of the term as it now stands (2^256 − 1: none), and the
    ///      second word as it was read.
    struct Licence {
        uint256 status;
        bool transferable;
        bool inCure;
        bool hasSetOff;
        uint256 nextPeriod;
        uint256 openPeriods;
        uint256 openDisputes;
        uint256 acceptedAt;
        uint256 sumA;
        uint256 sumB;
        uint256 setOff;
        uint256 stop;
        uint256 secondWord;
    }

    struct Period {
        uint256 base;
        uint256 open;
        uint256 version;
        uint256 bookedAt;
    }

    /// @dev Nothing is cut: periods number less than 2^16 before the year 7461, counts of open ones are no larger, sums
    ///      of 2^16 figures are below 2^120.
    function packFirst(Licence memory self) internal pure returns (uint256 word) {
        word = self.status;
        word |= (self.transferable ? uint256(1) : 0) << 8;
        word |= (self.inCure ? uint256(1) : 0) << 16;
        word |= (self.setOff != 0 ? uint256(1) : 0) << 24;
        word |= self.nextPeriod << 32;
        word |= self.openPeriods << 48;
        word |= self.openDisputes << 64;
        word |= self.acceptedAt << 80;
        word |= self.sumA << 120;
    }

    /// @dev The first word of a licence that is granted now.
    function packNew(bool transferable, uint256 acceptedAt) internal pure returns (uint256) {
        return ACTIVE | ((transferable ? uint256(1) : 0) << 8) | (acceptedAt << 80);
    }

    function packSecond(Licence memory self) internal pure returns (uint256) {
        checkFigure(self.setOff);
        return self.sumB | (self.setOff << 128);
    }

    function unpackFirst(Licence memory self, uint256 word) internal pure {
        self.status = uint8(word);
        self.transferable = uint8(word >> 8) != 0;
        self.inCure = uint8(word >> 16) != 0;
        self.hasSetOff = uint8(word >> 24) != 0;
        self.nextPeriod = uint16(word >> 32);
        self.openPeriods = uint16(word >> 48);
        self.openDisputes = uint16(word >> 64);
        self.acceptedAt = uint40(word >> 80);
        self.sumA = uint128(word >> 120);
    }

    function unpackSecond(Licence memory self, uint256 word) internal pure {
        self.secondWord = word;
        self.sumB = uint128(word);
        self.setOff = word >> 128;
    }

    /// @dev `version` is kept below 2^16 by its user. The time saturates 136 years after acceptance, which closes the
    ///      window for objections and nothing else.
    function packPeriod(Period memory self, uint256 acceptedAt) internal pure returns (uint256) {
        checkFigure(self.open);
        uint256 delay;
        unchecked {
            delay = self.bookedAt - acceptedAt;
        }
        if (delay > type(uint32).max) delay = type(uint32).max;
        return self.base | (self.open << FIGURE_BITS) | (self.version << 208) | (delay << 224);
    }

    function unpackPeriod(Period memory self, uint256 word, uint256 acceptedAt) internal pure {
        self.base = uint104(word);
        self.open = uint104(word >> FIGURE_BITS);
        self.version = uint16(word >> 208);
        self.bookedAt = acceptedAt + (word >> 224);
    }

    function checkFigure(uint256 figure) internal pure {
        if (figure >> FIGURE_BITS != 0) revert Errors.Licences_FigureTooLarge(figure);
    }
}
