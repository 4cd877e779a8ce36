// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MintableDollar } from "./TestDollar.sol";

/// @title BlocklistDollar
/// @notice Test chains only: a dollar whose transfers from and to blocked accounts revert; anyone may block anyone.
contract BlocklistDollar is MintableDollar {
    /// @notice A blocked account stands in the way of the transfer.
    error Blocked(address account);

    /// @notice An account was blocked, or set free.
    event BlockedSet(address indexed account, bool blocked);

    /// @notice Whether transfers from and to the account revert.
    mapping(address account => bool) public isBlocked;

    constructor() MintableDollar("Block Dollar (test chains only)", "bUSD") {}

    /// @notice Blocks an account, or sets it free.
    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
        emit BlockedSet(account, blocked);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert Blocked(from);
        if (isBlocked[to]) revert Blocked(to);
        super._update(from, to, value);
    }
}
