// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Errors } from "../libraries/Errors.sol";
import { MerkleSum } from "../libraries/MerkleSum.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { SplitStore } from "./SplitStore.sol";

/// @title SplitClaims
/// @notice Money out, by claim, and what payees decide for themselves.
abstract contract SplitClaims is SplitStore {
    using SafeERC20 for IERC20;

    bytes32 private constant CLAIM_TO_TYPEHASH = keccak256(
        "ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline)"
    );

    /// @inheritdoc ISplits
    function claim(Leaf[] calldata leaves) external nonReentrant returns (uint256 paid) {
        return _claim(leaves, address(0), address(0));
    }

    /// @inheritdoc ISplits
    function claimTo(Leaf[] calldata leaves, address to) external nonReentrant returns (uint256 paid) {
        return _claim(leaves, msg.sender, to);
    }

    /// @inheritdoc ISplits
    function claimBySignature(
        Leaf[] calldata leaves,
        address payee,
        address to,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (uint256 paid) {
        if (block.timestamp > deadline) revert Errors.Splits_SignatureExpired(deadline);
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            hashes[i] = keccak256(abi.encode(MerkleSum.idOf(leaves[i].split), leaves[i].token, leaves[i].index));
        }
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CLAIM_TO_TYPEHASH, keccak256(abi.encodePacked(hashes)), to, nonce, deadline))
        );
        if (nonce != _claimNonces[payee] || !SignatureChecker.isValidSignatureNowCalldata(payee, digest, signature)) {
            revert Errors.Splits_BadSignature(payee);
        }
        _useClaimNonce(payee);
        return _claim(leaves, payee, to);
    }

    /// @inheritdoc ISplits
    function cancelClaimNonce() external nonReentrant {
        _useClaimNonce(msg.sender);
    }

    function _useClaimNonce(address payee) private {
        uint256 nonce = _claimNonces[payee];
        _claimNonces[payee] = nonce + 1;
        _record(ClaimNonceUsed.selector, _topic(payee), abi.encode(msg.sender, nonce));
    }

    /// @dev Writes every item before the next is read, then transfers.
    /// @param payee the only payee allowed; zero: any, each paid at its standing address or itself
    function _claim(Leaf[] calldata leaves, address payee, address to) private returns (uint256 paid) {
        if (payee != address(0) && (to == address(0) || to == address(this))) revert Errors.Splits_BadRecipient(to);
        // check and effect
        uint256[] memory sums; // of the transfers before the last, each at the index of its first item
        uint256 sum;
        address token;
        address recipient;
        uint256 first;
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaf calldata item = leaves[i];
            address receiver = payee == address(0) ? _recipientOf(item) : to;
            uint256 amount = _settleLeaf(item, payee, receiver);
            if (amount == 0) continue;
            if (sum == 0 || token != item.token || recipient != receiver) {
                if (sum != 0) {
                    if (sums.length == 0) sums = new uint256[](leaves.length);
                    sums[first] = sum;
                }
                (token, recipient, first, sum) = (item.token, receiver, i, 0);
            }
            sum += amount;
            paid += amount;
        }
        if (paid == 0) revert Errors.Splits_NothingPaid(leaves.length == 0 ? address(0) : leaves[0].token);

        // interaction
        for (uint256 i = 0; i < sums.length; ++i) {
            if (sums[i] == 0) continue;
            Leaf calldata item = leaves[i];
            _transfer(item.token, payee == address(0) ? _recipientOf(item) : to, sums[i]);
        }
        _transfer(token, recipient, sum);
    }

    /// @dev One transfer of a claim.
    function _transfer(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        if (!IERC20(token).trySafeTransfer(to, amount)) revert Errors.Splits_TransferFailed(token, to);
        _checkOutflow(token, before, amount);
    }

    /// @dev Marks a leaf as paid up to now; returns what it is to be paid. A leaf taken out of its page stays out.
    function _settleLeaf(Leaf calldata item, address payee, address to) private returns (uint256 amount) {
        bytes32 id = MerkleSum.checkLeaf(item);
        if (payee != address(0) && payee != _payeeOf(item)) revert Errors.Splits_NotPayee(payee, _payeeOf(item));
        (uint256 kind, uint256 from, uint256 sum) = _checkpoint(id, item.token, item.index);
        amount = _owed(item, sum, from);
        if (amount == 0) return 0;
        _setCheckpoint(id, item.token, item.index, kind, kind == TAKEN_OUT ? TAKEN_OUT : CLAIMED, sum);
        _record(Claimed.selector, id, abi.encode(msg.sender, item.token, item.index, item.leaf, to, sum, amount));
    }

    /// @inheritdoc ISplits
    function setStandingAddress(address to) external nonReentrant {
        if (to == address(this)) revert Errors.Splits_BadRecipient(to);
        _standing[msg.sender] = to;
        _record(StandingAddressSet.selector, _topic(msg.sender), abi.encode(msg.sender, to));
    }

    /// @inheritdoc ISplits
    function placeLeaves(Leaf[] calldata leaves, bool out) external nonReentrant {
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaf calldata item = leaves[i];
            bytes32 id = MerkleSum.checkLeaf(item);
            if (_payeeOf(item) != msg.sender) revert Errors.Splits_NotPayee(msg.sender, _payeeOf(item));
            (uint256 kind, uint256 from, ) = _checkpoint(id, item.token, item.index);
            if ((kind == TAKEN_OUT) == out) continue;
            _setCheckpoint(id, item.token, item.index, kind, out ? TAKEN_OUT : CLAIMED, from);
            _record(LeafPlaced.selector, id, abi.encode(msg.sender, item.token, item.index, item.leaf, from, out));
        }
    }

    function _payeeOf(Leaf calldata item) private pure returns (address) {
        return address(bytes20(item.leaf));
    }

    function _recipientOf(Leaf calldata item) private view returns (address) {
        address payee = _payeeOf(item);
        address standing = _standing[payee];
        return standing == address(0) ? payee : standing;
    }

    function _topic(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }
}
