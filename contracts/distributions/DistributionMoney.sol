// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ISplits, ISplitsPayer } from "../interfaces/ISplits.sol";
import { Errors } from "../libraries/Errors.sol";
import { DistributionStore } from "./DistributionStore.sol";

/// @title DistributionMoney
/// @notice How money passes through the rounds of a period, and what becomes of bonds.
abstract contract DistributionMoney is DistributionStore {
    using SafeERC20 for IERC20;

    /// @dev The payer of the pull that is under way; zero: none is.
    address private transient _payer;

    // Rounds

    /// @dev All that ever arrived in a period's account, and what each settled round has moved of it.
    /// @param count the first `count` rounds have to be settled, by these distributions
    function _measure(
        Place memory place,
        address token,
        Distribution[] memory rounds,
        uint256 count
    ) internal view returns (uint256 arrived, uint256[] memory moved) {
        arrived = splits.accountBalance(keccak256(abi.encode(address(this), place.salt)), token);
        moved = new uint256[](rounds.length);
        for (uint256 round = 0; round < count; ++round) {
            moved[round] = _movedBy(place, rounds[round], round);
            arrived += moved[round];
        }
    }

    /// @dev What a round has moved; it has to be settled, by this distribution.
    function _movedBy(
        Place memory place,
        Distribution memory what,
        uint256 round
    ) internal view returns (uint256 moved) {
        uint256 word = _rounds[place.salt][round];
        uint256 stage = word & STAGE_MASK;
        if (stage < STOOD) revert Errors.Distributions_WrongStage(place.licence, place.period, round, stage);
        if (_commitmentOf(what) != _commitmentIn(word)) {
            revert Errors.Distributions_Mismatch(place.licence, place.period, round);
        }
        moved = _moved[place.salt][round];
        if (moved == 0 && stage == STOOD) moved = what.total;
    }

    /// @dev What a round moves in all, out of all that ever came to it. It only grows with it, and so does what is left.
    function _partDown(Distribution memory what, uint256 arrived) internal pure returns (uint256) {
        if (what.amount == 0) return arrived < what.total ? arrived : what.total;
        return (arrived * what.total) / what.amount;
    }

    /// @dev What waits for the round after these, all of which are settled.
    function _waiting(
        Place memory place,
        address token,
        Distribution[] memory settled
    ) internal view returns (uint256 waits, uint256 sweepable) {
        uint256[] memory moved;
        (waits, moved) = _measure(place, token, settled, settled.length);
        for (uint256 round = 0; round < settled.length; ++round) {
            uint256 part = _partDown(settled[round], waits);
            waits -= part;
            sweepable += part - moved[round];
        }
    }

    /// @dev Passes all money of a period through its rounds. Those from `place.round` on are settled now.
    /// @param outcome of the rounds that are settled now
    /// @param flags of the rounds that are settled now
    /// @return sum base units that were moved, at least 1
    function _pass(
        Place memory place,
        Distribution[] memory rounds,
        uint256 outcome,
        uint256 flags
    ) internal returns (uint256 sum) {
        // check
        address token = rounds[0].token;
        (uint256 arrived, uint256[] memory moved) = _measure(place, token, rounds, place.round);

        // effect
        for (uint256 round = 0; round < rounds.length; ++round) {
            Distribution memory what = rounds[round];
            uint256 part = _partDown(what, arrived);
            if (round >= place.round) {
                _rounds[place.salt][round] = _wordOf(what, 0, flags);
                // No less than the total has arrived where a round stands: its posting was not for more.
                if (part != (flags & STAGE_MASK == STOOD ? what.total : 0)) _moved[place.salt][round] = part;
                _recordSettled(place, round, outcome, what, arrived, part);
            } else if (part != moved[round]) {
                _moved[place.salt][round] = part;
                _recordSwept(place, round, what, arrived, part);
            }
            arrived -= part;
            moved[round] = part - moved[round];
            sum += moved[round];
        }
        if (sum == 0) revert Errors.Distributions_NothingToMove(place.licence, place.period);

        // interaction
        for (uint256 round = 0; round < rounds.length; ++round) {
            if (moved[round] != 0) splits.moveAccount(place.salt, token, rounds[round].splitId, moved[round]);
        }
    }

    function _recordSettled(
        Place memory place,
        uint256 round,
        uint256 outcome,
        Distribution memory what,
        uint256 arrived,
        uint256 part
    ) private {
        _record(
            Settled.selector,
            bytes32(place.licence),
            abi.encode(msg.sender, place.period, round, outcome, what, arrived, part)
        );
    }

    function _recordSwept(
        Place memory place,
        uint256 round,
        Distribution memory what,
        uint256 arrived,
        uint256 part
    ) private {
        _record(
            Swept.selector,
            bytes32(place.licence),
            abi.encode(msg.sender, place.period, round, what.token, what.splitId, arrived, part)
        );
    }

    // Bonds

    /// @inheritdoc ISplitsPayer
    function onSplitsPull(address token, uint256 amount, bytes calldata) external {
        address payer = _payer;
        if (msg.sender != address(splits) || payer == address(0)) {
            revert Errors.Distributions_UnexpectedCallback(msg.sender);
        }
        _payer = address(0);
        IERC20(token).safeTransferFrom(payer, msg.sender, amount);
    }

    /// @dev Makes Splits pull a bond from the caller; returns what arrived.
    function _pullBond(
        Place memory place,
        address token,
        uint256 amount,
        uint256 least
    ) internal returns (uint256 bond) {
        _payer = msg.sender;
        bond = splits.fundAccountByCallback(address(this), _bondSaltOf(place), token, amount, "");
        if (bond < least) revert Errors.Distributions_BondTooSmall(bond, least);
    }

    /// @dev Gives a bond back, as a split of the objector alone.
    function _returnBond(Place memory place, address token, address objector) internal {
        bytes32 leaf = bytes32((uint256(uint160(objector)) << 96) | 1);
        ISplits.Split memory split = ISplits.Split({ root: leaf, total: 1, depth: 0 });
        bytes32 splitId = keccak256(abi.encode(split));
        if (!splits.isPublished(splitId)) {
            ISplits.Run[] memory runs = new ISplits.Run[](1);
            runs[0].words = new bytes32[](1);
            runs[0].words[0] = leaf;
            splits.publish(split, runs);
        }
        _moveBond(place, token, objector, true, splitId);
    }

    /// @dev Moves the whole account of a bond: what a stranger put there goes with it. Ends the objection.
    function _moveBond(Place memory place, address token, address objector, bool upheld, bytes32 splitId) internal {
        // check
        bytes32 salt = _bondSaltOf(place);
        uint256 amount = splits.accountBalance(keccak256(abi.encode(address(this), salt)), token);

        // effect
        _objections[place.salt][place.round] = 0;
        _record(
            BondMoved.selector,
            bytes32(place.licence),
            abi.encode(msg.sender, place.period, place.round, objector, upheld, token, splitId, amount)
        );

        // interaction
        splits.moveAccount(salt, token, splitId, amount);
    }

    function _bondSaltOf(Place memory place) internal pure returns (bytes32) {
        return keccak256(abi.encode(place.salt, place.round, "bond"));
    }
}
