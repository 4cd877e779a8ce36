// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Journal
/// @notice Folds every state change of a contract into one rolling hash, and emits the very bytes that it folded.
/// @dev The head is storage slot 0 of each contract. An entry is one log with two topics:
///
///      head' = keccak256(head ‖ block.number ‖ block.timestamp ‖ topic0 ‖ topic1 ‖ keccak256(data)), 192 bytes,
///
///      where topic0 is the selector of an event of the contract's interface, topic1 its indexed id, and data the ABI
///      encoding of its other fields, of which the first is always the caller. So the raw logs, with the number and
///      the time of their blocks, fold to the head without any knowledge of the events.
abstract contract Journal {
    /// @notice The fold of all entries so far; zero before the first.
    bytes32 public journalHead;

    /// @dev Appends one entry. No external call stands between the read and the write of the head.
    function _record(bytes32 topic, bytes32 id, bytes memory data) internal {
        bytes32 head = journalHead;
        bytes32 next;
        assembly ("memory-safe") {
            let size := mload(data)
            let start := add(data, 32)
            let free := mload(0x40)
            mstore(free, head)
            mstore(add(free, 32), number())
            mstore(add(free, 64), timestamp())
            mstore(add(free, 96), topic)
            mstore(add(free, 128), id)
            mstore(add(free, 160), keccak256(start, size))
            next := keccak256(free, 192)
            log2(start, size, topic, id)
        }
        journalHead = next;
    }
}
