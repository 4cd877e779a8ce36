// Reads a bundle (docs/reference/bundle.md): JSON Lines in canonical form, plain or packed by gzip.
import { Malformed, bytesOf, join } from "./bytes.js";
import { EVENTS } from "./generated.js";
import { headerOf } from "./header.js";
import { Nodes } from "./trie.js";

export const FORMAT = "licence-ledger bundle";
export const VERSION = 1;
export const FULL = "full";
export const HOLDER = "holder";
export const PAGE = "page";

/** The lines of a kind between the first and the last, in their order, and what the last one calls their number. */
const LINES = {
  [FULL]: { entry: "entries", node: "nodes", balance: "balances" },
  [HOLDER]: { leaf: "leaf", token: "token", terms: "terms", node: "nodes" },
  [PAGE]: { entry: "entries", leaf: "leaf", token: "token", terms: "terms", node: "nodes" },
};
const ABOUT = "format version kind chain_id anchor header contracts holder licence".split(" ").sort();
const LEAF = "depth index leaf root siblings split total".split(" ");
const LINES_AT_ONCE = 500;
/** Bytes of a bundle once it is unpacked: an engine's longest text is about as long. */
const LARGEST = 500_000_000;

/** The text of a bundle that is given as text or as bytes, which may be packed by gzip. */
export async function textOf(bundle) {
  if (typeof bundle === "string") return bundle;
  let bytes = bundle;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await unpacked(bytes);
  if (bytes.length > LARGEST) throw new Malformed("The bundle is too large for this verifier.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("The bundle is no text.");
  }
}

/** What gzip packed. Raises Malformed, also as soon as it becomes too large. */
async function unpacked(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch {
      throw new Malformed("The bundle cannot be unpacked.");
    }
    if (part.done) return join(...parts);
    parts.push(part.value);
    size += part.value.length;
    if (size > LARGEST) {
      await reader.cancel();
      throw new Malformed("The bundle is too large for this verifier.");
    }
  }
}

/** The evidence in a bundle. `pause` is awaited now and then. Raises Malformed. */
export async function readBundle(bundle, pause = async () => {}) {
  const text = await textOf(bundle);
  if (!text.endsWith("\n")) throw new Malformed("The bundle ends early.");
  const lines = text.slice(0, -1).split("\n");
  const evidence = aboutOf(parsed(lines[0], 0));
  const kinds = LINES[evidence.kind];
  const held = { entry: [], leaf: [], token: [], terms: [], balance: [] };
  const nodes = new Nodes();
  const order = Object.keys(kinds);
  let stage = 0;
  let before = null;
  for (let at = 1; at < lines.length - 1; at++) {
    if (at % LINES_AT_ONCE === 0) await pause();
    const line = parsed(lines[at], at);
    const [kind, ...more] = Object.keys(line);
    const place = order.indexOf(kind);
    if (more.length || place < stage) {
      throw new Malformed("The bundle has a line of an unknown kind, or out of its place.", `line ${at + 1}`);
    }
    if (place > stage) before = null;
    stage = place;
    try {
      const key = take(kind, line[kind], held, nodes);
      if (before) demand(follows(kind, before, key), `lines of the kind ${kind} are out of order, or one stands twice`);
      if (kind === "entry") {
        const { number, timestamp } = evidence.header;
        demand(key[0] <= number && key[1] <= timestamp, "an entry is later than the header");
      }
      before = key;
    } catch (error) {
      const what = error instanceof Malformed ? error.what : `The bundle makes no sense: ${error.message}.`;
      throw new Malformed(what, `line ${at + 1}`);
    }
  }
  if (lines.length < 2) throw new Malformed("The bundle ends early.");
  const last = parsed(lines.at(-1), lines.length - 1);
  if (canonical(Object.keys(last)) !== '["end"]') throw new Malformed("The bundle ends early.");
  const counts = Object.fromEntries(
    Object.entries(kinds).map(([kind, label]) => [label, kind === "node" ? nodes.size : held[kind].length]),
  );
  if (canonical(last.end) !== canonical(counts)) {
    const told = canonical(last.end).slice(0, 200);
    throw new Malformed(`The bundle holds not what it says: ${told}, it holds ${canonical(counts)}.`);
  }
  return {
    ...evidence,
    entries: kinds.entry && held.entry,
    leaves: kinds.leaf && held.leaf,
    tokens: kinds.token && held.token,
    terms: kinds.terms && held.terms,
    nodes,
    // All nodes that there are came with the bundle.
    prove: async () => {},
  };
}

/** Keeps a line; gives what the lines of its kind are ordered by. */
function take(kind, value, held, nodes) {
  if (kind === "node") return [nodes.add(bytesOf(value))];
  const [one, key] = READERS[kind](value);
  held[kind].push(one);
  return key;
}

/** Whether a line may follow another one of its kind: strictly, but entries of one block have one time. */
function follows(kind, before, key) {
  if (kind === "entry") {
    return key[0] === before[0] ? key[1] === before[1] : key[0] > before[0] && key[1] >= before[1];
  }
  const at = key.findIndex((one, place) => one !== before[place]);
  return at >= 0 && key[at] > before[at];
}

