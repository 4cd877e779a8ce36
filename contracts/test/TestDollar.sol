// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title MintableDollar
/// @notice Test chains only: a 6-decimals ERC-20 with EIP-2612 permit that anyone may mint.
abstract contract MintableDollar is ERC20Permit {
    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) ERC20Permit(name_) {}

    /// @notice Makes `amount` base units out of nothing for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}

/// @title TestDollar
/// @notice Test chains only: the well-behaved dollar.
contract TestDollar is MintableDollar {
    constructor() MintableDollar("Test Dollar (test chains only)", "tUSD") {}
}
