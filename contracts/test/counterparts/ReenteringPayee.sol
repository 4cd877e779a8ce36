// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC721Receiver } from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import { ITokensReceived } from "../tokens/CallingTokens.sol";
import { Reaction } from "./Reaction.sol";

/// @title ReenteringPayee
/// @notice Test chains only: a payee or licensee with code, which reacts when tokens of ERC-777 or ERC-721 arrive, refuses
///         them, or burns all gas.
contract ReenteringPayee is Reaction, ITokensReceived, IERC721Receiver {
    error Refused();

    /// @notice 0 takes what arrives, 1 refuses, 2 burns all gas.
    uint256 public mood;

    function setMood(uint256 mood_) external {
        mood = mood_;
    }

    function tokensReceived(address, address, address, uint256, bytes calldata, bytes calldata) external {
        _receive();
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        _receive();
        return IERC721Receiver.onERC721Received.selector;
    }

    function _receive() private {
        if (mood == 1) revert Refused();
        if (mood == 2) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        _react();
    }
}
