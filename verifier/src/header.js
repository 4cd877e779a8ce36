// Block headers up to Prague. A field that is not known stops everything: a header half understood proves nothing.
import { Malformed, bytesOf, hexOf } from "./bytes.js";
import { hashHex } from "./keccak.js";
import { decodeList, encode, fixed, intOf } from "./rlp.js";

/** JSON name and size in bytes of each field, in order; negative: a number of at most so many; 0: any size. */
const FIELDS = [
  ["parentHash", 32],
  ["sha3Uncles", 32],
  ["miner", 20],
  ["stateRoot", 32],
  ["transactionsRoot", 32],
  ["receiptsRoot", 32],
  ["logsBloom", 256],
  ["difficulty", -32],
  ["number", -8],
  ["gasLimit", -8],
  ["gasUsed", -8],
  ["timestamp", -8],
  ["extraData", 0],
  ["mixHash", 32],
  ["nonce", 8],
  ["baseFeePerGas", -32],
  ["withdrawalsRoot", 32],
  ["blobGasUsed", -8],
  ["excessBlobGas", -8],
  ["parentBeaconBlockRoot", 32],
  ["requestsHash", 32],
];
/** How many fields a header has: first chain, London, Shanghai, Cancun, Prague. */
const FORKS = new Map([
  [15, "frontier"],
  [16, "london"],
  [17, "shanghai"],
  [20, "cancun"],
  [21, "prague"],
]);
const BESIDE = new Set("hash size totalDifficulty transactions uncles withdrawals author sealFields".split(" "));

/** Hash, state root, number, time and fork of an encoded header. Raises Malformed. */
export function headerOf(raw) {
  const items = decodeList(raw);
  const fork = FORKS.get(items.length);
  if (!fork) {
    throw new Malformed(`A header of ${items.length} fields is unknown; this verifier knows those up to Prague.`);
  }
  const held = {};
  items.forEach((item, at) => {
    const [name, size] = FIELDS[at];
    if (Array.isArray(item)) throw new Malformed(`The header's ${name} is a list.`);
    held[name] = size < 0 ? intOf(item, -size) : size ? fixed(item, size) : item;
  });
  return {
    raw,
    fork,
    hash: hashHex(raw),
    stateRoot: hexOf(held.stateRoot),
    number: Number(held.number),
    timestamp: Number(held.timestamp),
  };
}

/** The header of a block as eth_getBlockBy… tells it, encoded again and hashed. Raises Malformed. */
export function headerOfJson(block) {
  const names = FIELDS.map(([name]) => name);
  const unknown = Object.keys(block).filter((name) => !names.includes(name) && !BESIDE.has(name));
  if (unknown.length) {
    throw new Malformed("The block's header has fields that this verifier does not know.", unknown.join(", "));
  }
  const present = FIELDS.filter(([name]) => block[name] !== undefined && block[name] !== null);
  if (!FORKS.has(present.length) || present.some(([name], at) => name !== names[at])) {
    throw new Malformed("The block's header lacks fields.");
  }
  return headerOf(encode(present.map(([name, size]) => field(block[name], size, name))));
}

function field(told, size, name) {
  if (typeof told !== "string" || !/^0x[0-9a-fA-F]*$/.test(told)) {
    throw new Malformed(`The header's ${name} is not hexadecimal.`);
  }
  const digits = told.slice(2).toLowerCase();
  if (size >= 0) {
    const bytes = bytesOf("0x" + digits);
    if (size && bytes.length !== size) throw new Malformed(`The header's ${name} has a wrong length.`);
    return bytes;
  }
  const shortest = digits.replace(/^0+/, "");
  const bytes = bytesOf("0x" + (shortest.length % 2 ? "0" : "") + shortest);
  if (bytes.length > -size) throw new Malformed(`The header's ${name} is too large.`);
  return bytes;
}
