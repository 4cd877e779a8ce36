import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed, bigOf, bytesOf, decimal, hexOf, typedHash, word, wordHex } from "../src/bytes.js";
import { decode, encode, intOf } from "../src/rlp.js";
import { keccak, slotOf } from "../src/keccak.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { told } from "../src/journal.js";

const bad = (call) => assert.throws(call, Malformed);

test("bytes and numbers go both ways, and nothing but lower-case pairs of digits is read", () => {
  assert.equal(hexOf(bytesOf("0x00ff10")), "0x00ff10");
  assert.equal(bigOf(word(2n ** 255n)), 2n ** 255n);
  assert.equal(wordHex(255).length, 66);
  for (const one of ["00", "0x0", "0xFF", "0xgg", null, 5]) bad(() => bytesOf(one));
  for (const one of ["", "01", "-1", "1.0", "1e3", 1]) bad(() => decimal(one));
  assert.equal(decimal("10"), 10n);
});

test("a typed hash may have capitals, spaces around it and no 0x, and has 64 digits", () => {
  assert.equal(typedHash(` ${"AB".repeat(32)} `), "0x" + "ab".repeat(32));
  for (const one of ["", "0x", "0x" + "1".repeat(63), "0x" + "g".repeat(64), "1".repeat(65)]) {
    assert.equal(typedHash(one), null);
  }
});

test("RLP reads its one encoding and refuses every other", () => {
  const samples = [
    [],
    [[]],
    ["0x"],
    "0x",
    "0x7f",
    "0x80",
    "0x" + "aa".repeat(55),
    "0x" + "bb".repeat(56),
    ["0x" + "cc".repeat(300), ["0x01"]],
  ];
  const asBytes = (one) => (Array.isArray(one) ? one.map(asBytes) : bytesOf(one));
  const asHex = (one) => (Array.isArray(one) ? one.map(asHex) : hexOf(one));
  for (const one of samples) assert.deepEqual(asHex(decode(encode(asBytes(one)))), one);
  const wrong = [
    "0x",
    "0x8100",
    "0x817f",
    "0xb800",
    "0xb90001",
    "0xb837" + "00".repeat(55),
    "0x83aaaa",
    "0xc2",
    "0xc180ff",
    "0x8000",
    "0xf800",
  ];
  for (const one of wrong) bad(() => decode(bytesOf(one)));
  bad(() => decode(bytesOf("0x" + "c1".repeat(20) + "c0")));
  bad(() => intOf(bytesOf("0x0001")));
  bad(() => intOf([]));
});

test("slots are those of Solidity's layout", () => {
  // keccak256(abi.encode(1, 0)), as every explorer shows it
  assert.equal(slotOf(0, 1n), "0xada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d");
});

test("an entry that ends early, or is of no event, is refused", () => {
  bad(() => told({ contract: "Splits", topic0: "0x" + "00".repeat(32), id: "0x", data: "0x" }));
  const topic = "0x" + "11".repeat(32);
  bad(() => told({ contract: "Unknown", topic0: topic, id: topic, data: "0x" }));
});

test("our Keccak-256 is that of @noble/hashes, at every length around the rate", () => {
  for (const size of [0, 1, 31, 32, 64, 134, 135, 136, 137, 192, 271, 272, 273, 500, 5_000]) {
    const data = Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) & 255);
    assert.deepEqual(hexOf(keccak(data)), hexOf(keccak_256(data)), String(size));
    assert.deepEqual(keccak(data.subarray(0)), keccak(data));
  }
  assert.equal(hexOf(keccak(new Uint8Array())), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
});
