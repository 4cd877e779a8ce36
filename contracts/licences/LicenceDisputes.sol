// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ILicences } from "../interfaces/ILicences.sol";
import { DisputeRules } from "../libraries/DisputeRules.sol";
import { Errors } from "../libraries/Errors.sol";
import { LicenceState } from "../libraries/LicenceState.sol";
import { ScopeCounters } from "../libraries/ScopeCounters.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";
import { LicenceReports } from "./LicenceReports.sol";

/// @title LicenceDisputes
/// @notice Disputes over figures, notice of a breach, and the two ends of a licence.
abstract contract LicenceDisputes is LicenceReports {
    // Disputes

    /// @inheritdoc ILicences
    function object(uint256 licence, bytes calldata terms, Figures calldata figures) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        uint256 period = figures.period;
        LicenceState.Period memory state;
        _readPeriod(state, licence, self, period);
        if (figures.version != state.version) {
            revert Errors.Licences_StaleVersion(licence, period, figures.version, state.version);
        }
        StoredDispute storage dispute = _disputes[licence][period];
        if (dispute.proposer != 0) revert Errors.Licences_DisputeOpen(licence, period);
        (, , uint256 window, ) = catalogues.rulesOf(t.catalogue);
        uint256 closedAt = state.bookedAt + window;
        if (block.timestamp > closedAt) revert Errors.Licences_WindowClosed(licence, period, closedAt);
        Account memory account;
        _fillBooking(account, t, figures, SETTLED);
        uint256 proposer = _proposerOf(licence, t, state.base, account.base);

        // effect
        uint256 deadline = block.timestamp + window;
        dispute.proposer = uint8(proposer);
        dispute.proposedBase = uint104(account.base);
        dispute.deadline = uint40(deadline);
        ++self.openDisputes;
        _store(licence, self);
        _record(
            Objected.selector,
            bytes32(licence),
            abi.encode(
                msg.sender,
                period,
                state.version,
                proposer,
                account.gross,
                account.deductions,
                account.base,
                deadline,
                account.reportHash
            )
        );
    }

    /// @inheritdoc ILicences
    function callArbiter(uint256 licence, bytes calldata terms, uint256 period) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, ) = _load(licence, terms);
        StoredDispute storage dispute = _openDispute(licence, period);
        (address arbiter, , , uint256 arbiterWindow) = catalogues.rulesOf(t.catalogue);
        if (_ownerOf(licence) != msg.sender) _requireLicensor(t.catalogue);
        if (block.timestamp > dispute.deadline) {
            revert Errors.Licences_WindowClosed(licence, period, dispute.deadline);
        }
        if (dispute.arbiterCalled || arbiter == address(0)) {
            revert Errors.Licences_ArbiterUnavailable(licence, period);
        }

        // effect
        uint256 deadline = block.timestamp + arbiterWindow;
        dispute.arbiterCalled = true;
        dispute.deadline = uint40(deadline);
        _record(ArbiterCalled.selector, bytes32(licence), abi.encode(msg.sender, period, arbiter, deadline));
    }

    /// @inheritdoc ILicences
    function settle(uint256 licence, bytes calldata terms, uint256 period, bool accepted) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        StoredDispute memory dispute = _openDispute(licence, period);
        if (!_maySettle(licence, t.catalogue, dispute, accepted)) {
            revert Errors.Licences_MayNotSettle(licence, period, msg.sender);
        }

        // effect
        delete _disputes[licence][period];
        --self.openDisputes;
        _record(Settled.selector, bytes32(licence), abi.encode(msg.sender, period, accepted));
        if (!accepted) {
            _store(licence, self);
            return;
        }
        Account memory account;
        _open(account, licence, t, self, period);
        if (account.state.version == type(uint16).max) {
            revert Errors.Licences_VersionsUsedUp(licence, period);
        }
        account.kind = SETTLED;
        account.base = dispute.proposedBase;
        account.limit = type(uint256).max;
        _book(account, t, self);
        _close(account, t, self, false);
    }

    /// @dev Which side the caller proposes for: the licensee may lower, the licensor may raise.
    function _proposerOf(
        uint256 licence,
        TermsCodec.Words calldata terms,
        uint256 standing,
        uint256 proposed
    ) private view returns (uint256) {
        bool isLicensee = _ownerOf(licence) == msg.sender;
        if (isLicensee && proposed < standing) return BY_LICENSEE;
        if (catalogues.ownerOf(terms.catalogue) != msg.sender) {
            if (!isLicensee) revert Errors.Licences_NotLicensee(licence, msg.sender);
        } else if (proposed > standing) {
            return BY_LICENSOR;
        }
        revert Errors.Licences_BadProposal(standing, proposed);
    }

    function _openDispute(uint256 licence, uint256 period) private view returns (StoredDispute storage dispute) {
        dispute = _disputes[licence][period];
        if (dispute.proposer == 0) revert Errors.Licences_NoDispute(licence, period);
    }

    function _maySettle(
        uint256 licence,
        uint256 catalogue,
        StoredDispute memory dispute,
        bool accepted
    ) private view returns (bool) {
        bool isLicensee = _ownerOf(licence) == msg.sender;
        bool isLicensor = catalogues.ownerOf(catalogue) == msg.sender;
        bool byLicensee = dispute.proposer == BY_LICENSEE;
        (address arbiter, , , ) = catalogues.rulesOf(catalogue);
        return
            DisputeRules.maySettle({
                accepted: accepted,
                closed: block.timestamp > dispute.deadline,
                isProposer: byLicensee ? isLicensee : isLicensor,
                isOther: byLicensee ? isLicensor : isLicensee,
                isArbiter: dispute.arbiterCalled && arbiter == msg.sender && !isLicensee && !isLicensor
            });
    }

    // Breach

    /// @inheritdoc ILicences
    function giveNotice(uint256 licence, bytes calldata terms, uint256 period) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireLicensor(t.catalogue);
        _requireActive(licence, self);
        Rare storage rare = _rare[licence];
        // A cure of a breach that is over, because its amount is disputed now, makes room for another.
        if (self.inCure && _inBreach(licence, t, self, rare.curePeriod)) {
            revert Errors.Licences_CureRunning(licence, rare.cureUntil);
        }
        if (!_inBreach(licence, t, self, period)) revert Errors.Licences_NoBreach(licence, period);

        // effect
        uint256 cureUntil = block.timestamp + t.cureDays * 1 days;
        self.inCure = true;
        rare.cureUntil = uint40(cureUntil);
        rare.curePeriod = uint16(period);
        _store(licence, self);
        _record(NoticeGiven.selector, bytes32(licence), abi.encode(msg.sender, period, cureUntil));
    }

    /// @inheritdoc ILicences
    function terminate(uint256 licence, bytes calldata terms) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireLicensor(t.catalogue);
        _requireActive(licence, self);
        Rare storage rare = _rare[licence];
        uint256 period = rare.curePeriod;
        if (!self.inCure || block.timestamp <= rare.cureUntil) {
            revert Errors.Licences_CureRunning(licence, rare.cureUntil);
        }
        if (!_inBreach(licence, t, self, period)) revert Errors.Licences_NoBreach(licence, period);

        // effect
        rare.terminatedAt = uint40(block.timestamp);
        uint256 lapsed = _end(licence, t, self, LicenceState.TERMINATED);
        _record(Terminated.selector, bytes32(licence), abi.encode(msg.sender, period, lapsed));
    }

    /// @inheritdoc ILicences
    function expire(uint256 licence, bytes calldata terms) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, LicenceState.Licence memory self) = _load(licence, terms);
        _requireActive(licence, self);
        if (t.end == 0 || block.timestamp < t.end) revert Errors.Licences_NotEnded(licence, t.end);

        // effect
        uint256 lapsed = _end(licence, t, self, LicenceState.EXPIRED);
        _record(Expired.selector, bytes32(licence), abi.encode(msg.sender, lapsed));
    }

    /// @dev Ends a licence: frees its scope, its set-off lapses, no cure runs any more. What is owed stays.
    function _end(
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 status
    ) private returns (uint256 lapsed) {
        lapsed = self.setOff;
        self.setOff = 0;
        self.status = status;
        if (self.inCure) {
            self.inCure = false;
            _clearCure(licence);
        }
        _store(licence, self);
        _scopes[terms.catalogue] = ScopeCounters.remove(_scopes[terms.catalogue], terms.scope, terms.exclusive);
    }

    function _requireActive(uint256 licence, LicenceState.Licence memory self) private pure {
        if (self.status != LicenceState.ACTIVE) revert Errors.Licences_Ended(licence);
    }

    /// @dev Whether the period is overdue, or the next one and not reported in time.
    function _inBreach(
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 period
    ) private view returns (bool) {
        if (terms.periodMonths == 0 || period > self.nextPeriod) return false;
        Account memory account;
        if (period == self.nextPeriod) {
            _fillSpan(account.span, terms, self, period);
            return account.span.start < self.stop && block.timestamp > account.span.reportBy;
        }
        _open(account, licence, terms, self, period);
        return _isOverdue(terms, self, account);
    }
}
