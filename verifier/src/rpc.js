// Evidence from a node that the reader has chosen: its answers are checked like those in a bundle, none is believed.
import { Malformed, bytesOf, typedHash } from "./bytes.js";
import { ADDRESSES, EVENTS } from "./generated.js";
import { headerOfJson } from "./header.js";
import { Nodes } from "./trie.js";

const MOST_BLOCKS = 50_000;
const FIRST_BLOCKS = 2_000;
const SLOTS_AT_ONCE = 400;
const AT_ONCE = 8;
const ROUNDS = 5;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
/** What nodes call a request too many. */
const LIMIT_EXCEEDED = -32005;

/** A node that does not answer, or answers with an error. */
export class Unreachable extends Malformed {}

/** JSON-RPC over HTTP as an EIP-1193 provider; a node that is busy, or breaks off, is asked again. */
export function providerAt(url) {
  let id = 0;
  return {
    async request({ method, params = [] }) {
      for (let round = 0; ; round++) {
        const { answer, trouble, wait } = await ask(url, { jsonrpc: "2.0", id: ++id, method, params });
        if (answer && !answer.error) return answer.result;
        if (answer && answer.error.code !== LIMIT_EXCEEDED) {
          throw new Unreachable(`The node refuses ${method}: ${answer.error.message}`, url);
        }
        if (round === ROUNDS)
          throw new Unreachable(`The node does not answer: ${trouble ?? answer.error.message}`, url);
        await new Promise((done) => setTimeout(done, wait ?? FIRST_PAUSE * 2 ** round));
      }
    },
  };
}

/** One request: an answer, or what the trouble is and how many milliseconds to wait, if the node says so. */
async function ask(url, call) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      body: JSON.stringify(call),
    });
  } catch {
    return { trouble: "it cannot be reached, or the browser does not let this page ask it" };
  }
  if (response.status === 429 || response.status >= 500) {
    const seconds = parseInt(response.headers.get("retry-after") ?? "", 10);
    const wait = seconds >= 0 ? Math.min(seconds * 1_000, LONGEST_PAUSE) : undefined;
    return { trouble: `status ${response.status}`, wait };
  }
  try {
    const answer = await response.json();
    return typeof answer === "object" && answer !== null ? { answer } : { trouble: "its answer is no JSON-RPC" };
  } catch {
    return { trouble: `its answer is cut off or no JSON (status ${response.status})` };
  }
}

/** What a node tells of a block: see bundle.js for the form. Raises Malformed. */
export async function readNode(provider, anchor, { holder = null, firstBlock = 0, pause = async () => {} } = {}) {
  const node = new Node(provider, pause);
  const hash = typedHash(anchor);
  if (!hash) throw new Malformed("This is no block hash: it has 64 hexadecimal digits.");
  const chainId = numberOf(await node.ask("eth_chainId"));
  const block = await node.ask("eth_getBlockByHash", hash, false);
  if (!block) throw new Malformed("The node has no such block: it is behind, or on another chain.");
  const header = headerOfJson(block);
  const nodes = new Nodes();
  return {
    kind: "node",
    chainId,
    header,
    contracts: null,
    holder: holder?.toLowerCase() ?? null,
    licence: null,
    entries: await node.entries(firstBlock, header.number),
    nodes,
    prove: (address, slots) => node.prove(nodes, address, slots, header.number),
  };
}

class Node {
  constructor(provider, pause) {
    this.provider = provider;
    this.pause = pause;
  }

  async ask(method, ...params) {
    try {
      return await this.provider.request({ method, params });
    } catch (error) {
      if (error instanceof Malformed) throw error;
      throw new Unreachable(`The node refuses ${method}: ${error?.message ?? error}`);
    }
  }

  /** All entries of the journals, in the order of the chain; in spans that fit the node. */
  async entries(first, last) {
    const names = new Map(Object.entries(ADDRESSES).map(([name, address]) => [address, name]));
    const found = [];
    let span = FIRST_BLOCKS;
    for (let from = first; from <= last;) {
      const to = Math.min(last, from + span - 1);
      let logs;
      try {
        const blocks = { fromBlock: hex(from), toBlock: hex(to) };
        logs = await this.ask("eth_getLogs", { ...blocks, address: Object.values(ADDRESSES) });
      } catch (error) {
        if (span === 1) throw error;
        span = Math.max(1, Math.floor(span / 4));
        continue;
      }
      if (!Array.isArray(logs)) throw new Malformed("The node answers with something that is no list of logs.");
      for (const log of logs) {
        const entry = entryOf(log, names);
        if (entry) found.push(entry);
      }
      from = to + 1;
      span = Math.min(MOST_BLOCKS, span * 2);
      await this.pause();
    }
    found.sort((one, other) => one.block - other.block || one.place - other.place);
    await this.times(found);
    return found;
  }

  /** Fills in the times of blocks that the logs do not tell; wrong ones do not fold to the heads. */
  async times(entries) {
    const missing = [...new Set(entries.filter((one) => one.time === null).map((one) => one.block))];
    const times = new Map();
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      const part = missing.slice(at, at + AT_ONCE);
      const blocks = await Promise.all(part.map((one) => this.ask("eth_getBlockByNumber", hex(one), false)));
      part.forEach((one, place) => times.set(one, numberOf(blocks[place]?.timestamp)));
      await this.pause();
    }
    for (const one of entries) one.time ??= times.get(one.block);
  }

  /** Puts the nodes of proofs of slots into the table. */
  async prove(nodes, address, slots, block) {
    let size = SLOTS_AT_ONCE;
    for (let at = 0; at < slots.length;) {
      let told;
      try {
        told = await this.ask("eth_getProof", address, slots.slice(at, at + size), hex(block));
      } catch (error) {
        if (size === 1) throw error;
        size = Math.max(1, Math.floor(size / 4));
        continue;
      }
      const proofs = [told?.accountProof, ...(told?.storageProof ?? []).map((one) => one?.proof)];
      if (!proofs.every(Array.isArray)) throw new Malformed("The node answers with something that is no proof.");
      for (const raw of proofs.flat()) nodes.add(bytesOf(String(raw).toLowerCase()));
      at += size;
      await this.pause();
    }
  }
}

/** The entry that a log is; null where it belongs to no journal. */
function entryOf(log, names) {
  const contract = names.get(String(log?.address).toLowerCase());
  if (!contract || log.removed || !Array.isArray(log.topics)) return null;
  const [topic0, id, ...more] = log.topics.map((one) => String(one).toLowerCase());
  if (id === undefined || more.length || !EVENTS[contract][topic0]) return null;
  return {
    contract,
    block: numberOf(log.blockNumber),
    place: numberOf(log.logIndex),
    time: log.blockTimestamp === undefined ? null : numberOf(log.blockTimestamp),
    topic0,
    id,
    data: String(log.data).toLowerCase(),
  };
}

function hex(number) {
  return "0x" + number.toString(16);
}

function numberOf(told) {
  const number = typeof told === "string" && /^0x[0-9a-fA-F]+$/.test(told) ? parseInt(told, 16) : NaN;
  if (!Number.isSafeInteger(number)) throw new Malformed("The node answers with something that is no number.");
  return number;
}
