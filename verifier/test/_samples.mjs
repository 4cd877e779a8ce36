// Small samples for the tests: leaves, call data of claims, tries of a few keys.
import { bytesOf, hexOf, wordHex } from "../src/bytes.js";
import { SELECTORS } from "../src/generated.js";
import { hashWords, keccak } from "../src/keccak.js";
import { leafWord } from "../src/merkle_sum.js";
import { encode } from "../src/rlp.js";

export const ANN = "0x" + "11".repeat(20);
export const BOB = "0x" + "22".repeat(20);
export const TOKEN = "0x" + "aa".repeat(20);

/** A split of Ann (1 unit) and Bob (2), and the leaf of one of them as Splits.claim takes it. */
export function leafOf(payee, token = TOKEN) {
  const words = [leafWord(ANN, 1n), leafWord(BOB, 2n)];
  const index = payee === ANN ? 0 : 1;
  const root = hashWords(...words);
  return {
    root,
    total: 3n,
    depth: 1n,
    token,
    index: BigInt(index),
    leaf: words[index],
    siblings: [words[1 - index]],
  };
}

/** The call data of Splits.claim. */
export function claimData(leaves, selector = SELECTORS.Splits.claim) {
  const bodies = leaves.map(({ root, total, depth, token, index, leaf, siblings }) =>
    [root, total, depth, token, index, leaf, 224, siblings.length, ...siblings].map(digits).join(""),
  );
  let place = 32 * leaves.length;
  const places = bodies.map((body) => {
    const at = place;
    place += body.length / 2;
    return digits(at);
  });
  return selector + [digits(32), digits(leaves.length), ...places, ...bodies].join("");
}

function digits(value) {
  return (typeof value === "string" && value.length === 66 ? value : wordHex(value)).slice(2);
}

/** A trie of the two keys: a branch over two leaves. Gives root, keys and encoded nodes. */
export function trieOfTwo(values) {
  const keys = ["0x1" + "0".repeat(63), "0x2" + "0".repeat(63)];
  const leaves = keys.map((key, at) => encode([bytesOf("0x3" + key.slice(3)), values[at]]));
  const children = Array.from({ length: 17 }, () => new Uint8Array());
  children[1] = keccak(leaves[0]);
  children[2] = keccak(leaves[1]);
  const branch = encode(children);
  return { root: hexOf(keccak(branch)), keys, nodes: [branch, ...leaves] };
}
