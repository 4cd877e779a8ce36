// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDistributions } from "./interfaces/IDistributions.sol";
import { ILicences } from "./interfaces/ILicences.sol";
import { Errors } from "./libraries/Errors.sol";
import { Periods } from "./libraries/Periods.sol";
import { DistributionObjections } from "./distributions/DistributionObjections.sol";
import { DistributionStore } from "./distributions/DistributionStore.sol";

/// @title Distributions
/// @notice Which split a usage-weighted period's money goes to; told in IDistributions. Its parts lie in distributions/,
///         the moves of money and the views here.
contract Distributions is DistributionObjections {
    uint256 private constant UNOPPOSED = 1;
    uint256 private constant NOTHING_POSTED = 6;
    uint256 private constant RELEASED = 7;

    constructor(ILicences licences_) DistributionStore(licences_) {}

    // Money

    /// @inheritdoc IDistributions
    function settle(uint256 licence, uint256 period, Distribution[] calldata rounds) external nonReentrant {
        // check
        Place memory place = _lastPlace(licence, period, rounds);
        uint256 word = _wordIn(place, OPEN);
        _requireCommitted(place, word, rounds[place.round]);
        _requireClosed(place, word);

        // effect and interaction
        _pass(place, rounds, UNOPPOSED, (word & FLAGS_MASK & ~STAGE_MASK) | STOOD);
    }

    /// @inheritdoc IDistributions
    function fallBack(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution calldata last
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _placeOf(licence, period, 0);
        _wordIn(place, NONE);
        if (block.timestamp <= rules.dates.decidedBy) {
            revert Errors.Distributions_NotYet(licence, period, rules.dates.decidedBy);
        }
        Objection memory objection;
        _fillFallback(objection, place, catalogues.splitAt(rules.catalogue, rules.splitTime), last);

        // effect and interaction
        _pass(place, _fallbackRounds(rules.token, objection), NOTHING_POSTED, FELL);
    }

    /// @inheritdoc IDistributions
    function sweep(
        uint256 licence,
        uint256 period,
        Distribution[] calldata rounds
    ) external nonReentrant returns (uint256 moved) {
        // check
        if (rounds.length == 0) revert Errors.Distributions_Mismatch(licence, period, 0);
        Place memory place = _placeOf(licence, period, rounds.length);
        _requireUnsettled(place);

        // effect and interaction
        return _pass(place, rounds, 0, 0);
    }

    /// @inheritdoc IDistributions
    function release(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        if (rounds.length == 0) revert Errors.Distributions_Mismatch(licence, period, 0);
        Place memory place = _placeOf(licence, period, rounds.length);
        _wordIn(place, NONE);
        if (block.timestamp <= rules.dates.heldUntil) {
            revert Errors.Distributions_NotYet(licence, period, rules.dates.heldUntil);
        }
        (uint256 waits, ) = _waiting(place, rules.token, rounds);
        if (waits == 0) revert Errors.Distributions_NothingToMove(licence, period);
        Distribution[] memory all = new Distribution[](rounds.length + 1);
        for (uint256 round = 0; round < rounds.length; ++round) all[round] = rounds[round];
        all[rounds.length] = _everythingTo(rules.token, rounds[0].splitId);

        // effect and interaction
        _pass(place, all, RELEASED, FELL);
    }

    /// @dev The round after the last one given must not be settled: what it moved would be missing from the sums.
    function _requireUnsettled(Place memory place) private view {
        uint256 stage = _rounds[place.salt][place.round] & STAGE_MASK;
        if (stage >= STOOD) {
            revert Errors.Distributions_WrongStage(place.licence, place.period, place.round, stage);
        }
    }

    // Views

    /// @inheritdoc IDistributions
    function deadlinesOf(
        uint256 licence,
        bytes calldata terms,
        uint256 period
    ) external view returns (Deadlines memory) {
        return _rulesOf(licence, terms, period).dates;
    }

    /// @inheritdoc IDistributions
    function roundOf(
        uint256 licence,
        uint256 period,
        uint256 round
    ) external view nonReentrantView returns (Round memory state) {
        Place memory place = _placeOf(licence, period, round);
        uint256 word = _rounds[place.salt][round];
        state.stage = word & STAGE_MASK;
        state.byLicensee = word & BY_LICENSEE != 0;
        state.replaced = word & REPLACED != 0;
        state.byArbiter = word & BY_ARBITER != 0;
        state.deadline = _deadlineOf(word);
        state.commitment = bytes32(_commitmentIn(word));
        state.objection = _objections[place.salt][round];
        state.moved = _moved[place.salt][round];
    }

    /// @inheritdoc IDistributions
    function outlookOf(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds
    ) external view nonReentrantView returns (Outlook memory outlook) {
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _placeOf(licence, period, rounds.length);
        _requireUnsettled(place);
        (outlook.waits, outlook.sweepable) = _waiting(place, rules.token, rounds);
        uint256 word = _rounds[place.salt][place.round];
        outlook.round = place.round;
        outlook.stage = word & STAGE_MASK;
        if (outlook.stage == NONE) {
            if (place.round == 0) _fillFirst(outlook, rules.dates);
            else _fillLater(outlook, rules);
            return outlook;
        }
        bool closed = block.timestamp > _deadlineOf(word);
        if (!closed) outlook.until = _deadlineOf(word);
        if (outlook.stage == OPEN) outlook.step = closed ? 4 : 3;
        else outlook.step = closed ? 6 : 5;
    }

    function _fillFirst(Outlook memory outlook, Deadlines memory dates) private view {
        uint256 time = block.timestamp;
        bool paid = outlook.waits != 0;
        if (time < dates.end) {
            outlook.until = dates.end - 1;
        } else if (time <= dates.licensorBy) {
            (outlook.step, outlook.until) = (paid ? 1 : 0, dates.licensorBy);
        } else if (time <= dates.postBy) {
            (outlook.step, outlook.until) = (paid ? 2 : 0, dates.postBy);
        } else if (time <= dates.decidedBy) {
            outlook.until = dates.decidedBy;
        } else if (paid) {
            outlook.step = 7;
        }
    }

    function _fillLater(Outlook memory outlook, Rules memory rules) private view {
        uint256 windows = rules.disputeWindow + rules.arbiterWindow;
        uint256 heldUntil = rules.dates.heldUntil;
        if (outlook.waits == 0) {
            outlook.step = 9;
        } else if (block.timestamp > heldUntil) {
            outlook.step = 8;
        } else if (outlook.round < MAX_ROUNDS && block.timestamp + windows <= heldUntil) {
            (outlook.step, outlook.until) = (1, heldUntil - windows);
        } else {
            outlook.until = heldUntil;
        }
    }

    /// @inheritdoc IDistributions
    function standingSplit(uint256 licence, bytes calldata terms, uint256 period) external view returns (bytes32) {
        Rules memory rules = _rulesOf(licence, terms, period);
        return catalogues.splitAt(rules.catalogue, rules.splitTime);
    }

    /// @inheritdoc IDistributions
    function bondOf(uint256 amount) external pure returns (uint256) {
        return _bondOf(amount);
    }

    /// @inheritdoc IDistributions
    function saltOf(uint256 licence, uint256 period) external view returns (bytes32) {
        return Periods.saltOf(address(licences), licence, period);
    }

    /// @inheritdoc IDistributions
    function bondSaltOf(uint256 licence, uint256 period, uint256 round) external view returns (bytes32) {
        return _bondSaltOf(_placeOf(licence, period, round));
    }
}
