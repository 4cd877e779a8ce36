// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ISplits, ISplitsPayer } from "../../interfaces/ISplits.sol";
import { Reaction } from "./Reaction.sol";

/// @title TestPayer
/// @notice Test chains only: pays into Splits by callback; it may over- or underpay, pay nothing, refuse, or react.
contract TestPayer is Reaction, ISplitsPayer {
    error Refused();

    ISplits public immutable splits;
    /// @notice Base units sent beyond what was asked for; negative: short of it.
    int256 public surplus;
    bool public refusing;
    /// @notice What the last callback was told.
    address public lastToken;
    uint256 public lastAmount;
    bytes public lastData;

    constructor(ISplits splits_) {
        splits = splits_;
    }

    function setSurplus(int256 surplus_) external {
        surplus = surplus_;
    }

    function setRefusing(bool refusing_) external {
        refusing = refusing_;
    }

    function credit(bytes32 splitId, address token, uint256 amount, bytes calldata data) external returns (uint256) {
        return splits.creditByCallback(splitId, token, amount, data);
    }

    function fund(
        address controller,
        bytes32 salt,
        address token,
        uint256 amount,
        bytes calldata data
    ) external returns (uint256) {
        return splits.fundAccountByCallback(controller, salt, token, amount, data);
    }

    /// @inheritdoc ISplitsPayer
    function onSplitsPull(address token, uint256 amount, bytes calldata data) external {
        if (refusing) revert Refused();
        (lastToken, lastAmount, lastData) = (token, amount, data);
        int256 sent = int256(amount) + surplus;
        if (sent > 0) _send(token, uint256(sent));
        _react();
    }

    /// @dev Takes any answer of the token: what arrives is measured by Splits.
    function _send(address token, uint256 amount) private {
        (bool success, bytes memory reason) = token.call(abi.encodeCall(IERC20.transfer, (msg.sender, amount)));
        if (!success) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}
