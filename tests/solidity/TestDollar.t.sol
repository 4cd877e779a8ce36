// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TestDollar } from "../../contracts/test/TestDollar.sol";
import { Test } from "./Vm.sol";

contract TestDollarTest is Test {
    TestDollar private token;

    function setUp() external {
        token = new TestDollar();
    }

    function testFuzz_transferMovesWhatItSays(address to, uint128 minted, uint128 moved) external {
        vm.assume(to != address(0) && to != address(this));
        token.mint(address(this), minted);
        if (moved > minted) vm.expectRevert();
        token.transfer(to, moved);
        checkEqual(token.balanceOf(to), moved > minted ? 0 : moved, "balance of the receiver");
    }
}
