// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Errors } from "../libraries/Errors.sol";
import { Journal } from "../libraries/Journal.sol";
import { MerkleSum } from "../libraries/MerkleSum.sol";
import { ISplits } from "../interfaces/ISplits.sol";

/// @title SplitStore
/// @notice What Splits stores, and what every part of it reads: publication, sums, checkpoints of pages and leaves.
abstract contract SplitStore is Journal, ISplits, EIP712, ReentrancyGuardTransient {
    /// @dev Kinds of a leaf's own checkpoint.
    uint256 internal constant CLAIMED = 1;
    uint256 internal constant PASSED_OVER = 2;
    uint256 internal constant TAKEN_OUT = 3;
    uint256 private constant OWN_SLOT = type(uint128).max;

    /// @dev Split → number of pages in the high, of published pages in the low 128 bits.
    mapping(bytes32 id => uint256) internal _publication;
    /// @dev Split → bitmap of published pages, 256 a word; unused where there is but one page.
    mapping(bytes32 id => mapping(uint256 word => uint256)) internal _publishedPages;
    /// @dev Split → token → cumulative at the first page's last payout in the high, cumulative credit, below 2^128, in the
    ///      low 128 bits. The high bits are OWN_SLOT from the first page's first exception on: then it has a slot of its
    ///      own, like every other page. Most splits have one page and no exception, so a payout touches one slot.
    mapping(bytes32 id => mapping(address token => uint256)) internal _sums;
    /// @dev Split → token → page → cumulative at the last payout in the high, exceptions in the low 128 bits.
    mapping(bytes32 id => mapping(address token => mapping(uint256 page => uint256))) internal _pages;
    /// @dev Split → token → leaf index → kind in the high, checkpoint in the low 128 bits; zero if and only if the leaf's
    ///      bit in its page is clear, so that a claim need not read the page.
    mapping(bytes32 id => mapping(address token => mapping(uint256 index => uint256))) internal _leaves;
    /// @dev Account → token → base units that wait.
    mapping(bytes32 account => mapping(address token => uint256)) internal _accounts;
    mapping(address payee => address) internal _standing;
    mapping(address payee => uint256) internal _claimNonces;

    constructor() EIP712("Splits", "1") {}

    // Sums

    /// @inheritdoc ISplits
    function isPublished(bytes32 id) public view returns (bool) {
        uint256 state = _publication[id];
        return state != 0 && state >> 128 == uint128(state);
    }

    /// @inheritdoc ISplits
    function accountId(address controller, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(controller, salt));
    }

    function _addCredit(bytes32 id, address token, uint256 amount) internal {
        uint256 sums = _sums[id][token];
        if (amount > type(uint128).max - uint128(sums)) revert Errors.Splits_CreditTooLarge(id, token);
        _sums[id][token] = sums + amount;
    }

    // Checkpoints

    /// @dev The word of a split's sums, and a page's state: up to what it was paid, and its exceptions.
    function _page(
        bytes32 id,
        address token,
        uint256 page
    ) internal view returns (uint256 sums, uint256 paidUpTo, uint256 exceptions) {
        sums = _sums[id][token];
        paidUpTo = sums >> 128;
        if (page != 0 || paidUpTo == OWN_SLOT) {
            uint256 state = _pages[id][token][page];
            (paidUpTo, exceptions) = (state >> 128, uint128(state));
        }
    }

    /// @dev Writes the state of a page.
    /// @param sums the word of the split's sums as it stands
    function _setPage(
        bytes32 id,
        address token,
        uint256 page,
        uint256 sums,
        uint256 paidUpTo,
        uint256 exceptions
    ) internal {
        if (page == 0 && sums >> 128 != OWN_SLOT) {
            // A page paid up to 2^128 − 1 takes the slot too, so that the mark has one meaning.
            uint256 mark = exceptions == 0 ? paidUpTo : OWN_SLOT;
            _sums[id][token] = (mark << 128) | uint128(sums);
            if (mark != OWN_SLOT) return;
        }
        _pages[id][token][page] = (paidUpTo << 128) | exceptions;
    }

    /// @dev Kind of a leaf's own checkpoint (0: none, its page's counts), the cumulative up to which it was paid, and all
    ///      that was ever credited.
    function _checkpoint(
        bytes32 id,
        address token,
        uint256 index
    ) internal view returns (uint256 kind, uint256 from, uint256 sum) {
        uint256 own = _leaves[id][token][index];
        if (own != 0) return (own >> 128, uint128(own), uint128(_sums[id][token]));
        (sum, from, ) = _page(id, token, index / MerkleSum.PAGE_SIZE);
        sum = uint128(sum);
    }

    /// @dev Gives a leaf a checkpoint of its own; its page is told when it gets its first (`before` is 0).
    function _setCheckpoint(
        bytes32 id,
        address token,
        uint256 index,
        uint256 before,
        uint256 kind,
        uint256 upTo
    ) internal {
        if (before == 0) {
            uint256 page = index / MerkleSum.PAGE_SIZE;
            (uint256 sums, uint256 paidUpTo, uint256 exceptions) = _page(id, token, page);
            _setPage(id, token, page, sums, paidUpTo, exceptions | (1 << (index % MerkleSum.PAGE_SIZE)));
        }
        _leaves[id][token][index] = (kind << 128) | upTo;
    }

    /// @dev What a leaf is owed for the credits between `from` and `upTo`.
    function _owed(Leaf calldata item, uint256 upTo, uint256 from) internal pure returns (uint256) {
        uint256 units = uint256(item.leaf) & MerkleSum.UNITS_MASK;
        uint256 total = item.split.total;
        // Products stay below 2^224, and `from` is at most `upTo`.
        unchecked {
            return (upTo * units) / total - (from * units) / total;
        }
    }

    // Money out

    /// @dev Reverts if more than `paid` has left since the balance was `before`.
    function _checkOutflow(address token, uint256 before, uint256 paid) internal view {
        uint256 left = IERC20(token).balanceOf(address(this));
        if (left < before && before - left > paid) revert Errors.Splits_OutflowTooLarge(token, before - left, paid);
    }

    // Memory of one round of a loop, released so that its price does not grow with the square of the rounds

    function _memoryMark() internal pure returns (uint256 mark) {
        assembly ("memory-safe") {
            mark := mload(0x40)
        }
    }

    function _releaseMemory(uint256 mark) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, mark)
        }
    }
}
