// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BareBatch
/// @notice Benchmarks only, and unsafe on purpose: what paying a list costs with no check at all. Anyone can empty it.
contract BareBatch {
    /// @notice Transfers to each word's recipient (20 bytes, high) its amount (12 bytes, low).
    function pay(address token, bytes32[] calldata words) external {
        assembly {
            mstore(0, shl(224, 0xa9059cbb))
            let end := add(words.offset, shl(5, words.length))
            for {
                let at := words.offset
            } lt(at, end) {
                at := add(at, 32)
            } {
                let word := calldataload(at)
                mstore(4, shr(96, word))
                mstore(36, and(word, 0xffffffffffffffffffffffff))
                if iszero(call(gas(), token, 0, 0, 68, 0, 0)) {
                    revert(0, 0)
                }
            }
            stop()
        }
    }
}
