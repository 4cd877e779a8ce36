// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISplits } from "../../interfaces/ISplits.sol";
import { Reaction } from "./Reaction.sol";

/// @title ReenteringSplits
/// @notice Test chains only: stands in for Splits beneath Catalogues; every split is public, and publishing reacts.
contract ReenteringSplits is Reaction {
    function publish(ISplits.Split calldata, ISplits.Run[] calldata) external {
        _react();
    }

    function isPublished(bytes32) external pure returns (bool) {
        return true;
    }
}
