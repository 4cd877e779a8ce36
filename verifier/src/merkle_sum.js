// Merkle-sum trees of splits, by the strict rules of contracts/libraries/MerkleSum.sol and in their order.
import { Malformed, bytesOf, hexOf, join, word, wordHex } from "./bytes.js";
import { hashWords, keccak } from "./keccak.js";

export const PAGE_DEPTH = 7;
export const PAGE_SIZE = 128;
const MAX_DEPTH = 32n;
const TOTAL_LIMIT = 1n << 128n;
const UNITS = (1n << 96n) - 1n;

/** A refusal of the contracts by its name there. */
export class Refusal extends Malformed {
  constructor(name) {
    super(name);
    this.refusal = name;
  }
}

function demand(holds, name) {
  if (!holds) throw new Refusal(name);
}

/** keccak256(root ‖ total ‖ depth), after the checks of range. All but `root` are BigInt. Raises Refusal. */
export function splitId({ root, total, depth }) {
  demand(depth <= MAX_DEPTH, "Splits_DepthTooLarge");
  demand(total > 0n && total < TOTAL_LIMIT, "Splits_TotalOutOfRange");
  return hashWords(root, total, depth);
}

/** How many pages a split of this depth (BigInt) has. */
export function pagesOf(depth) {
  return depth <= BigInt(PAGE_DEPTH) ? 1 : 2 ** (Number(depth) - PAGE_DEPTH);
}

/** Payee and units of a leaf's word. */
export function readLeaf(leaf) {
  return { payee: leaf.slice(0, 42), units: BigInt(leaf) & UNITS };
}

/** Checks that a leaf stands at its index; gives the split's id. `index` BigInt, words 0x and digits. Raises Refusal. */
export function checkLeaf(split, index, leaf, siblings) {
  const id = splitId(split);
  demand(index >> split.depth === 0n, "Splits_IndexOutOfRange");
  const { payee, units } = readLeaf(leaf);
  demand(units !== 0n && BigInt(payee) !== 0n, "Splits_BadLeaf");
  const depth = Number(split.depth);
  demand(siblings.length === (depth === 0 ? 0 : 2 * depth - 1), "Splits_WrongProofLength");
  let node = leaf;
  let sum = units;
  if (depth) {
    node = index & 1n ? hashWords(siblings[0], leaf) : hashWords(leaf, siblings[0]);
    sum += readLeaf(siblings[0]).units;
    [node, sum] = climb(index >> 1n, node, sum, split.total, siblings.slice(1));
  }
  demand(node === split.root && sum === split.total, "Splits_ProofMismatch");
  return id;
}

/** From a node up to the root by (hash, sum) siblings; every sum is at most `total`. */
function climb(position, node, sum, total, siblings) {
  demand(sum <= total, "Splits_SumAboveTotal");
  for (let at = 0; at < siblings.length; at += 2) {
    const other = BigInt(siblings[at + 1]);
    demand(other <= total, "Splits_SumAboveTotal");
    const [mine, theirs] = [
      [node, sum],
      [siblings[at], other],
    ];
    node = position & 1n ? hashWords(...theirs, ...mine) : hashWords(...mine, ...theirs);
    sum += other;
    demand(sum <= total, "Splits_SumAboveTotal");
    position >>= 1n;
  }
  return [node, sum];
}

/** Root and total of all leaf words of a split, padding left out at the end. */
export function rootOf(words, depth) {
  let level = words.map(bytesOf);
  let padding = new Uint8Array(32);
  for (let height = 0; height < Number(depth); height++) {
    if (level.length % 2) level.push(padding);
    const above = [];
    for (let at = 0; at < level.length; at += 2) above.push(parent(level[at], level[at + 1]));
    padding = parent(padding, padding);
    level = above;
  }
  const [top] = level;
  if (top.length === 32) return { root: hexOf(top), total: readLeaf(hexOf(top)).units };
  return { root: hexOf(top.subarray(0, 32)), total: BigInt(hexOf(top.subarray(32))) };
}

/** Hash and sum (64 bytes) above two neighbours: nodes of 64 bytes, or leaf words of 32. */
function parent(left, right) {
  const from = left.length === 32 ? 20 : 32;
  const sum = BigInt(hexOf(left.subarray(from))) + BigInt(hexOf(right.subarray(from)));
  return join(keccak(join(left, right)), word(sum));
}

/** The id of an account: keccak256(controller ‖ salt). */
export function accountId(controller, salt) {
  return hashWords(controller, salt);
}

/** A leaf's word of payee and units. */
export function leafWord(payee, units) {
  return payee + wordHex(units).slice(42);
}
