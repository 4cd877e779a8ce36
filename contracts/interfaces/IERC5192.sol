// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IERC5192
/// @notice Minimal soulbound tokens (ERC-5192), interface id 0xb45a3c0e.
interface IERC5192 {
    /// @notice The token was minted locked, and will stay so.
    event Locked(uint256 tokenId);
    /// @notice The token was unlocked. Never emitted: what locks a transferable licence for a while is told by `locked`.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a transfer of the token would be refused now. Reverts for an unknown token.
    function locked(uint256 tokenId) external view returns (bool);
}
