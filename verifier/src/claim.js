// What a claim's call data say: read here, before anybody is asked to sign them.
import { Malformed } from "./bytes.js";
import { SELECTORS } from "./generated.js";
import { checkLeaf, readLeaf } from "./merkle_sum.js";

const MOST_LEAVES = 500;

/** The leaves of the call data of Splits.claim, each proved to stand in its split. Raises Malformed. */
export function decodeClaim(data) {
  if (typeof data !== "string" || !/^0x(?:[0-9a-f]{2})*$/.test(data)) {
    throw new Malformed("The call data are not hexadecimal.");
  }
  if (data.slice(0, 10) !== SELECTORS.Splits.claim) throw new Malformed("The call is no claim.");
  const read = reader(data.slice(10));
  const array = read.place(0, 0);
  const many = read.size(array, MOST_LEAVES);
  return Array.from({ length: many }, (_, at) => {
    const start = read.place(array + 32 + 32 * at, array + 32);
    const [root, total, depth, token, index, leaf] = [0, 1, 2, 3, 4, 5].map((place) => read.word(start + 32 * place));
    const list = read.place(start + 192, start);
    const siblings = Array.from({ length: read.size(list, 63) }, (_, each) => read.word(list + 32 + 32 * each));
    if (!/^0x0{24}/.test(token)) throw new Malformed("An address in the call data has more than 20 bytes.");
    const split = { root, total: BigInt(total), depth: BigInt(depth) };
    const id = checkLeaf(split, BigInt(index), leaf, siblings);
    return { id, token: "0x" + token.slice(26), index: BigInt(index), ...readLeaf(leaf) };
  });
}

/** Refuses a claim that pays anybody but `holder`, or in another token; gives its leaves. Raises Malformed. */
export function checkedClaim(data, holder, token) {
  const leaves = decodeClaim(data);
  if (!leaves.length) throw new Malformed("The claim is empty.");
  for (const one of leaves) {
    if (one.payee !== holder.toLowerCase()) throw new Malformed(`The claim pays ${one.payee}, not ${holder}.`);
    if (token && one.token !== token.toLowerCase()) throw new Malformed("The claim is in another token.");
  }
  return leaves;
}

/** Reads ABI-encoded words; all places count bytes from the start of the arguments. */
function reader(digits) {
  const word = (at) => {
    const held = digits.slice(2 * at, 2 * at + 64);
    if (held.length !== 64) throw new Malformed("The call data end early.");
    return "0x" + held;
  };
  const size = (at, limit) => {
    const value = BigInt(word(at));
    if (value > BigInt(limit)) throw new Malformed("The call data name more items than a claim has.");
    return Number(value);
  };
  return { word, size, place: (at, base) => base + size(at, digits.length) };
}
