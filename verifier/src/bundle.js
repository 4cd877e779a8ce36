// Reads a bundle (docs/reference/bundle.md): JSON Lines in canonical form, plain or packed by gzip.
import { Malformed, bytesOf } from "./bytes.js";
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
const LINES_AT_ONCE = 500;

/** The text of a bundle that is given as text or as bytes, which may be packed by gzip. */
export async function textOf(bundle) {
  if (typeof bundle === "string") return bundle;
  let bytes = bundle;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
    } catch {
      throw new Malformed("The bundle cannot be unpacked.");
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("The bundle is no text.");
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
  for (let at = 1; at < lines.length - 1; at++) {
    if (at % LINES_AT_ONCE === 0) await pause();
    const line = parsed(lines[at], at);
    const [kind, ...more] = Object.keys(line);
    if (more.length || order.indexOf(kind) < stage) {
      throw new Malformed("The bundle has a line of an unknown kind, or out of its place.", `line ${at + 1}`);
    }
    stage = order.indexOf(kind);
    try {
      if (kind === "node") nodes.add(bytesOf(line.node));
      else held[kind].push(READERS[kind](line[kind]));
    } catch (error) {
      throw new Malformed(`The bundle makes no sense: ${error.message}`, `line ${at + 1}`);
    }
  }
  const end = parsed(lines.at(-1), lines.length - 1).end;
  const counts = Object.fromEntries(
    Object.entries(kinds).map(([kind, label]) => [label, kind === "node" ? nodes.size : held[kind].length]),
  );
  if (end === undefined || lines.length < 2) throw new Malformed("The bundle ends early.");
  if (canonical(end) !== canonical(counts)) {
    throw new Malformed(`The bundle holds not what it says: ${canonical(end)}, it holds ${canonical(counts)}.`);
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

/** The first line. */
function aboutOf(about) {
  if (about.format !== FORMAT || about.version !== VERSION) {
    throw new Malformed("The file is no bundle that this verifier knows.", `it reads ${FORMAT} ${VERSION}`);
  }
  if (!Object.hasOwn(LINES, about.kind)) throw new Malformed("The bundle is of an unknown kind.");
  if (canonical(Object.keys(about).sort()) !== canonical(ABOUT)) {
    throw new Malformed("The first line of the bundle lacks fields or has others.");
  }
  const { kind, chain_id: chainId, contracts, holder, licence } = about;
  const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;
  demand(isWhole(chainId), "the chain id is no number");
  demand(typeof contracts === "object" && contracts !== null, "the contracts are not named");
  demand(licence === null || isWhole(licence), "the licence is no number");
  demand(holder === null || isHex(holder, 20), "the holder is no address");
  demand(kind !== HOLDER || holder !== null, "it does not say whom it is about");
  return { kind, chainId, contracts, holder, licence, header: headerOf(bytesOf(about.header)) };
}

function demand(holds, what) {
  if (!holds) throw new Malformed(`The bundle makes no sense: ${what}.`);
}

function isHex(value, size) {
  return typeof value === "string" && value.length === 2 + 2 * size && /^0x[0-9a-f]+$/.test(value);
}

/** A line's value; only its canonical form is accepted (RFC 8785). */
function parsed(line, at) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Malformed("A line of the bundle is no JSON.", `line ${at + 1}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || canonical(value) !== line) {
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

const READERS = {
  entry(held) {
    const [contract, block, time, topic0, id, data, ...more] = held;
    demand(!more.length && typeof contract === "string", "an entry has other fields");
    demand(Number.isSafeInteger(block) && Number.isSafeInteger(time) && block >= 0 && time >= 0, "a number is none");
    demand(isHex(topic0, 32) && isHex(id, 32) && typeof data === "string", "an entry has other fields");
    return { contract, block, time, topic0, id, data };
  },
  leaf(held) {
    const fields = ["depth", "index", "leaf", "root", "siblings", "split", "total"];
    demand(canonical(Object.keys(held).sort()) === canonical(fields), "a leaf has other fields");
    demand(
      [held.leaf, held.root, held.split].every((one) => isHex(one, 32)),
      "a leaf has other fields",
    );
    demand(
      held.siblings.every((one) => isHex(one, 32)),
      "a sibling is no word",
    );
    demand(/^[1-9][0-9]*$/.test(held.total) && Number.isSafeInteger(held.depth), "a leaf has other fields");
    demand(Number.isSafeInteger(held.index) && held.index >= 0 && held.depth >= 0, "a leaf has other fields");
    return { ...held, total: BigInt(held.total), depth: BigInt(held.depth) };
  },
  token(held) {
    demand(held.length === 2 && isHex(held[0], 32) && isHex(held[1], 20), "a token has other fields");
    return { split: held[0], token: held[1] };
  },
  terms(held) {
    demand(held.length === 2 && Number.isSafeInteger(held[0]) && held[0] > 0, "terms have other fields");
    bytesOf(held[1]);
    return { licence: held[0], encoded: held[1] };
  },
  balance(held) {
    demand(held.length === 2 && isHex(held[0], 20) && /^[0-9]+$/.test(held[1]), "a balance has other fields");
    return held;
  },
};
