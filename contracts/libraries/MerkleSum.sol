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
    /// @dev Hash of the node above eight leaves of padding: h(3), where h(1) = keccak256(64 zero bytes) and
    ///      h(n + 1) = keccak256(h(n) ‖ 0 ‖ h(n) ‖ 0).
    bytes32 private constant EIGHT_EMPTY = 0xb60b53dd4a02df29a0dba9d42241104a868571eb741fc31cf40bdb3052d834b5;

    /// @notice The id of a split, after the checks of range.
    function idOf(ISplits.Split calldata split) internal pure returns (bytes32 id) {
        if (split.depth > MAX_DEPTH) revert Errors.Splits_DepthTooLarge(split.depth);
        // 2^256 − 1 in the place of zero is out of range too.
        unchecked {
            if (split.total - 1 >= type(uint128).max) revert Errors.Splits_TotalOutOfRange(split.total);
        }
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, split, 96)
            id := keccak256(free, 96)
        }
    }

    /// @notice Number of pages of a split of this depth.
    function pagesOf(uint256 depth) internal pure returns (uint256) {
        unchecked {
            return depth <= PAGE_DEPTH ? 1 : 1 << (depth - PAGE_DEPTH);
        }
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

    /// @notice Levels below the node of a run of so many words; where no run has that number, of the next larger one.
    function heightOf(uint256 depth, uint256 words) internal pure returns (uint256 height) {
        height = depth < PAGE_DEPTH ? depth : PAGE_DEPTH;
        while (words > 1 << height && height < depth) ++height;
    }

    /// @notice Checks that a page's words stand at its place in the split: a run of one page. Returns as checkRun.
    function checkPage(
        ISplits.Split calldata split,
        uint256 page,
        bytes32[] calldata words,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32 id, uint256 used) {
        uint256 depth = split.depth;
        return checkRun(split, page, depth < PAGE_DEPTH ? depth : PAGE_DEPTH, words, siblings);
    }

    /// @notice Checks that the words of a run of pages stand at their place in the split.
    /// @param height levels below the run's node: heightOf
    /// @return id the split's id
    /// @return used number of words after which all are padding, rounded up to a multiple of eight where there are eight or
    ///         more
    function checkRun(
        ISplits.Split calldata split,
        uint256 firstPage,
        uint256 height,
        bytes32[] calldata words,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32 id, uint256 used) {
        id = idOf(split);
        uint256 depth = split.depth;
        if (firstPage >= pagesOf(depth)) revert Errors.Splits_PageOutOfRange(firstPage, pagesOf(depth));
        if (words.length != 1 << height) revert Errors.Splits_WrongWordCount(words.length, 1 << height);
        bytes32 node;
        uint256 sum;
        // Nothing wraps: depth is at most 32, height at most depth, and a page number below 2^25.
        unchecked {
            uint256 expected = 2 * (depth - height);
            if (siblings.length != expected) revert Errors.Splits_WrongProofLength(siblings.length, expected);
            uint256 firstLeaf = firstPage * PAGE_SIZE;
            if (firstLeaf & (words.length - 1) != 0) {
                revert Errors.Splits_RunMisplaced(firstPage, words.length / PAGE_SIZE);
            }
            (node, sum, used) = _runNode(words, height);
            (node, sum) = _climb(firstLeaf >> height, node, sum, split.total, siblings);
        }
        if (node != split.root || sum != split.total) revert Errors.Splits_ProofMismatch(id);
    }

    /// @notice Checks that each word has both payee and units or neither, and that none names `forbidden`.
    /// @return used number of words up to the last that is not padding
    function checkWords(bytes32[] calldata words, address forbidden) internal pure returns (uint256 used) {
        uint256 bad;
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffffffffffff
            // Four at a time, as far as there are four.
            let end := add(words.offset, shl(7, shr(2, words.length)))
            for {
                let at := words.offset
            } lt(at, end) {
                at := add(at, 128)
            } {
                {
                    let word := calldataload(at)
                    bad := or(bad, or(eq(gt(word, mask), iszero(and(word, mask))), eq(shr(96, word), forbidden)))
                }
                {
                    let word := calldataload(add(at, 32))
                    bad := or(bad, or(eq(gt(word, mask), iszero(and(word, mask))), eq(shr(96, word), forbidden)))
                }
                {
                    let word := calldataload(add(at, 64))
                    bad := or(bad, or(eq(gt(word, mask), iszero(and(word, mask))), eq(shr(96, word), forbidden)))
                }
                {
                    let word := calldataload(add(at, 96))
                    bad := or(bad, or(eq(gt(word, mask), iszero(and(word, mask))), eq(shr(96, word), forbidden)))
                }
            }
        }
        if (bad != 0 || words.length < 4) _refuseWords(words, forbidden);
        assembly ("memory-safe") {
            let start := words.offset
            let end := add(start, shl(5, words.length))
            for {} gt(end, start) {
                end := sub(end, 32)
            } {
                if calldataload(sub(end, 32)) {
                    break
                }
            }
            used := shr(5, sub(end, start))
        }
    }

    /// @dev Names the first word that is at fault, if one is.
    function _refuseWords(bytes32[] calldata words, address forbidden) private pure {
        for (uint256 i = 0; i < words.length; ++i) {
            address payee = address(bytes20(words[i]));
            if (payee == forbidden) revert Errors.Splits_PayeeIsSplits(i);
            if ((payee == address(0)) != (uint256(words[i]) & UNITS_MASK == 0)) {
                revert Errors.Splits_BadLeaf(words[i]);
            }
        }
    }

    /// @dev Hashes a run up to its top node. Sums cannot wrap: at most 2^32 leaves of at most 96 bits each.
    /// @return node the hash of the run's top node, or its only leaf
    /// @return sum units of the run
    /// @return used as of checkRun
    function _runNode(
        bytes32[] calldata words,
        uint256 height
    ) private pure returns (bytes32 node, uint256 sum, uint256 used) {
        if (height > 2) return _foldRun(words);
        used = words.length;
        for (uint256 i = 0; i < used; ++i) sum += uint256(words[i]) & UNITS_MASK;
        if (height == 0) return (words[0], sum, used);
        node = _hashLeaves(words[0], words[1]);
        if (height == 2) {
            uint256 left = (uint256(words[0]) & UNITS_MASK) + (uint256(words[1]) & UNITS_MASK);
            node = keccak256(abi.encode(node, left, _hashLeaves(words[2], words[3]), sum - left));
        }
    }

    /// @dev The same for eight leaves and more: nodes of level 3 in a buffer of (hash, sum), then two to one, level by level,
    ///      whose words are overwritten by their parents. Eights of padding behind the last other word are not hashed.
    function _foldRun(bytes32[] calldata words) private pure returns (bytes32 node, uint256 sum, uint256 used) {
        used = _usedEights(words);
        uint256 to = _foldEights(words[:used]);
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let last := add(buffer, shl(3, words.length))
            for {} lt(to, last) {
                to := add(to, 64)
            } {
                let parent := to
                mstore(parent, EIGHT_EMPTY)
                mstore(add(parent, 32), 0)
            }
            for {} gt(sub(last, buffer), 64) {
                last := to
            } {
                to := buffer
                for {
                    let from := buffer
                } lt(from, last) {
                    from := add(from, 128)
                    to := add(to, 64)
                } {
                    let pair := from
                    let parent := to
                    let units := add(mload(add(pair, 32)), mload(add(pair, 96)))
                    mstore(parent, keccak256(pair, 128))
                    mstore(add(parent, 32), units)
                }
            }
            node := mload(buffer)
            sum := mload(add(buffer, 32))
        }
    }

    /// @dev Number of words up to the last eight that are not all padding, at least eight.
    function _usedEights(bytes32[] calldata words) private pure returns (uint256 used) {
        assembly ("memory-safe") {
            let end := add(words.offset, shl(5, words.length))
            for {
                let first := add(words.offset, 256)
            } gt(end, first) {
                end := sub(end, 256)
            } {
                if or(
                    or(
                        or(calldataload(sub(end, 32)), calldataload(sub(end, 64))),
                        or(calldataload(sub(end, 96)), calldataload(sub(end, 128)))
                    ),
                    or(
                        or(calldataload(sub(end, 160)), calldataload(sub(end, 192))),
                        or(calldataload(sub(end, 224)), calldataload(sub(end, 256)))
                    )
                ) {
                    break
                }
            }
            used := shr(5, sub(end, words.offset))
        }
    }

    /// @dev Writes the (hash, sum) above each eight leaves behind the memory in use. Works in the four lowest words of
    ///      memory, which are restored: addresses that are constants are cheap.
    /// @return to the place behind the last
    function _foldEights(bytes32[] calldata words) private pure returns (uint256 to) {
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffffffffffff
            let buffer := mload(0x40)
            to := buffer
            let end := add(words.offset, shl(5, words.length))
            for {
                let from := words.offset
            } lt(from, end) {
                from := add(from, 256)
                to := add(to, 64)
            } {
                calldatacopy(0x00, from, 128)
                let left := add(and(mload(0x00), mask), and(mload(0x20), mask))
                let right := add(and(mload(0x40), mask), and(mload(0x60), mask))
                mstore(0x00, keccak256(0x00, 64))
                mstore(0x20, left)
                mstore(0x40, keccak256(0x40, 64))
                mstore(0x60, right)
                let units := add(left, right)
                let four := keccak256(0x00, 128)

                calldatacopy(0x00, add(from, 128), 128)
                left := add(and(mload(0x00), mask), and(mload(0x20), mask))
                right := add(and(mload(0x40), mask), and(mload(0x60), mask))
                mstore(0x00, keccak256(0x00, 64))
                mstore(0x20, left)
                mstore(0x40, keccak256(0x40, 64))
                mstore(0x60, right)

                mstore(0x40, keccak256(0x00, 128))
                mstore(0x00, four)
                mstore(0x20, units)
                right := add(left, right)
                mstore(0x60, right)
                let parent := to
                mstore(parent, keccak256(0x00, 128))
                mstore(add(parent, 32), add(units, right))
            }
            mstore(0x40, buffer)
            mstore(0x60, 0)
        }
    }

    /// @dev Climbs from a node to the root by (hash, sum) siblings. Every sum has to be at most `total`, itself below
    ///      2^128. Siblings below 2^128 cannot make the sum wrap, and it only grows, so its end tells of every step.
    ///      A left child's (hash, sum) stands at 0x00, a right one's at 0x40, its sibling's beside it; those two words of
    ///      memory are restored.
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
            let free := mload(0x40)
            let end := add(siblings.offset, shl(5, siblings.length))
            for {
                let at := siblings.offset
            } lt(at, end) {
                at := add(at, 64)
            } {
                let side := shl(6, and(position, 1))
                mstore(side, root)
                mstore(or(side, 32), units)
                calldatacopy(xor(side, 64), at, 64)
                let theirs := calldataload(add(at, 32))
                root := keccak256(0x00, 128)
                units := add(units, theirs)
                all := or(all, theirs)
                position := shr(1, position)
            }
            mstore(0x40, free)
            mstore(0x60, 0)
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
