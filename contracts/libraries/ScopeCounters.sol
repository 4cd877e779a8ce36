// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ScopeCounters
/// @notice Live licences of one catalogue in one word: ten lanes of 24 bits count the live licences of a scope bit, the
///         ten bits above them say whether one of these is exclusive.
library ScopeCounters {
    uint256 internal constant BITS = 10;
    uint256 private constant LANE = 24;
    uint256 private constant LANE_MAX = (1 << LANE) - 1;
    uint256 private constant EXCLUSIVE = BITS * LANE;

    /// @notice Adds a licence. `taken` are the scope bits that a live licence keeps from it; then `next` is unusable.
    function add(uint256 word, uint256 scope, uint256 exclusive) internal pure returns (uint256 next, uint256 taken) {
        taken = scope & (word >> EXCLUSIVE);
        next = word | (exclusive << EXCLUSIVE);
        unchecked {
            for (uint256 bit = 0; bit < BITS; ++bit) {
                if ((scope >> bit) & 1 == 0) continue;
                uint256 live = (word >> (bit * LANE)) & LANE_MAX;
                if (live == LANE_MAX || (live != 0 && (exclusive >> bit) & 1 == 1)) taken |= 1 << bit;
                else next += 1 << (bit * LANE);
            }
        }
    }

    /// @notice Takes away a licence that was added with the same bits.
    function remove(uint256 word, uint256 scope, uint256 exclusive) internal pure returns (uint256 next) {
        next = word & ~(exclusive << EXCLUSIVE);
        unchecked {
            for (uint256 bit = 0; bit < BITS; ++bit) {
                if ((scope >> bit) & 1 == 1) next -= 1 << (bit * LANE);
            }
        }
    }

    /// @notice Live and live exclusive licences on one scope bit.
    function liveAt(uint256 word, uint256 bit) internal pure returns (uint256 live, uint256 exclusive) {
        if (bit < BITS) {
            live = (word >> (bit * LANE)) & LANE_MAX;
            exclusive = (word >> (EXCLUSIVE + bit)) & 1;
        }
    }
}
