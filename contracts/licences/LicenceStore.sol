// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ICatalogues } from "../interfaces/ICatalogues.sol";
import { ILicences } from "../interfaces/ILicences.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { Errors } from "../libraries/Errors.sol";
import { Journal } from "../libraries/Journal.sol";
import { LicenceState } from "../libraries/LicenceState.sol";
import { Periods } from "../libraries/Periods.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";

/// @title LicenceStore
/// @notice What Licences stores, and what every part of it reads: a licence with its terms, roles, periods of time.
abstract contract LicenceStore is Journal, ILicences, ERC721, EIP712, ReentrancyGuardTransient {
    using LicenceState for LicenceState.Licence;
    using LicenceState for LicenceState.Period;

    /// @dev What few licences ever need: the end by termination, the cure, and the ends of the set-off queue.
    struct Rare {
        uint40 terminatedAt;
        uint40 cureUntil;
        uint16 curePeriod;
        uint32 setOffHead;
        uint32 setOffTail;
    }

    /// @dev Money that one destination was overpaid.
    struct Source {
        bytes32 destination;
        uint256 amount;
    }

    struct StoredDispute {
        uint104 proposedBase;
        uint40 deadline;
        uint8 proposer;
        bool arbiterCalled;
    }

    uint256 internal constant BY_LICENSEE = 1;
    uint256 internal constant BY_LICENSOR = 2;

    /// @inheritdoc ILicences
    ISplits public immutable override splits;
    /// @inheritdoc ILicences
    ICatalogues public immutable override catalogues;

    /// @inheritdoc ILicences
    uint256 public override count;
    mapping(uint256 licence => bytes32) internal _termsHashes;
    /// @dev LicenceState: the first word of a licence, and the second, which most never use.
    mapping(uint256 licence => uint256) internal _licences;
    mapping(uint256 licence => uint256) internal _secondWords;
    mapping(uint256 licence => Rare) internal _rare;
    /// @dev LicenceState, and LateInterest where interest ever ran.
    mapping(uint256 licence => mapping(uint256 period => uint256)) internal _periods;
    mapping(uint256 licence => mapping(uint256 period => uint256)) internal _interest;
    mapping(uint256 licence => mapping(uint256 period => StoredDispute)) internal _disputes;
    mapping(uint256 licence => mapping(uint256 index => Source)) internal _sources;
    /// @dev ScopeCounters.
    mapping(uint256 catalogue => uint256) internal _scopes;
    /// @dev Used or cancelled nonces of a licensor, 256 a word.
    mapping(address licensor => mapping(uint256 word => uint256)) internal _nonces;
    /// @inheritdoc ILicences
    mapping(bytes32 offerId => address) public override offeredBy;

    constructor(ISplits splits_, ICatalogues catalogues_) ERC721("Licences", "LICENCE") EIP712("Licences", "1") {
        splits = splits_;
        catalogues = catalogues_;
    }

    // A licence

    /// @dev Checks the terms against the licence's hash; reads the licence.
    function _load(
        uint256 licence,
        bytes calldata data
    ) internal view returns (TermsCodec.Words calldata terms, LicenceState.Licence memory self) {
        bytes32 hash = _termsHashes[licence];
        if (hash == 0) revert Errors.Licences_Unknown(licence);
        if (keccak256(data) != hash) revert Errors.Licences_TermsMismatch(licence);
        terms = TermsCodec.inPlace(data);
        self.unpackFirst(_licences[licence]);
        // The second word is zero unless there is set-off, or a guarantee that is counted over the life.
        if (self.hasSetOff || (terms.tiersOverLife != 0 && terms.guarantee != 0)) {
            self.unpackSecond(_secondWords[licence]);
        }
        self.stop = Periods.stopOf(terms, self.status == LicenceState.TERMINATED ? _rare[licence].terminatedAt : 0);
    }

    function _store(uint256 licence, LicenceState.Licence memory self) internal {
        _licences[licence] = self.packFirst();
        uint256 second = self.packSecond();
        if (second != self.secondWord) {
            _secondWords[licence] = second;
            self.secondWord = second;
        }
    }

    // Roles

    function _requireLicensee(uint256 licence) internal view {
        if (_ownerOf(licence) != msg.sender) revert Errors.Licences_NotLicensee(licence, msg.sender);
    }

    function _requireLicensor(uint256 catalogue) internal view {
        if (catalogues.ownerOf(catalogue) != msg.sender) revert Errors.Licences_NotLicensor(catalogue, msg.sender);
    }

    // Periods

    /// @dev Fills in the time of a period.
    function _fillSpan(
        Periods.Span memory span,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 period
    ) internal pure {
        Periods.fill(span, terms, self.acceptedAt, self.stop, period);
    }

    /// @dev Where the money of a period goes: the split in force at its start, or at acceptance where that is later; or
    ///      the account of a licence weighted by usage.
    function _destinationOf(
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 period,
        uint256 start
    ) internal view returns (bytes32) {
        uint256 distributions = terms.distributions;
        if (distributions != 0) {
            return keccak256(abi.encode(distributions, Periods.saltOf(address(this), licence, period)));
        }
        return catalogues.splitAt(terms.catalogue, Periods.splitTime(self.acceptedAt, period, start));
    }

    /// @dev Reads a booked period into `state`.
    function _readPeriod(
        LicenceState.Period memory state,
        uint256 licence,
        LicenceState.Licence memory self,
        uint256 period
    ) internal view {
        if (period >= self.nextPeriod) revert Errors.Licences_NotReported(licence, period);
        state.unpackPeriod(_periods[licence][period], self.acceptedAt);
    }
}
