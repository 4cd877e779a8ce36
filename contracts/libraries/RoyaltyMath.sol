// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TermsCodec } from "./TermsCodec.sol";

/// @title RoyaltyMath
/// @notice The formulas of ILicences, each rounded down once.
/// @dev Figures, fee, guarantee and cap are below 2^104, sums of at most 2^16 of them below 2^120, rates at most 10^6 and
///      so below 2^20: no product reaches 2^141, and nothing here wraps.
library RoyaltyMath {
    uint256 internal constant PPM = 1e6;

    /// @notice b = gross − min(deductions, floor(gross × capPpm / 1e6)).
    function baseOf(uint256 gross, uint256 deductions, uint256 capPpm) internal pure returns (uint256) {
        unchecked {
            uint256 most = (gross * capPpm) / PPM;
            return gross - (deductions < most ? deductions : most);
        }
    }

    /// @notice T(x), marginal tiers.
    function earnedDown(TermsCodec.Words calldata terms, uint256 x) internal pure returns (uint256 sum) {
        unchecked {
            uint256 from = 0;
            // The last tier has no end that x could pass; without tiers nothing is earned.
            for (uint256 i = 0; i < TermsCodec.tierCount(terms); ++i) {
                (uint256 upTo, uint256 ratePpm) = TermsCodec.tierAt(terms, i);
                if (x <= upTo) return (sum + (x - from) * ratePpm) / PPM;
                sum += (upTo - from) * ratePpm;
                from = upTo;
            }
        }
    }

    /// @notice R of one period: max(T(base), G).
    function royaltyOf(
        TermsCodec.Words calldata terms,
        uint256 base,
        uint256 guarantee
    ) internal pure returns (uint256) {
        uint256 earned = earnedDown(terms, base);
        return earned > guarantee ? earned : guarantee;
    }

    /// @notice Y of the sums kept by a licence: `sumA` is Σ base and `sumB` Σ guarantee where tiers count over the life,
    ///         else `sumA` is Σ max(T, G).
    function owed(TermsCodec.Words calldata terms, uint256 sumA, uint256 sumB) internal pure returns (uint256 amount) {
        amount = terms.tiersOverLife != 0 ? royaltyOf(terms, sumA, sumB) : sumA;
        if (terms.advance != 0) {
            uint256 advance = terms.upfrontFee;
            unchecked {
                amount = amount > advance ? amount - advance : 0;
            }
        }
        uint256 cap = terms.cap;
        if (cap != 0 && amount > cap) amount = cap;
    }

    /// @notice Y after − Y before, and the sums after, when a period's base becomes `base`.
    /// @param isNew whether the period is booked now; then `before` is of no account
    /// @param guarantee of the period
    function lineOf(
        TermsCodec.Words calldata terms,
        uint256 sumA,
        uint256 sumB,
        bool isNew,
        uint256 before,
        uint256 base,
        uint256 guarantee
    ) internal pure returns (int256 line, uint256 nextA, uint256 nextB) {
        (nextA, nextB) = (sumA, sumB);
        // Sums and what is owed of them are below 2^120, and a sum holds all that was added to it.
        unchecked {
            if (terms.tiersOverLife != 0) {
                nextA += base;
                if (isNew) nextB += guarantee;
                else nextA -= before;
            } else {
                nextA += royaltyOf(terms, base, guarantee);
                if (!isNew) nextA -= royaltyOf(terms, before, guarantee);
            }
            line = int256(owed(terms, nextA, nextB)) - int256(owed(terms, sumA, sumB));
        }
    }
}
