// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PlainToken } from "./PlainToken.sol";

/// @title HungryToken
/// @notice Test chains only: a transfer that is given less gas than `appetite` reverts, so starving it shows.
contract HungryToken is PlainToken {
    error Hungry(uint256 given);

    uint256 public appetite;

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function setAppetite(uint256 appetite_) external {
        appetite = appetite_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        uint256 given = gasleft();
        if (given < appetite) revert Hungry(given);
        return super.transfer(to, value);
    }
}

/// @title CurtToken
/// @notice Test chains only: a transfer to the chosen recipient moves nothing and answers one zero byte, which leaves a
///         word of `true` from an earlier answer as it stands.
contract CurtToken is PlainToken {
    address public refused;

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function setRefused(address refused_) external {
        refused = refused_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (to != refused) return super.transfer(to, value);
        assembly ("memory-safe") {
            mstore(0x00, 0)
            return(0x00, 1)
        }
    }
}
