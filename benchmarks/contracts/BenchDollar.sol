// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title BenchDollar
/// @notice Benchmarks only: OpenZeppelin's ERC-20 with 6 decimals and nothing else, so that all sides pay the same token.
contract BenchDollar is ERC20 {
    constructor() ERC20("Bench Dollar", "BENCH") {
        _mint(msg.sender, 10 ** 30);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
