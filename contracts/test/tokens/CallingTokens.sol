// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PlainToken } from "./PlainToken.sol";
import { Reaction } from "../counterparts/Reaction.sol";

/// @notice The hook of ERC-777 without its registry.
interface ITokensReceived {
    function tokensReceived(
        address operator,
        address from,
        address to,
        uint256 amount,
        bytes calldata userData,
        bytes calldata operatorData
    ) external;
}

/// @title HookToken
/// @notice Test chains only: like ERC-777, tells a recipient that has code of what arrived; a recipient that reverts
///         refuses the transfer.
contract HookToken is PlainToken {
    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to.code.length != 0) {
            ITokensReceived(to).tokensReceived(msg.sender, from, to, value, "", "");
        }
    }
}

/// @title ReenteringToken
/// @notice Test chains only: calls a chosen target with chosen calldata in the middle of its transfers.
contract ReenteringToken is PlainToken, Reaction {
    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) _react();
    }
}