/** The first line. */
function aboutOf(about) {
  if (about.format !== FORMAT || about.version !== VERSION) {
    throw new Malformed("The file is no bundle that this verifier knows.", `it reads ${FORMAT} ${VERSION}`);
  }
  if (typeof about.kind !== "string" || !Object.hasOwn(LINES, about.kind)) {
    throw new Malformed("The bundle is of an unknown kind.");
  }
  if (canonical(Object.keys(about).sort()) !== canonical(ABOUT)) {
    throw new Malformed("The first line of the bundle lacks fields or has others.");
  }
  const { kind, chain_id: chainId, anchor, contracts, holder, licence } = about;
  const named = kind === HOLDER ? ["Licences", "Splits"] : Object.keys(EVENTS).sort();
  demand(isWhole(chainId), "the chain id is no number");
  demand(isHex(anchor, 32), "the anchor is no block hash");
  const isObject = typeof contracts === "object" && contracts !== null && !Array.isArray(contracts);
  demand(isObject && canonical(Object.keys(contracts).sort()) === canonical(named), "it names other contracts");
  demand(
    Object.values(contracts).every((one) => isHex(one, 20)),
    "a contract has no address",
  );
  demand(isHex(holder, 20) || (holder === null && kind !== HOLDER), "it does not say whom it is about");
  demand(holder === null || kind !== FULL, "a full bundle is about no holder");
  demand(licence === null || (isWhole(licence) && licence > 0 && kind === FULL), "the licence is no number");
  return { kind, chainId, anchor, contracts, holder, licence, header: headerOf(bytesOf(about.header)) };
}

function demand(holds, what) {
  if (!holds) throw new Malformed(`The bundle makes no sense: ${what}.`);
}

function isWhole(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Whether it is an amount in its shortest form, of no more digits than a word has. */
function isDecimal(value) {
  return typeof value === "string" && /^(?:0|[1-9][0-9]{0,77})$/.test(value);
}

function isHex(value, size) {
  return typeof value === "string" && value.length === 2 + 2 * size && /^0x[0-9a-f]+$/.test(value);
}

/** A line's value; only its canonical form is accepted (RFC 8785). */
function parsed(line, at) {
  let value;
  let form;
  try {
    value = JSON.parse(line);
    form = canonical(value);
  } catch {
    throw new Malformed("A line of the bundle is no JSON, or nested too deep.", `line ${at + 1}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || form !== line) {
    throw new Malformed("A line of the bundle is not in its canonical form.", `line ${at + 1}`);
  }
  return value;
}

/** Canonical JSON: keys in order, no spaces. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** Of each kind of line: what is kept of it, and what lines of its kind are ordered by. Raises Malformed. */
const READERS = {
  entry(held) {
    const [contract, block, time, topic0, id, data] = listOf(held, 6, "an entry has other fields");
    demand(typeof contract === "string" && Object.hasOwn(EVENTS, contract), "an entry names no journal");
    demand(isWhole(block) && isWhole(time), "a block or a time is no number");
    demand(isHex(topic0, 32) && isHex(id, 32), "a topic is no word");
    demand(Object.hasOwn(EVENTS[contract], topic0), `a log is no entry of ${contract}'s journal`);
    bytesOf(data);
    return [{ contract, block, time, topic0, id, data }, [block, time]];
  },
  leaf(held) {
    demand(typeof held === "object" && held !== null && !Array.isArray(held), "a leaf has other fields");
    demand(canonical(Object.keys(held).sort()) === canonical(LEAF), "a leaf has other fields");
    const { split, root, leaf, siblings, total, depth, index } = held;
    demand(Array.isArray(siblings), "a leaf has other fields");
    demand(
      [split, root, leaf, ...siblings].every((one) => isHex(one, 32)),
      "a word is none",
    );
    demand(isDecimal(total), "the total is no number");
    demand(isWhole(depth) && isWhole(index), "depth or index is no number");
    return [{ ...held, total: BigInt(total), depth: BigInt(depth) }, [split, index]];
  },
  token(held) {
    const [split, token] = listOf(held, 2, "a token has other fields");
    demand(isHex(split, 32) && isHex(token, 20), "a split or a token is none");
    return [{ split, token }, [split, token]];
  },
  terms(held) {
    const [licence, encoded] = listOf(held, 2, "terms have other fields");
    demand(isWhole(licence) && licence > 0, "terms have other fields");
    bytesOf(encoded);
    return [{ licence, encoded }, [licence]];
  },
  balance(held) {
    const [token, amount] = listOf(held, 2, "a balance has other fields");
    demand(isHex(token, 20) && isDecimal(amount), "a token or its balance is none");
    return [held, [token]];
  },
};

/** An array of so many items. */
function listOf(held, size, what) {
  demand(Array.isArray(held) && held.length === size, what);
  return held;
}
