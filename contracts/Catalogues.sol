// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import { ICatalogues } from "./interfaces/ICatalogues.sol";
import { ISplits } from "./interfaces/ISplits.sol";
import { Errors } from "./libraries/Errors.sol";
import { Journal } from "./libraries/Journal.sol";

/// @title Catalogues
/// @notice What is licensed and how its money is split; told in ICatalogues.
contract Catalogues is Journal, ICatalogues, ReentrancyGuardTransient {
    uint256 private constant MAX_SECONDS = 3650 days;
    uint256 private constant MIN_WINDOW = 1 hours;
    uint256 private constant TIME_BITS = 40;
    uint256 private constant TIMES_PER_SLOT = 6;

    /// @dev `lastEffective` is the effective time of the split at position `count - 1`; the earlier ones are in `times`.
    struct Catalogue {
        address owner;
        uint24 count;
        uint40 lastEffective;
        uint32 notice;
        address arbiter;
        uint32 disputeWindow;
        uint32 arbiterWindow;
        bytes32 worksRoot;
        bytes32 fileHash;
        address pendingOwner;
        mapping(uint256 position => bytes32 splitId) splitIds;
        mapping(uint256 slot => uint256 sixTimes) times;
    }

    /// @inheritdoc ICatalogues
    ISplits public immutable override splits;
    /// @inheritdoc ICatalogues
    uint256 public override count;
    mapping(uint256 catalogue => Catalogue) private _catalogues;

    constructor(ISplits splits_) {
        splits = splits_;
    }

    // Changes

    /// @inheritdoc ICatalogues
    function create(Settings calldata settings) external nonReentrant returns (uint256 catalogue) {
        // check
        _checkManifest(settings.worksRoot, settings.fileHash);
        if (settings.notice > MAX_SECONDS) revert Errors.Catalogues_BadSetting(3);
        _checkWindow(settings.disputeWindow, 4);
        _checkWindow(settings.arbiterWindow, 5);

        // effect
        catalogue = ++count;
        Catalogue storage entry = _catalogues[catalogue];
        entry.owner = msg.sender;
        entry.arbiter = settings.arbiter;
        entry.notice = settings.notice;
        entry.disputeWindow = settings.disputeWindow;
        entry.arbiterWindow = settings.arbiterWindow;
        entry.worksRoot = settings.worksRoot;
        entry.fileHash = settings.fileHash;
        _record(
            ICatalogues.CatalogueCreated.selector,
            bytes32(catalogue),
            abi.encode(
                msg.sender,
                settings.worksRoot,
                settings.fileHash,
                settings.arbiter,
                uint256(settings.notice),
                uint256(settings.disputeWindow),
                uint256(settings.arbiterWindow),
                settings.uri
            )
        );
    }

    /// @inheritdoc ICatalogues
    function replaceManifest(
        uint256 catalogue,
        bytes32 worksRoot,
        bytes32 fileHash,
        string calldata uri
    ) external nonReentrant {
        // check
        Catalogue storage entry = _owned(catalogue);
        _checkManifest(worksRoot, fileHash);

        // effect
        entry.worksRoot = worksRoot;
        entry.fileHash = fileHash;
        _record(
            ICatalogues.ManifestReplaced.selector,
            bytes32(catalogue),
            abi.encode(msg.sender, worksRoot, fileHash, uri)
        );
    }

    /// @inheritdoc ICatalogues
    function announce(uint256 catalogue, bytes32 splitId) external nonReentrant returns (uint256 effective) {
        return _announce(catalogue, splitId);
    }

    /// @inheritdoc ICatalogues
    function publishAndAnnounce(
        uint256 catalogue,
        ISplits.Split calldata split,
        ISplits.Run[] calldata runs
    ) external nonReentrant returns (uint256 effective) {
        // interaction, before any effect: the split has to be public before it can be announced
        _forwardRuns(runs);
        return _announce(catalogue, keccak256(abi.encode(split.root, split.total, split.depth)));
    }

    /// @inheritdoc ICatalogues
    function offerOwnership(uint256 catalogue, address next) external nonReentrant {
        // check
        Catalogue storage entry = _owned(catalogue);

        // effect
        entry.pendingOwner = next;
        _record(ICatalogues.OwnershipOffered.selector, bytes32(catalogue), abi.encode(msg.sender, next));
    }

    /// @inheritdoc ICatalogues
    function acceptOwnership(uint256 catalogue) external nonReentrant {
        // check
        Catalogue storage entry = _known(catalogue);
        if (msg.sender != entry.pendingOwner) revert Errors.Catalogues_NotPendingOwner(catalogue, msg.sender);

        // effect
        address previous = entry.owner;
        entry.owner = msg.sender;
        entry.pendingOwner = address(0);
        _record(ICatalogues.OwnershipMoved.selector, bytes32(catalogue), abi.encode(msg.sender, previous));
    }

    // Views

    /// @inheritdoc ICatalogues
    function ownerOf(uint256 catalogue) external view returns (address) {
        return _known(catalogue).owner;
    }

    /// @inheritdoc ICatalogues
    function pendingOwnerOf(uint256 catalogue) external view returns (address) {
        return _known(catalogue).pendingOwner;
    }

    /// @inheritdoc ICatalogues
    function rulesOf(
        uint256 catalogue
    ) external view returns (address arbiter, uint256 notice, uint256 disputeWindow, uint256 arbiterWindow) {
        Catalogue storage entry = _known(catalogue);
        return (entry.arbiter, entry.notice, entry.disputeWindow, entry.arbiterWindow);
    }

    /// @inheritdoc ICatalogues
    function manifestOf(uint256 catalogue) external view returns (bytes32 worksRoot, bytes32 fileHash) {
        Catalogue storage entry = _known(catalogue);
        return (entry.worksRoot, entry.fileHash);
    }

    /// @inheritdoc ICatalogues
    function splitAt(uint256 catalogue, uint256 time) external view returns (bytes32 splitId) {
        return _splitAt(_known(catalogue), catalogue, time);
    }

    /// @inheritdoc ICatalogues
    function ownerAndSplit(uint256 catalogue) external view returns (address owner, bytes32 splitId) {
        Catalogue storage entry = _known(catalogue);
        return (entry.owner, _splitAt(entry, catalogue, block.timestamp));
    }

    /// @inheritdoc ICatalogues
    function splitCount(uint256 catalogue) external view returns (uint256) {
        return _known(catalogue).count;
    }

    /// @inheritdoc ICatalogues
    function splitByPosition(
        uint256 catalogue,
        uint256 position
    ) external view returns (bytes32 splitId, uint256 effective) {
        Catalogue storage entry = _known(catalogue);
        uint256 length = entry.count;
        if (position >= length) revert Errors.Catalogues_NoPosition(catalogue, position);
        return (
            entry.splitIds[position],
            position == length - 1 ? entry.lastEffective : _timeOf(entry.times[position / TIMES_PER_SLOT], position)
        );
    }

    /// @inheritdoc ICatalogues
    function provesWork(bytes32 worksRoot, Work calldata work, bytes32[] calldata proof) external pure returns (bool) {
        return _provesWork(worksRoot, work, proof);
    }

    /// @inheritdoc ICatalogues
    function provesShare(
        bytes32 worksRoot,
        Work calldata work,
        bytes32[] calldata workProof,
        Share calldata share,
        bytes32[] calldata shareProof
    ) external pure returns (bool) {
        bytes32 leaf = _doubleHash(abi.encode(share.holder, share.payee, share.sharePpm, share.rightType));
        return
            _provesWork(worksRoot, work, workProof) &&
            MerkleProof.verifyCalldata({ proof: shareProof, root: work.sharesRoot, leaf: leaf });
    }

    // Internals

    /// @dev Calls ISplits.publish with what the caller sent behind the catalogue's number, word for word: encoding decoded
    ///      runs again would cost 10 gas a word. Splits checks the encoding as if the caller had called it. The arguments
    ///      are the split's three words and the place of the runs, which counts from the first argument.
    function _forwardRuns(ISplits.Run[] calldata runs) private {
        address target = address(splits);
        bytes4 selector = ISplits.publish.selector;
        assembly ("memory-safe") {
            let call_ := mload(0x40)
            let size := sub(calldatasize(), 36)
            mstore(call_, selector)
            calldatacopy(add(call_, 4), 36, size)
            // From the first argument, now the split, to the runs' length.
            mstore(add(call_, 100), sub(runs.offset, 68))
            if iszero(call(gas(), target, 0, call_, add(size, 4), 0, 0)) {
                returndatacopy(call_, 0, returndatasize())
                revert(call_, returndatasize())
            }
        }
    }

    function _announce(uint256 catalogue, bytes32 splitId) private returns (uint256 effective) {
        // check
        Catalogue storage entry = _owned(catalogue);
        if (!splits.isPublished(splitId)) revert Errors.Catalogues_SplitNotPublished(splitId);

        // effect
        uint256 position = entry.count;
        effective = block.timestamp;
        if (position != 0) {
            uint256 last = entry.lastEffective;
            // A notice of zero counts as one second, so that no second ever changes its split.
            effective += entry.notice == 0 ? 1 : entry.notice;
            if (last > block.timestamp) {
                --position;
            } else {
                uint256 previous = position - 1;
                entry.times[previous / TIMES_PER_SLOT] |= last << ((previous % TIMES_PER_SLOT) * TIME_BITS);
            }
        }
        entry.splitIds[position] = splitId;
        // A cast that cannot cut: 2^40 seconds end in the year 36812.
        entry.count = SafeCast.toUint24(position + 1);
        entry.lastEffective = uint40(effective);
        _record(
            ICatalogues.SplitAnnounced.selector,
            bytes32(catalogue),
            abi.encode(msg.sender, position, splitId, effective)
        );
    }

    /// @dev The last position whose effective time is not after `time`; effective times strictly rise with position.
    function _splitAt(Catalogue storage entry, uint256 catalogue, uint256 time) private view returns (bytes32) {
        uint256 length = entry.count;
        if (length != 0 && time >= entry.lastEffective) return entry.splitIds[length - 1];

        // Positions below `low` are in force at or before `time`, those from `high` on after it.
        uint256 low = 0;
        uint256 high = length == 0 ? 0 : length - 1;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_timeOf(entry.times[middle / TIMES_PER_SLOT], middle) <= time) low = middle + 1;
            else high = middle;
        }
        if (low == 0) revert Errors.Catalogues_NoSplitAt(catalogue, time);
        return entry.splitIds[low - 1];
    }

    function _timeOf(uint256 sixTimes, uint256 position) private pure returns (uint256) {
        return uint40(sixTimes >> ((position % TIMES_PER_SLOT) * TIME_BITS));
    }

    function _known(uint256 catalogue) private view returns (Catalogue storage entry) {
        entry = _catalogues[catalogue];
        if (entry.owner == address(0)) revert Errors.Catalogues_Unknown(catalogue);
    }

    function _owned(uint256 catalogue) private view returns (Catalogue storage entry) {
        entry = _known(catalogue);
        if (msg.sender != entry.owner) revert Errors.Catalogues_NotOwner(catalogue, msg.sender);
    }

    function _checkManifest(bytes32 worksRoot, bytes32 fileHash) private pure {
        if (worksRoot == 0) revert Errors.Catalogues_BadSetting(1);
        if (fileHash == 0) revert Errors.Catalogues_BadSetting(2);
    }

    function _checkWindow(uint256 window, uint256 which) private pure {
        if (window < MIN_WINDOW || window > MAX_SECONDS) revert Errors.Catalogues_BadSetting(which);
    }

    function _provesWork(bytes32 worksRoot, Work calldata work, bytes32[] calldata proof) private pure returns (bool) {
        bytes32 leaf = _doubleHash(abi.encode(work.workId, work.contentHash, work.identifiersHash, work.sharesRoot));
        return MerkleProof.verifyCalldata({ proof: proof, root: worksRoot, leaf: leaf });
    }

    function _doubleHash(bytes memory preimage) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(preimage)));
    }
}
