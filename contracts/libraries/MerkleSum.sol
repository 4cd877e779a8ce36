// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { ISplits } from "../interfaces/ISplits.sol";

/// @title MerkleSum
/// @notice Strict proofs of leaves and pages of a split. The format is told in ISplits.
/// @dev Sums alone would not bind a leaf to one place: the lengths of proofs and pages, the ranges of index and page,
///      and every sum on the way are checked, so that each leaf has one position and no sum can wrap.
library MerkleSum {
    /// @dev Levels below a page's node: a page has 2^7 = 128 leaves.
    uint256 internal constant PAGE_DEPTH = 7;
    uint256 internal constant PAGE_SIZE = 128;
    uint256 internal constant MAX_DEPTH = 32;
    uint256 internal constant UNITS_MASK = type(uint96).max;

    /// @notice The id of a split, after the checks of range.
    function idOf(ISplits.Split calldata split) internal pure returns (bytes32 id) {
        if (split.depth > MAX_DEPTH) revert Errors.Splits_DepthTooLarge(split.depth);
        if (split.total == 0 || split.total > type(uint128).max) revert Errors.Splits_TotalOutOfRange(split.total);
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, split, 96)
            id := keccak256(free, 96)
        }
    }

    /// @notice Number of pages of a split of this depth.
    function pagesOf(uint256 depth) internal pure returns (uint256) {
        return depth <= PAGE_DEPTH ? 1 : 1 << (depth - PAGE_DEPTH);
    }

    /// @notice Checks that a leaf stands at its index in the split; returns the split's id.
    function checkLeaf(ISplits.Leaf calldata item) internal pure returns (bytes32 id) {
        id = idOf(item.split);
        uint256 depth = item.split.depth;
        uint256 total = item.split.total;
        uint256 index = item.index;
        bytes32[] calldata siblings = item.siblings;
        bytes32 node = item.leaf;
        uint256 sum = uint256(node) & UNITS_MASK;
        if (index >> depth != 0) revert Errors.Splits_IndexOutOfRange(index, depth);
        if (sum == 0 || uint256(node) >> 96 == 0) revert Errors.Splits_BadLeaf(node);
        uint256 expected = depth == 0 ? 0 : 2 * depth - 1;
        if (siblings.length != expected) revert Errors.Splits_WrongProofLength(siblings.length, expected);

        if (depth != 0) {
            bytes32 neighbour = siblings[0];
            node = index & 1 == 0 ? _hashLeaves(node, neighbour) : _hashLeaves(neighbour, node);
            sum += uint256(neighbour) & UNITS_MASK;
            (node, sum) = _climb(index >> 1, node, sum, total, siblings[1:]);
        }
        if (node != item.split.root || sum != total) revert Errors.Splits_ProofMismatch(id);
    }

    /// @notice Checks that a page's words stand at its place in the split; returns the split's id.
    function checkPage(
        ISplits.Split calldata split,
        uint256 page,
        bytes32[] calldata words,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32 id) {
        id = idOf(split);
        uint256 depth = split.depth;
        uint256 height = depth < PAGE_DEPTH ? depth : PAGE_DEPTH;
        if (page >= pagesOf(depth)) revert Errors.Splits_PageOutOfRange(page, pagesOf(depth));
        if (words.length != 1 << height) revert Errors.Splits_WrongWordCount(words.length, 1 << height);
        uint256 expected = 2 * (depth - height);
        if (siblings.length != expected) revert Errors.Splits_WrongProofLength(siblings.length, expected);

        (bytes32 node, uint256 sum) = _pageNode(words, height);
        (node, sum) = _climb(page, node, sum, split.total, siblings);
        if (node != split.root || sum != split.total) revert Errors.Splits_ProofMismatch(id);
    }

    /// @notice Checks that each word has both payee and units or neither, and that none names `forbidden`.
    function checkWords(bytes32[] calldata words, address forbidden) internal pure {
        uint256 bad;
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffffffffffff
            let itself := shl(96, forbidden)
            let end := add(words.offset, shl(5, words.length))
            for {
                let left := shl(5, words.length)
            } left {
                left := sub(left, 32)
            } {
                let word := calldataload(sub(end, left))
                bad := or(bad, or(eq(gt(word, mask), iszero(and(word, mask))), iszero(gt(xor(word, itself), mask))))
            }
        }
        if (bad != 0) _refuseWords(words, forbidden);
    }

    /// @dev Names the first word that is at fault.
    function _refuseWords(bytes32[] calldata words, address forbidden) private pure {
        for (uint256 i = 0; ; ++i) {
            address payee = address(bytes20(words[i]));
            if (payee == forbidden) revert Errors.Splits_PayeeIsSplits(i);
            if ((payee == address(0)) != (uint256(words[i]) & UNITS_MASK == 0)) {
                revert Errors.Splits_BadLeaf(words[i]);
            }
        }
    }

    /// @dev Hashes a page up to its top node. Sums cannot wrap: 128 leaves of at most 96 bits each.
    /// @return node the hash of the page's top node, or its only leaf
    /// @return sum units of the page
    function _pageNode(bytes32[] calldata words, uint256 height) private pure returns (bytes32 node, uint256 sum) {
        if (height > 1) return _foldPage(words);
        node = words[0];
        sum = uint256(node) & UNITS_MASK;
        if (height == 1) {
            node = _hashLeaves(node, words[1]);
            sum += uint256(words[1]) & UNITS_MASK;
        }
    }

    /// @dev The same for four leaves and more: at first four leaves to a node of level 2, then two nodes to one, level by
    ///      level, in a buffer whose words are overwritten by the (hash, sum) of their parents.
    function _foldPage(bytes32[] calldata words) private pure returns (bytes32 node, uint256 sum) {
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffffffffffff
            let buffer := mload(0x40)
            let size := shl(5, words.length)
            calldatacopy(buffer, words.offset, size)
            for {
                let at := 0
            } lt(at, size) {
                at := add(at, 128)
            } {
                let four := add(buffer, at)
                let leftUnits := add(and(mload(four), mask), and(mload(add(four, 32)), mask))
                let rightUnits := add(and(mload(add(four, 64)), mask), and(mload(add(four, 96)), mask))
                mstore(four, keccak256(four, 64))
                mstore(add(four, 32), leftUnits)
                mstore(add(four, 64), keccak256(add(four, 64), 64))
                mstore(add(four, 96), rightUnits)
                let parent := add(buffer, shr(1, at))
                mstore(parent, keccak256(four, 128))
                mstore(add(parent, 32), add(leftUnits, rightUnits))
            }
            for {
                let width := shr(2, size)
            } gt(width, 63) {
                width := shr(1, width)
            } {
                for {
                    let at := 0
                } lt(at, width) {
                    at := add(at, 64)
                } {
                    let parent := add(buffer, at)
                    let pair := add(parent, at)
                    let units := add(mload(add(pair, 32)), mload(add(pair, 96)))
                    mstore(parent, keccak256(pair, 128))
                    mstore(add(parent, 32), units)
                }
            }
            node := mload(buffer)
            sum := mload(add(buffer, 32))
        }
    }

    /// @dev Climbs from a node to the root by (hash, sum) siblings. Every sum has to be at most `total`, itself below
    ///      2^128. Siblings below 2^128 cannot make the sum wrap, and it only grows, so its end tells of every step.
    ///      A left child's (hash, sum) stands at 0 of a buffer of 128 bytes, a right one's at 64, its sibling's beside it.
    function _climb(
        uint256 position,
        bytes32 node,
        uint256 sum,
        uint256 total,
        bytes32[] calldata siblings
    ) private pure returns (bytes32 root, uint256 units) {
        root = node;
        units = sum;
        uint256 all;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let end := add(siblings.offset, shl(5, siblings.length))
            for {
                let left := shl(5, siblings.length)
            } left {
                left := sub(left, 64)
            } {
                let side := shl(6, and(position, 1))
                let own := add(buffer, side)
                mstore(own, root)
                mstore(add(own, 32), units)
                let other := add(buffer, xor(side, 64))
                calldatacopy(other, sub(end, left), 64)
                let theirs := mload(add(other, 32))
                root := keccak256(buffer, 128)
                units := add(units, theirs)
                all := or(all, theirs)
                position := shr(1, position)
            }
        }
        if (units > total || all >> 128 != 0) _refuseSum(sum, total, siblings);
    }

    /// @dev Names the first sum that is above the total.
    function _refuseSum(uint256 sum, uint256 total, bytes32[] calldata siblings) private pure {
        if (sum > total) revert Errors.Splits_SumAboveTotal(sum, total);
        for (uint256 i = 1; ; i += 2) {
            uint256 other = uint256(siblings[i]);
            if (other > total) revert Errors.Splits_SumAboveTotal(other, total);
            sum += other;
            if (sum > total) revert Errors.Splits_SumAboveTotal(sum, total);
        }
    }

    function _hashLeaves(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }
}
