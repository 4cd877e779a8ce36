import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed, bytesOf, hexOf } from "../src/bytes.js";
import { headerOf, headerOfJson } from "../src/header.js";
import { hashHex, keccak } from "../src/keccak.js";
import { encode } from "../src/rlp.js";
import { Nodes } from "../src/trie.js";
import { trieOfTwo } from "./_samples.mjs";

const LONG = ["aa".repeat(40), "bb".repeat(40)].map((one) => bytesOf("0x" + one));

function filled(nodes) {
  const table = new Nodes();
  for (const one of nodes) table.add(one);
  return table;
}

test("a value, and a proof that there is none", () => {
  const { root, keys, nodes } = trieOfTwo(LONG);
  const table = filled(nodes);
  assert.deepEqual(table.lookup(root, keys[0]), LONG[0]);
  assert.deepEqual(table.lookup(root, keys[1]), LONG[1]);
  assert.equal(table.lookup(root, "0x3" + "0".repeat(63)), null);
  assert.equal(table.lookup(root, "0x1" + "0".repeat(62) + "1"), null);
  assert.equal(table.lookup(hashHex(Uint8Array.of(0x80)), keys[0]), null);
});

test("a node that is missing or changed proves nothing", () => {
  const { root, keys, nodes } = trieOfTwo(LONG);
  assert.throws(() => filled(nodes.slice(0, 2)).lookup(root, keys[1]), /missing/);
  const changed = Uint8Array.from(nodes[1]);
  changed[50] ^= 1;
  assert.throws(() => filled([nodes[0], changed]).lookup(root, keys[0]), /missing/);
});

test("nodes that no trie has are refused", () => {
  const empty = new Uint8Array();
  const branch = (children, value = empty) => encode([...children, ...Array(16 - children.length).fill(empty), value]);
  const hash = keccak(empty);
  const wrong = [
    encode(new Uint8Array(40).fill(1)),
    encode([empty]),
    branch([hash]), // one way only
    branch([bytesOf("0x1234"), hash]), // a name that is no hash
    encode([bytesOf("0x40"), bytesOf("0x01")]), // an unknown prefix
    encode([bytesOf("0x21"), bytesOf("0x01")]), // a wrong padding
    encode([bytesOf("0x20"), empty]), // a leaf without a value
    encode([bytesOf("0x00"), hash]), // an extension that shares nothing
    encode([bytesOf("0x11"), empty]), // an extension that leads nowhere
    encode([bytesOf("0x11"), [bytesOf("0x20"), bytesOf("0x01")]]), // or to a leaf
  ];
  for (const raw of wrong) {
    const table = filled([raw]);
    assert.throws(() => table.lookup(hashHex(raw), "0x" + "0".repeat(64)), Malformed, hexOf(raw));
  }
});

const SIZES = [32, 32, 20, 32, 32, 32, 256, 0, 2, 1, 1, 4, 0, 32, 8, 1, 32, 0, 0, 32, 32];

function rawHeader(fields) {
  return encode(SIZES.slice(0, fields).map((size) => new Uint8Array(size).fill(7)));
}

test("headers of every fork up to Prague are read, and no others", () => {
  for (const [many, fork] of [
    [15, "frontier"],
    [16, "london"],
    [17, "shanghai"],
    [20, "cancun"],
    [21, "prague"],
  ]) {
    const header = headerOf(rawHeader(many));
    assert.deepEqual([header.fork, header.number, header.hash], [fork, 0x0707, hashHex(rawHeader(many))]);
  }
  for (const many of [14, 18, 19]) assert.throws(() => headerOf(rawHeader(many)), /unknown/);
  assert.throws(() => headerOf(encode([...SIZES, 1].map((size) => new Uint8Array(size).fill(7)))), /unknown/);
});

test("a block's JSON gives the same header; unknown or missing fields stop it", () => {
  const names =
    "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed timestamp extraData mixHash nonce".split(
      " ",
    );
  const block = Object.fromEntries(names.map((name, at) => [name, "0x" + "07".repeat(SIZES[at])]));
  assert.equal(
    headerOfJson({ ...block, difficulty: "0x0", hash: "0x", transactions: [] }).hash,
    hashHex(rawHeader(15)),
  );
  assert.throws(() => headerOfJson({ ...block, newField: "0x1" }), /does not know/);
  assert.throws(() => headerOfJson({ ...block, nonce: null }), /lacks/);
  assert.throws(() => headerOfJson({ ...block, withdrawalsRoot: "0x" + "00".repeat(32) }), /lacks/);
  assert.throws(() => headerOfJson({ ...block, miner: "0x07" }), /length/);
  assert.throws(() => headerOfJson({ ...block, number: "seven" }), /hexadecimal/);
  assert.throws(() => headerOfJson({ ...block, gasUsed: "0x" + "ff".repeat(9) }), /large/);
});
