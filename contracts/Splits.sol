// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleSum } from "./libraries/MerkleSum.sol";
import { ISplits } from "./interfaces/ISplits.sol";
import { SplitClaims } from "./splits/SplitClaims.sol";
import { SplitCredits } from "./splits/SplitCredits.sol";
import { SplitPages } from "./splits/SplitPages.sol";
import { SplitPublication } from "./splits/SplitPublication.sol";

/// @title Splits
/// @notice The money of the ledger; told in ISplits. Its parts lie in splits/, its views here.
contract Splits is SplitPublication, SplitCredits, SplitPages, SplitClaims {
    /// @inheritdoc ISplits
    function splitId(Split calldata split) external pure returns (bytes32) {
        return MerkleSum.idOf(split);
    }

    /// @inheritdoc ISplits
    function isPagePublished(bytes32 id, uint256 page) external view returns (bool) {
        uint256 pages = _publication[id] >> 128;
        if (pages == 1) return page == 0;
        return (_publishedPages[id][page >> 8] >> (page & 255)) & 1 == 1;
    }

    /// @inheritdoc ISplits
    function publication(bytes32 id) external view returns (uint256 published, uint256 pages) {
        uint256 state = _publication[id];
        return (uint128(state), state >> 128);
    }

    /// @inheritdoc ISplits
    function cumulative(bytes32 id, address token) external view returns (uint256) {
        return uint128(_sums[id][token]);
    }

    /// @inheritdoc ISplits
    function accountBalance(bytes32 account, address token) external view returns (uint256) {
        return _accounts[account][token];
    }

    /// @inheritdoc ISplits
    function pageState(
        bytes32 id,
        address token,
        uint256 page
    ) external view nonReentrantView returns (uint256 paidUpTo, uint256 exceptions) {
        (, paidUpTo, exceptions) = _page(id, token, page);
    }

    /// @inheritdoc ISplits
    function leafState(
        bytes32 id,
        address token,
        uint256 index
    ) external view nonReentrantView returns (uint256 kind, uint256 checkpoint) {
        uint256 own = _leaves[id][token][index];
        return (own >> 128, uint128(own));
    }

    /// @inheritdoc ISplits
    function owed(Leaf calldata leaf) external view nonReentrantView returns (uint256) {
        bytes32 id = MerkleSum.checkLeaf(leaf);
        (, uint256 from, uint256 sum) = _checkpoint(id, leaf.token, leaf.index);
        return _owed(leaf, sum, from);
    }

    /// @inheritdoc ISplits
    function claimNonce(address payee) external view returns (uint256) {
        return _claimNonces[payee];
    }

    /// @inheritdoc ISplits
    function standingAddress(address payee) external view returns (address) {
        return _standing[payee];
    }
}
