// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDistributions } from "../interfaces/IDistributions.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { Errors } from "../libraries/Errors.sol";
import { MerkleSum } from "../libraries/MerkleSum.sol";
import { DistributionPosting } from "./DistributionPosting.sol";

/// @title DistributionObjections
/// @notice An objection to what was posted, and its three ends: concession, the arbiter's choice, its silence.
abstract contract DistributionObjections is DistributionPosting {
    /// @dev The bond is one part of this many of the amount.
    uint256 private constant BOND_PART = 100;

    uint256 private constant CHOOSE_POSTED = 1;
    uint256 private constant CHOOSE_COUNTER = 2;
    uint256 private constant CHOOSE_FALLBACK = 3;

    uint256 private constant POSTED_CHOSEN = 2;
    uint256 private constant COUNTER_CHOSEN = 3;
    uint256 private constant FALLBACK_CHOSEN = 4;
    uint256 private constant ARBITER_SILENT = 5;

    /// @inheritdoc IDistributions
    function object(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Protest calldata protest
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _lastPlace(licence, period, rounds);
        Distribution memory posted = rounds[place.round];
        uint256 word = _wordIn(place, OPEN);
        _requireCommitted(place, word, posted);
        _requireOpen(place, word);
        if (msg.sender == rules.arbiter) revert Errors.Distributions_ArbiterIsParty(msg.sender);
        bytes32 standing = catalogues.splitAt(rules.catalogue, rules.splitTime);
        bytes32 splitId = MerkleSum.checkLeaf(protest.leaf);
        if (address(bytes20(protest.leaf.leaf)) != msg.sender || (splitId != posted.splitId && splitId != standing))
            revert Errors.Distributions_NotHolder(msg.sender, splitId);
        Objection memory objection;
        if (place.round == 0) _fillFallback(objection, place, standing, protest.last);
        _fillCounter(objection, protest, posted);

        // effect
        uint256 deadline = block.timestamp + rules.arbiterWindow;
        _rounds[place.salt][place.round] = _wordOf(posted, deadline, (word & FLAGS_MASK & ~STAGE_MASK) | OBJECTED);

        // interaction
        objection.objector = msg.sender;
        objection.bond = _pullBond(place, posted.token, protest.pay, _bondOf(posted.amount));

        // effect, of what arrived
        _objections[place.salt][place.round] = keccak256(abi.encode(objection));
        _recordObjected(place, posted, protest.leaf, splitId, deadline, objection);
    }

    function _recordObjected(
        Place memory place,
        Distribution memory posted,
        ISplits.Leaf calldata leaf,
        bytes32 splitId,
        uint256 deadline,
        Objection memory objection
    ) private {
        _record(
            Objected.selector,
            bytes32(place.licence),
            abi.encode(
                msg.sender,
                place.period,
                place.round,
                posted,
                splitId,
                leaf.index,
                leaf.leaf,
                deadline,
                objection
            )
        );
    }

    /// @dev The counter-split, if there is one: published, for the same amount, and another than the posted one.
    function _fillCounter(
        Objection memory objection,
        Protest calldata protest,
        Distribution memory posted
    ) private view {
        if (protest.counter.total == 0) return;
        objection.counterSplit = _requireSplit(protest.counter, posted.amount);
        objection.counterTotal = protest.counter.total;
        if (objection.counterSplit == posted.splitId) {
            revert Errors.Distributions_CounterIsPosted(posted.splitId);
        }
    }

    /// @inheritdoc IDistributions
    function concede(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _lastPlace(licence, period, rounds);
        uint256 word = _objectedWord(place, rounds, objection);
        _requireOpen(place, word);
        if (word & REPLACED != 0) revert Errors.Distributions_Replaced(licence, period, place.round);
        if (!_isPoster(licence, rules.catalogue, word)) {
            revert Errors.Distributions_MayNotPost(licence, period, msg.sender);
        }
        Distribution memory counter = _counterOf(rounds[place.round], objection);
        uint256 deadline = _windowFrom(place, rules);

        // effect
        uint256 flags = (word & FLAGS_MASK & ~STAGE_MASK) | REPLACED | OPEN;
        // What it puts in the place of the posting it has posted.
        if (msg.sender == rules.arbiter) flags |= BY_ARBITER;
        _rounds[place.salt][place.round] = _wordOf(counter, deadline, flags);
        _record(Conceded.selector, bytes32(licence), abi.encode(msg.sender, period, place.round, counter, deadline));

        // interaction
        _returnBond(place, counter.token, objection.objector);
    }

    /// @inheritdoc IDistributions
    function choose(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection,
        uint256 choice
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _lastPlace(licence, period, rounds);
        uint256 word = _objectedWord(place, rounds, objection);
        _requireOpen(place, word);
        if (msg.sender != rules.arbiter) revert Errors.Distributions_NotArbiter(msg.sender);
        if (
            word & BY_ARBITER != 0 ||
            msg.sender == catalogues.ownerOf(rules.catalogue) ||
            msg.sender == _licenseeOf(licence)
        ) revert Errors.Distributions_ArbiterIsParty(msg.sender);
        if (choice < CHOOSE_POSTED || choice > CHOOSE_FALLBACK) revert Errors.Distributions_BadChoice(choice);

        // effect and interaction
        if (choice == CHOOSE_FALLBACK) {
            _carryOutFallback(place, rounds, objection, FALLBACK_CHOSEN);
            return;
        }
        Distribution[] memory chosen = rounds;
        uint256 flags = (word & FLAGS_MASK & ~STAGE_MASK) | STOOD;
        if (choice == CHOOSE_COUNTER) {
            chosen[place.round] = _counterOf(chosen[place.round], objection);
            _pass(place, chosen, COUNTER_CHOSEN, flags);
            _returnBond(place, rules.token, objection.objector);
        } else {
            _pass(place, chosen, POSTED_CHOSEN, flags);
            _moveBond(place, rules.token, objection.objector, false, chosen[place.round].splitId);
        }
    }

    /// @inheritdoc IDistributions
    function closeObjection(
        uint256 licence,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection
    ) external nonReentrant {
        // check
        Place memory place = _lastPlace(licence, period, rounds);
        _requireClosed(place, _objectedWord(place, rounds, objection));

        // effect and interaction
        _carryOutFallback(place, rounds, objection, ARBITER_SILENT);
    }

    /// @dev Round 0 goes to its fallback; a later posting is taken away, and the money stays held.
    function _carryOutFallback(
        Place memory place,
        Distribution[] calldata rounds,
        Objection calldata objection,
        uint256 outcome
    ) private {
        address token = rounds[place.round].token;
        bytes32 splitId = objection.standingSplit;
        if (place.round == 0) {
            _pass(place, _fallbackRounds(token, objection), outcome, FELL);
        } else {
            _movedBy(place, rounds[0], 0);
            splitId = rounds[0].splitId;
            _rounds[place.salt][place.round] = 0;
            _record(
                StayedHeld.selector,
                bytes32(place.licence),
                abi.encode(msg.sender, place.period, place.round, outcome)
            );
        }
        if (outcome == FALLBACK_CHOSEN) _returnBond(place, token, objection.objector);
        else _moveBond(place, token, objection.objector, false, splitId);
    }

    function _objectedWord(
        Place memory place,
        Distribution[] calldata rounds,
        Objection calldata objection
    ) private view returns (uint256 word) {
        word = _wordIn(place, OBJECTED);
        _requireCommitted(place, word, rounds[place.round]);
        _requireObjection(place, objection);
    }

    function _counterOf(
        Distribution memory posted,
        Objection calldata objection
    ) private pure returns (Distribution memory) {
        if (objection.counterSplit == 0) revert Errors.Distributions_BadChoice(CHOOSE_COUNTER);
        return
            Distribution({
                token: posted.token,
                splitId: objection.counterSplit,
                total: objection.counterTotal,
                amount: posted.amount
            });
    }

    function _bondOf(uint256 amount) internal pure returns (uint256) {
        return amount / BOND_PART + (amount % BOND_PART == 0 ? 0 : 1);
    }
}
