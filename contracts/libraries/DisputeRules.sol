// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DisputeRules
/// @notice One proposal, one alternative (what stands), one deadline: who may end a dispute, and how.
library DisputeRules {
    /// @notice Until the deadline the other side may accept, the proposer may withdraw, and the arbiter, once called,
    ///         may choose; after it anyone may only let stand what stands.
    /// @param accepted whether the proposal is to be accepted
    /// @param closed whether the deadline has passed
    /// @param isArbiter whether the caller is the arbiter and was called
    function maySettle(
        bool accepted,
        bool closed,
        bool isProposer,
        bool isOther,
        bool isArbiter
    ) internal pure returns (bool) {
        if (closed) return !accepted;
        return isArbiter || (accepted ? isOther : isProposer);
    }
}
