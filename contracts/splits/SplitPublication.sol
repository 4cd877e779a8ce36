// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleSum } from "../libraries/MerkleSum.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { SplitStore } from "./SplitStore.sol";

/// @title SplitPublication
/// @notice Pages become public, each once.
abstract contract SplitPublication is SplitStore {
    /// @inheritdoc ISplits
    function publish(Split calldata split, Run[] calldata runs) external nonReentrant {
        uint256 memoryMark = _memoryMark();
        for (uint256 i = 0; i < runs.length; ++i) {
            Run calldata run = runs[i];
            uint256 page = run.firstPage;
            bytes32[] calldata words = run.words;
            uint256 height = MerkleSum.heightOf(split.depth, words.length);
            (bytes32 id, uint256 used) = MerkleSum.checkRun(split, page, height, words, run.siblings);
            uint256 end = page + MerkleSum.pagesOf(height);
            uint256 from = 0;
            for (; page < end; ++page) {
                // Words after which all of the run are padding are left out.
                uint256 to = from + MerkleSum.PAGE_SIZE < used ? from + MerkleSum.PAGE_SIZE : used;
                _publishPage(split, id, page, words[from:to]);
                _releaseMemory(memoryMark);
                from = to;
            }
        }
    }

    /// @dev Publishes a page whose words stand at its place; those after `words` are padding.
    function _publishPage(Split calldata split, bytes32 id, uint256 page, bytes32[] calldata words) private {
        // Money of a leaf that names this contract could never leave it.
        uint256 used = MerkleSum.checkWords(words, address(this));
        if (_markPublished(id, page, split.depth)) {
            _record(
                PagePublished.selector,
                id,
                abi.encode(msg.sender, split.root, split.total, split.depth, page, words[:used])
            );
        }
    }

    /// @dev Marks a page as public; false if it was.
    function _markPublished(bytes32 id, uint256 page, uint256 depth) private returns (bool) {
        uint256 state = _publication[id];
        uint256 pages = MerkleSum.pagesOf(depth);
        if (pages == 1) {
            if (state != 0) return false;
        } else {
            uint256 word = _publishedPages[id][page >> 8];
            uint256 bit = 1 << (page & 255);
            if (word & bit != 0) return false;
            _publishedPages[id][page >> 8] = word | bit;
        }
        _publication[id] = (pages << 128) | (uint128(state) + 1);
        return true;
    }
}
