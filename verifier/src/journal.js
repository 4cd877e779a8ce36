// The journal of a contract: raw logs folded to its head (contracts/libraries/Journal.sol), and their fields.
import { Malformed, bytesOf, hexOf, join, word } from "./bytes.js";
import { keccak } from "./keccak.js";
import { EVENTS } from "./generated.js";

export const ZERO = "0x" + "00".repeat(32);

/** The head after one entry: keccak256 of six words. `head`: 32 bytes. */
export function fold(head, entry) {
  return keccak(
    join(
      head,
      word(entry.block),
      word(entry.time),
      bytesOf(entry.topic0),
      bytesOf(entry.id),
      keccak(bytesOf(entry.data)),
    ),
  );
}

/** The heads of journals after all entries, by contract: 0x and digits; zero for one without entries. */
export class Folds {
  constructor(names) {
    this.heads = new Map(names.map((name) => [name, new Uint8Array(32)]));
    this.counts = new Map(names.map((name) => [name, 0]));
  }

  /** Folds one entry into its contract's head. Raises Malformed for a contract that has no journal. */
  add(entry) {
    const head = this.heads.get(entry.contract);
    if (!head) throw new Malformed("An entry names a contract without a journal.", entry.contract);
    this.heads.set(entry.contract, fold(head, entry));
    this.counts.set(entry.contract, this.counts.get(entry.contract) + 1);
  }

  /** The head of a contract's journal. */
  head(name) {
    return hexOf(this.heads.get(name));
  }
}

/** What an entry tells: its name, its id and its fields by name, block and time. Raises Malformed. */
export function told(entry) {
  const shape = EVENTS[entry.contract]?.[entry.topic0];
  if (!shape) throw new Malformed(`A log is no entry of ${entry.contract}'s journal.`, entry.topic0);
  const [name, id, ...fields] = shape;
  const args = { name, [id]: entry.id, block: entry.block, time: entry.time };
  fields.forEach(([kind, label], at) => {
    args[label] = valueAt(entry.data, at, kind);
  });
  return args;
}

/** The value of an ABI-encoded field: BigInt, bool, 0x and digits, or an array of words. Raises Malformed. */
function valueAt(data, at, kind) {
  const held = wordAt(data, at * 32);
  switch (kind) {
    case "address":
      if (!held.startsWith("0".repeat(24))) throw new Malformed("An address has more than 20 bytes.");
      return "0x" + held.slice(24);
    case "bool":
      if (BigInt("0x" + held) > 1n) throw new Malformed("A truth value is neither 0 nor 1.");
      return held.endsWith("1");
    case "bytes32":
      return "0x" + held;
    case "uint256":
      return BigInt("0x" + held);
    case "int256":
      return BigInt.asIntN(256, BigInt("0x" + held));
    default:
      return dynamicAt(data, Number(BigInt("0x" + held)), kind);
  }
}

/** The 64 digits of a word, `at` bytes from the start. */
function wordAt(data, at) {
  const held = data.slice(2 + 2 * at, 66 + 2 * at);
  if (held.length !== 64) throw new Malformed("The data of an entry ends early.");
  return held;
}

function dynamicAt(data, at, kind) {
  const size = Number(BigInt("0x" + wordAt(data, at)));
  if (kind === "bytes32[]") {
    if (size > data.length) throw new Malformed("The data of an entry ends early.");
    return Array.from({ length: size }, (_, i) => "0x" + wordAt(data, at + 32 + 32 * i));
  }
  const held = data.slice(66 + 2 * at, 66 + 2 * at + 2 * size);
  if (held.length !== 2 * size) throw new Malformed("The data of an entry ends early.");
  return "0x" + held;
}
