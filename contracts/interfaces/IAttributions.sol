// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICatalogues } from "./ICatalogues.sol";
import { ILicences } from "./ILicences.sol";

/// @title IAttributions
/// @notice What was trained on, and which works an output owes credit to: Merkle commitments of training runs and of
///         batches of outputs, under a licence that allows them. Nothing is stored but the head of the journal.
/// @dev Trees have sorted pairs and doubly hashed leaves (OpenZeppelin MerkleProof), at most 2^32 of them:
///
///      use leaf    = keccak256(keccak256(abi.encode(workId, contentHash, identifiersHash, sharesRoot)))
///      credit leaf = keccak256(keccak256(abi.encode(output, contentHash, work, weightPpm, confidenceBps)))
///
///      A use leaf is the leaf of the work in the catalogue's manifest, so one leaf shows that a work was licensed and
///      that it was used. Records of a licence are a set of roots: a root that is recorded again adds an entry to the
///      journal and nothing else. Anyone may prove against a root that an entry of this contract names; a root alone
///      shows neither that leaves are missing nor that weights do not sum, which is for the audit to find.
interface IAttributions {
    /// @notice A training run.
    /// @param kind what it was, as the bit of the licence's scope: 1 training, 2 fine-tuning
    /// @param model UTF-8 text of model id, line feed, model version; its hash is the terms' model unless that is zero
    /// @param root Merkle root of the works used
    /// @param leaves number of works used, 1 to 2^32
    /// @param fileHash keccak256 of the file that lists the works
    /// @param uri where that file lies
    struct Training {
        uint256 kind;
        string model;
        bytes32 root;
        uint256 leaves;
        bytes32 fileHash;
        string uri;
    }

    /// @notice A batch of outputs.
    /// @param model as in Training
    /// @param root Merkle root of the credits
    /// @param leaves number of credits, `outputs` to 2^32
    /// @param outputs number of outputs, at least 1
    /// @param fileHash keccak256 of the file that lists the credits
    /// @param uri where that file lies
    struct Batch {
        string model;
        bytes32 root;
        uint256 leaves;
        uint256 outputs;
        bytes32 fileHash;
        string uri;
    }

    /// @notice The credit that an output owes a work.
    /// @param output keccak256 of the output's id
    /// @param contentHash hash of the output; zero: not known
    /// @param work keccak256 of the work's id; zero: whatever does not belong to the catalogue
    /// @param weightPpm part of the output, 1 to 1,000,000; those of one output are meant to sum to 1,000,000
    /// @param confidenceBps confidence of the attribution, 0 to 10,000
    struct Credit {
        bytes32 output;
        bytes32 contentHash;
        bytes32 work;
        uint256 weightPpm;
        uint256 confidenceBps;
    }

    // Entries of the journal. The indexed id is the licence.

    /// @notice A training run was recorded.
    event TrainingRecorded(
        bytes32 indexed licence,
        address caller,
        uint256 kind,
        string model,
        bytes32 root,
        uint256 leaves,
        bytes32 fileHash,
        string uri
    );
    /// @notice A batch of outputs was recorded.
    event OutputsRecorded(
        bytes32 indexed licence,
        address caller,
        string model,
        bytes32 root,
        uint256 leaves,
        uint256 outputs,
        bytes32 fileHash,
        string uri
    );

    /// @notice Records a training run, from the term's start to its stop. Only the licensee; the scope has to hold `kind`.
    /// @param terms the licence's terms, checked against their hash
    function recordTraining(uint256 licence, bytes calldata terms, Training calldata run) external;

    /// @notice Records a batch of outputs, from the term's start until `daysToReport` days after its stop: as long as the
    ///         last period may be reported. Only the licensee and the terms' attributor; the scope has to hold inference,
    ///         retrieval or commercial output.
    /// @param terms the licence's terms, checked against their hash
    function recordOutputs(uint256 licence, bytes calldata terms, Batch calldata batch) external;

    /// @notice The licences that records are for.
    function licences() external view returns (ILicences);

    /// @notice Whether a work belongs to the tree of this root, as a training run's; at most 32 siblings.
    function provesUse(
        bytes32 root,
        ICatalogues.Work calldata work,
        bytes32[] calldata proof
    ) external pure returns (bool);

    /// @notice Whether a credit belongs to the tree of this root, as a batch's; at most 32 siblings. A weight or a
    ///         confidence out of its range proves nothing.
    function provesCredit(bytes32 root, Credit calldata credit, bytes32[] calldata proof) external pure returns (bool);
}
