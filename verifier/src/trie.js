// Merkle-Patricia tries: that a key has a value, or none, under a root (Yellow Paper, appendix D).
import { Malformed, bytesOf, hexOf } from "./bytes.js";
import { hashHex } from "./keccak.js";
import { decode, decodeList, encode, fixed, intOf } from "./rlp.js";

const EMPTY_ROOT = hashHex(Uint8Array.of(0x80));
/** codeHash of an account without code. */
export const EMPTY_CODE = hashHex(new Uint8Array());

/** Nodes of tries by their hashes: what a node says of itself does not count, its hash does. */
export class Nodes {
  constructor() {
    this.raw = new Map();
    this.read = new Map();
  }

  /** Takes a node in (bytes); gives its hash. */
  add(raw) {
    const hash = hashHex(raw);
    this.raw.set(hash, raw);
    return hash;
  }

  get size() {
    return this.raw.size;
  }

  /** How many nodes no proof has needed so far. */
  get unused() {
    return this.raw.size - this.read.size;
  }

  /** How many nodes stand nowhere below a state root: no other node, and no account, names them. */
  astray(stateRoot) {
    const named = new Set([stateRoot]);
    const note = (child) => {
      if (typeof child === "string") named.add(child);
      else if (child?.children) child.children.forEach(note);
      else if (child?.child) note(child.child);
      else if (child?.isLeaf) noteAccount(child.value, named);
    };
    for (const hash of this.raw.keys()) note(this.node(hash));
    return [...this.raw.keys()].filter((hash) => !named.has(hash)).length;
  }

  node(hash) {
    let found = this.read.get(hash);
    if (!found) {
      const raw = this.raw.get(hash);
      if (!raw) throw new Malformed("A node of the trie is missing, so nothing is proved.", hash);
      found = nodeOf(decode(raw), false);
      this.read.set(hash, found);
    }
    return found;
  }

  /** The value of a key (0x and digits, hashed already) under a root; null where the trie has none. Raises Malformed. */
  lookup(root, key) {
    if (root === EMPTY_ROOT) return null;
    let rest = key.slice(2);
    let child = root;
    let belowExtension = false;
    while (child !== null) {
      const node = typeof child === "string" ? this.node(child) : child;
      if (node.children) {
        if (!rest) return node.value.length ? node.value : null;
        child = node.children[parseInt(rest[0], 16)];
        rest = rest.slice(1);
        belowExtension = false;
      } else if (belowExtension) {
        throw new Malformed("An extension of a trie has to lead to a branch.");
      } else if (node.isLeaf) {
        return node.path === rest ? node.value : null;
      } else {
        if (!rest.startsWith(node.path)) return null;
        child = node.child;
        rest = rest.slice(node.path.length);
        belowExtension = true;
      }
    }
    return null;
  }

  /** Storage root and code hash of an account at a state root; those of an empty one where it is not there. */
  account(stateRoot, address) {
    const held = this.lookup(stateRoot, hashHex(bytesOf(address)));
    if (held === null) return { storageRoot: EMPTY_ROOT, codeHash: EMPTY_CODE };
    const items = decodeList(held);
    if (items.length !== 4) throw new Malformed("An account has four fields.");
    intOf(items[0], 8);
    intOf(items[1]);
    return { storageRoot: hexOf(fixed(items[2], 32)), codeHash: hexOf(fixed(items[3], 32)) };
  }

  /** The word in a slot (both 0x and 64 digits) as BigInt; zero where it is proved that there is none. */
  word(storageRoot, slot) {
    const held = this.lookup(storageRoot, hashHex(bytesOf(slot)));
    return held === null ? 0n : intOf(decode(held));
  }
}

/** A leaf of the state trie names its account's storage root. */
function noteAccount(value, named) {
  if (value[0] < 0xc0) return; // a word of storage
  const items = decodeList(value);
  if (items.length === 4 && items[2].length === 32) named.add(hexOf(items[2]));
}

function nodeOf(item, embedded) {
  if (!Array.isArray(item)) throw new Malformed("A node of a trie is a list.");
  if (embedded && encode(item).length >= 32) {
    throw new Malformed("A node of a trie is embedded although it is long enough for a hash.");
  }
  if (item.length === 17) {
    const value = item[16];
    if (Array.isArray(value)) throw new Malformed("A branch of a trie has a list for its value.");
    const children = item.slice(0, 16).map(childOf);
    if (children.filter((one) => one !== null).length + (value.length ? 1 : 0) < 2) {
      throw new Malformed("A branch of a trie has fewer than two ways.");
    }
    return { children, value };
  }
  if (item.length !== 2 || Array.isArray(item[0])) throw new Malformed("A node of a trie has 17 or 2 items.");
  const [path, isLeaf] = pathOf(hexOf(item[0]).slice(2));
  if (isLeaf) {
    if (Array.isArray(item[1]) || !item[1].length) throw new Malformed("A leaf of a trie has no value.");
    return { path, isLeaf, value: item[1] };
  }
  if (!path) throw new Malformed("An extension of a trie shares nothing.");
  const child = childOf(item[1]);
  if (child === null || (typeof child !== "string" && !child.children)) {
    throw new Malformed("An extension of a trie has to lead to a branch.");
  }
  return { path, isLeaf, child };
}

/** Where a node points to: nowhere (null), a hash, or an embedded node. */
function childOf(item) {
  if (Array.isArray(item)) return nodeOf(item, true);
  if (item.length !== 0 && item.length !== 32) {
    throw new Malformed("A node of a trie names another by something that is no hash.");
  }
  return item.length ? hexOf(item) : null;
}

/** The nibbles of a hex-prefix encoding, and whether it is a leaf's. */
function pathOf(digits) {
  if (!digits || !"0123".includes(digits[0])) throw new Malformed("A path of a trie has an unknown prefix.");
  const flag = parseInt(digits[0], 10);
  if (flag & 1) return [digits.slice(1), flag >= 2];
  if (digits[1] !== "0") throw new Malformed("A path of a trie has a wrong padding.");
  return [digits.slice(2), flag >= 2];
}
