// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { IAttributions } from "./interfaces/IAttributions.sol";
import { ICatalogues } from "./interfaces/ICatalogues.sol";
import { ILicences } from "./interfaces/ILicences.sol";
import { Errors } from "./libraries/Errors.sol";
import { Journal } from "./libraries/Journal.sol";
import { Periods } from "./libraries/Periods.sol";
import { TermsCodec } from "./libraries/TermsCodec.sol";

/// @title Attributions
/// @notice What was trained on and who is credited; told in IAttributions.
contract Attributions is Journal, IAttributions, ReentrancyGuardTransient {
    uint256 private constant TRAIN = 1 << 0;
    uint256 private constant FINE_TUNE = 1 << 1;
    /// @dev Inference, retrieval, commercial output.
    uint256 private constant OUTPUTS = (1 << 2) | (1 << 3) | (1 << 6);
    uint256 private constant MAX_DEPTH = 32;
    uint256 private constant MAX_LEAVES = 1 << MAX_DEPTH;
    uint256 private constant PPM = 1e6;
    uint256 private constant BPS = 1e4;

    /// @inheritdoc IAttributions
    ILicences public immutable override licences;

    constructor(ILicences licences_) {
        licences = licences_;
    }

    /// @inheritdoc IAttributions
    function recordTraining(uint256 licence, bytes calldata terms, Training calldata run) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, address licensee, uint256 stop) = _load(licence, terms);
        if (msg.sender != licensee) revert Errors.Attributions_MayNotRecord(licence, msg.sender);
        if (run.kind != TRAIN && run.kind != FINE_TUNE) revert Errors.Attributions_BadRecord(1);
        _checkScope(licence, t.scope, run.kind);
        _checkTerm(licence, t.start, stop - 1);
        _checkModel(licence, t.model, run.model);
        _checkTree(run.root, run.leaves);

        // effect
        _record(
            IAttributions.TrainingRecorded.selector,
            bytes32(licence),
            abi.encode(msg.sender, run.kind, run.model, run.root, run.leaves, run.fileHash, run.uri)
        );
    }

    /// @inheritdoc IAttributions
    function recordOutputs(uint256 licence, bytes calldata terms, Batch calldata batch) external nonReentrant {
        // check
        (TermsCodec.Words calldata t, address licensee, uint256 stop) = _load(licence, terms);
        if (msg.sender != licensee && msg.sender != address(uint160(t.attributor))) {
            revert Errors.Attributions_MayNotRecord(licence, msg.sender);
        }
        _checkScope(licence, t.scope, OUTPUTS);
        // As long as the last period may be reported; a term without an end has no last second either.
        _checkTerm(licence, t.start, stop == type(uint256).max ? stop : stop + t.daysToReport * 1 days);
        _checkModel(licence, t.model, batch.model);
        _checkTree(batch.root, batch.leaves);
        if (batch.outputs == 0 || batch.outputs > batch.leaves) revert Errors.Attributions_BadRecord(5);

        // effect
        _record(
            IAttributions.OutputsRecorded.selector,
            bytes32(licence),
            abi.encode(msg.sender, batch.model, batch.root, batch.leaves, batch.outputs, batch.fileHash, batch.uri)
        );
    }

    /// @inheritdoc IAttributions
    function provesUse(
        bytes32 root,
        ICatalogues.Work calldata work,
        bytes32[] calldata proof
    ) external pure returns (bool) {
        return _proves(root, abi.encode(work.workId, work.contentHash, work.identifiersHash, work.sharesRoot), proof);
    }

    /// @inheritdoc IAttributions
    function provesCredit(bytes32 root, Credit calldata credit, bytes32[] calldata proof) external pure returns (bool) {
        if (credit.weightPpm == 0 || credit.weightPpm > PPM || credit.confidenceBps > BPS) return false;
        return
            _proves(
                root,
                abi.encode(credit.output, credit.contentHash, credit.work, credit.weightPpm, credit.confidenceBps),
                proof
            );
    }

    // Internals

    /// @dev Checks the terms against the licence's hash; who holds it, and the end of its term as it now stands. The status
    ///      adds nothing to that: a licence that is expired or terminated has passed its stop.
    function _load(
        uint256 licence,
        bytes calldata data
    ) private view returns (TermsCodec.Words calldata terms, address licensee, uint256 stop) {
        bytes32 termsHash;
        (termsHash, licensee, stop) = licences.grantOf(licence);
        if (keccak256(data) != termsHash) revert Errors.Attributions_TermsMismatch(licence);
        terms = TermsCodec.inPlace(data);
        stop = Periods.stopOf(terms, stop);
    }

    function _checkScope(uint256 licence, uint256 scope, uint256 wanted) private pure {
        if (scope & wanted == 0) revert Errors.Attributions_OutsideScope(licence, scope, wanted);
    }

    function _checkTerm(uint256 licence, uint256 start, uint256 until) private view {
        if (block.timestamp < start || block.timestamp > until) {
            revert Errors.Attributions_OutsideTerm(licence, start, until);
        }
    }

    function _checkModel(uint256 licence, bytes32 licensed, string calldata model) private pure {
        if (bytes(model).length == 0) revert Errors.Attributions_BadRecord(2);
        if (licensed != 0 && keccak256(bytes(model)) != licensed) {
            revert Errors.Attributions_WrongModel(licence, keccak256(bytes(model)), licensed);
        }
    }

    function _checkTree(bytes32 root, uint256 leaves) private pure {
        if (root == 0) revert Errors.Attributions_BadRecord(3);
        if (leaves == 0 || leaves > MAX_LEAVES) revert Errors.Attributions_BadRecord(4);
    }

    /// @dev Preimages have 128 or 160 bytes, inner nodes 64, and leaves are hashed twice: none passes for another.
    function _proves(bytes32 root, bytes memory preimage, bytes32[] calldata proof) private pure returns (bool) {
        bytes32 leaf = keccak256(abi.encode(keccak256(preimage)));
        return proof.length <= MAX_DEPTH && MerkleProof.verifyCalldata({ proof: proof, root: root, leaf: leaf });
    }
}
