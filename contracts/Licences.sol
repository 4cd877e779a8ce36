// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICatalogues } from "./interfaces/ICatalogues.sol";
import { ILicences } from "./interfaces/ILicences.sol";
import { ISplits } from "./interfaces/ISplits.sol";
import { Errors } from "./libraries/Errors.sol";
import { LateInterest } from "./libraries/LateInterest.sol";
import { LicenceState } from "./libraries/LicenceState.sol";
import { ScopeCounters } from "./libraries/ScopeCounters.sol";
import { LicenceDisputes } from "./licences/LicenceDisputes.sol";
import { LicenceStore } from "./licences/LicenceStore.sol";

/// @title Licences
/// @notice The grants; told in ILicences. Its parts lie in licences/, its views here.
contract Licences is LicenceDisputes {
    using LateInterest for LateInterest.Interest;
    using LicenceState for LicenceState.Licence;

    constructor(ISplits splits_, ICatalogues catalogues_) LicenceStore(splits_, catalogues_) {}

    /// @inheritdoc ILicences
    function grantOf(
        uint256 licence
    ) external view returns (bytes32 termsHash, address licensee, uint256 terminatedAt) {
        return (termsHashOf(licence), _ownerOf(licence), _rare[licence].terminatedAt);
    }

    /// @inheritdoc ILicences
    function termsHashOf(uint256 licence) public view nonReentrantView returns (bytes32 hash) {
        hash = _termsHashes[licence];
        if (hash == 0) revert Errors.Licences_Unknown(licence);
    }

    /// @inheritdoc ILicences
    function stateOf(uint256 licence) external view returns (State memory state) {
        if (_termsHashes[licence] == 0) revert Errors.Licences_Unknown(licence);
        LicenceState.Licence memory self;
        self.unpackFirst(_licences[licence]);
        self.unpackSecond(_secondWords[licence]);
        Rare storage rare = _rare[licence];
        state.status = self.status;
        state.acceptedAt = self.acceptedAt;
        state.stop = rare.terminatedAt;
        state.nextPeriod = self.nextPeriod;
        state.openPeriods = self.openPeriods;
        state.openDisputes = self.openDisputes;
        state.transferable = self.transferable;
        state.setOff = self.setOff;
        state.sumA = self.sumA;
        state.sumB = self.sumB;
        state.cureUntil = rare.cureUntil;
        state.curePeriod = rare.curePeriod;
    }

    /// @inheritdoc ILicences
    function periodOf(uint256 licence, uint256 period) external view returns (Period memory state) {
        LicenceState.Licence memory self;
        self.unpackFirst(_licences[licence]);
        if (period >= self.nextPeriod) return state;
        LicenceState.Period memory stored;
        _readPeriod(stored, licence, self, period);
        state.base = stored.base;
        state.open = stored.open;
        state.version = stored.version;
        state.bookedAt = stored.bookedAt;
        LateInterest.Interest memory interest;
        interest.unpack(_interest[licence][period]);
        state.interestNumerator = interest.numerator;
        state.interestUpTo = interest.upTo;
    }

    /// @inheritdoc ILicences
    function disputeOf(uint256 licence, uint256 period) external view returns (Dispute memory) {
        StoredDispute storage dispute = _disputes[licence][period];
        return
            Dispute({
                proposer: dispute.proposer,
                proposedBase: dispute.proposedBase,
                deadline: dispute.deadline,
                arbiterCalled: dispute.arbiterCalled
            });
    }

    /// @inheritdoc ILicences
    function liveOf(uint256 catalogue, uint256 bit) external view returns (uint256 live, uint256 exclusive) {
        return ScopeCounters.liveAt(_scopes[catalogue], bit);
    }

    /// @inheritdoc ILicences
    function setOffAt(uint256 licence, uint256 index) external view returns (bytes32 destination, uint256 amount) {
        Rare storage rare = _rare[licence];
        uint256 position = rare.setOffHead + index;
        if (position >= rare.setOffTail || uint8(_licences[licence]) != LicenceState.ACTIVE) return (0, 0);
        Source storage source = _sources[licence][position];
        return (source.destination, source.amount);
    }
}
