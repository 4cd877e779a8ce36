// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { ReenteringPayee } from "./ReenteringPayee.sol";

/// @title SmartWallet
/// @notice Test chains only: an ERC-1271 wallet whose answer is chosen; it also receives tokens and calls anything.
contract SmartWallet is ReenteringPayee, IERC1271 {
    /// @notice What `isValidSignature` does.
    enum Answer {
        /// valid if `owner` signed
        Owner,
        /// valid, whatever was signed
        Valid,
        /// another word
        Invalid,
        /// the right word with dirt after its 4 bytes
        DirtyValid,
        /// the right 4 bytes and no more
        Short,
        /// `bombSize` bytes that begin with the right word
        Bomb,
        /// reverts with `bombSize` bytes
        BombRevert,
        /// reverts without a reason
        Revert,
        /// burns all gas
        BurnGas
    }

    address public owner;
    Answer public answer;
    uint256 public bombSize = 1_000_000;

    constructor(address owner_) {
        owner = owner_;
    }

    function setOwner(address owner_) external {
        owner = owner_;
    }

    function setAnswer(Answer answer_) external {
        answer = answer_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        Answer chosen = answer;
        bytes4 right = IERC1271.isValidSignature.selector;
        uint256 size = bombSize;
        if (chosen == Answer.Owner) {
            (address signer, ECDSA.RecoverError fault, ) = ECDSA.tryRecover(hash, signature);
            return fault == ECDSA.RecoverError.NoError && signer == owner ? right : bytes4(0xffffffff);
        }
        if (chosen == Answer.Valid) return right;
        if (chosen == Answer.Invalid) return bytes4(0xffffffff);
        if (chosen == Answer.DirtyValid) _end(right | bytes32(uint256(1)), 32, false);
        if (chosen == Answer.Short) _end(right, 4, false);
        if (chosen == Answer.Bomb) _end(right, size, false);
        if (chosen == Answer.BombRevert) _end(right, size, true);
        if (chosen == Answer.Revert) _end(0, 0, true);
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _end(bytes32 word, uint256 size, bool reverting) private pure {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, word)
            if reverting {
                revert(start, size)
            }
            return(start, size)
        }
    }
}
