// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISplits } from "./ISplits.sol";

/// @title ICatalogues
/// @notice What is licensed, and how its money is split: a works manifest and a dated, append-only list of splits.
/// @dev Times are Unix seconds. The works manifest is a Merkle tree with sorted pairs and doubly hashed leaves
///      (OpenZeppelin MerkleProof):
///
///      share leaf = keccak256(keccak256(abi.encode(holder, payee, sharePpm, rightType)))
///      work leaf  = keccak256(keccak256(abi.encode(workId, contentHash, identifiersHash, sharesRoot)))
interface ICatalogues {
    /// @notice What is fixed when a catalogue is created, and its first manifest.
    /// @param worksRoot Merkle root of the works manifest
    /// @param fileHash keccak256 of the manifest file
    /// @param arbiter who decides disputes; zero: nobody, so that a report stands as it
    ///        was, and a distribution that is objected to gives way to its fallback
    /// @param notice seconds from an announcement to its effect, up to 3650 days; zero counts as one, so that no second
    ///        ever changes its split
    /// @param disputeWindow seconds to object to a version of a report, and to answer an objection, 1 hour to 3650 days
    /// @param arbiterWindow seconds that the arbiter has once called, 1 hour to 3650 days
    /// @param uri where the manifest file lies
    struct Settings {
        bytes32 worksRoot;
        bytes32 fileHash;
        address arbiter;
        uint32 notice;
        uint32 disputeWindow;
        uint32 arbiterWindow;
        string uri;
    }

    /// @notice A work of the manifest.
    struct Work {
        bytes32 workId;
        bytes32 contentHash;
        bytes32 identifiersHash;
        bytes32 sharesRoot;
    }

    /// @notice A rights holder's share in a work.
    /// @param holder hash of the rights holder's id
    /// @param payee the address that is paid; zero while unmatched
    /// @param sharePpm share in parts per million
    /// @param rightType hash of the right type's name
    struct Share {
        bytes32 holder;
        address payee;
        uint256 sharePpm;
        bytes32 rightType;
    }

    // Entries of the journal

    /// @notice A catalogue was created; the caller owns it.
    event CatalogueCreated(
        bytes32 indexed catalogue,
        address caller,
        bytes32 worksRoot,
        bytes32 fileHash,
        address arbiter,
        uint256 notice,
        uint256 disputeWindow,
        uint256 arbiterWindow,
        string uri
    );
    /// @notice The works manifest was replaced; licences keep the works root that their terms name.
    event ManifestReplaced(bytes32 indexed catalogue, address caller, bytes32 worksRoot, bytes32 fileHash, string uri);
    /// @notice A split takes effect at `effective`. `position` is its place in the list; a pending one is overwritten.
    event SplitAnnounced(
        bytes32 indexed catalogue,
        address caller,
        uint256 position,
        bytes32 splitId,
        uint256 effective
    );
    /// @notice The owner named its successor; zero takes the nomination back.
    event OwnershipOffered(bytes32 indexed catalogue, address caller, address pendingOwner);
    /// @notice The successor took over.
    event OwnershipMoved(bytes32 indexed catalogue, address caller, address previousOwner);

    /// @notice Creates a catalogue that the caller owns.
    /// @return catalogue its number, from 1
    function create(Settings calldata settings) external returns (uint256 catalogue);

    /// @notice Replaces the works manifest. Only the owner.
    function replaceManifest(uint256 catalogue, bytes32 worksRoot, bytes32 fileHash, string calldata uri) external;

    /// @notice Announces a published split. The first one takes effect at once, any other after the notice; a pending
    ///         one is replaced, and the notice starts again. Only the owner.
    /// @return effective when it takes effect
    function announce(uint256 catalogue, bytes32 splitId) external returns (uint256 effective);

    /// @notice Publishes pages of a split and announces it, in one call. Only the owner.
    function publishAndAnnounce(
        uint256 catalogue,
        ISplits.Split calldata split,
        ISplits.Run[] calldata runs
    ) external returns (uint256 effective);

    /// @notice Names the next owner, who must accept; zero takes the nomination back. Only the owner.
    function offerOwnership(uint256 catalogue, address next) external;

    /// @notice Takes over a catalogue. Only the named successor.
    function acceptOwnership(uint256 catalogue) external;

    // Views

    /// @notice The Splits contract whose splits are announced here.
    function splits() external view returns (ISplits);
    /// @notice How many catalogues there are.
    function count() external view returns (uint256);
    /// @notice The catalogue's owner, who is the licensor of its licences. Reverts for an unknown catalogue.
    function ownerOf(uint256 catalogue) external view returns (address);
    /// @notice The successor named by the owner, or zero.
    function pendingOwnerOf(uint256 catalogue) external view returns (address);
    /// @notice Who decides disputes, and the windows in seconds.
    function rulesOf(
        uint256 catalogue
    ) external view returns (address arbiter, uint256 notice, uint256 disputeWindow, uint256 arbiterWindow);
    /// @notice The present manifest.
    function manifestOf(uint256 catalogue) external view returns (bytes32 worksRoot, bytes32 fileHash);
    /// @notice The split in force at `time`. Reverts where there was none. Never changes for a time that has passed.
    function splitAt(uint256 catalogue, uint256 time) external view returns (bytes32 splitId);
    /// @notice Owner and split in force now, in one call. Reverts where no split is in force.
    function ownerAndSplit(uint256 catalogue) external view returns (address owner, bytes32 splitId);
    /// @notice Number of announced splits, a pending one included.
    function splitCount(uint256 catalogue) external view returns (uint256);
    /// @notice An announced split and when it takes effect. Reverts past the end of the list.
    function splitByPosition(
        uint256 catalogue,
        uint256 position
    ) external view returns (bytes32 splitId, uint256 effective);
    /// @notice Whether a work belongs to a manifest with this root.
    function provesWork(bytes32 worksRoot, Work calldata work, bytes32[] calldata proof) external pure returns (bool);
    /// @notice Whether a share belongs to a work that belongs to a manifest with this root.
    function provesShare(
        bytes32 worksRoot,
        Work calldata work,
        bytes32[] calldata workProof,
        Share calldata share,
        bytes32[] calldata shareProof
    ) external pure returns (bool);
}
