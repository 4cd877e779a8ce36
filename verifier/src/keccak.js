// Keccak-256, and the slots that follow from it.
import { bytesOf, hexOf, join, word, wordHex } from "./bytes.js";
import { permute } from "./keccak_f.js";

const RATE = 136;
const state = new Int32Array(50);
const last = new Uint8Array(RATE);

/** Keccak-256 of bytes, as bytes: the padding is that of Ethereum, not that of SHA-3. */
export function keccak(data) {
  state.fill(0);
  let at = 0;
  for (; at + RATE <= data.length; at += RATE) absorb(data, at);
  last.fill(0);
  last.set(data.subarray(at));
  last[data.length - at] = 0x01;
  last[RATE - 1] |= 0x80;
  absorb(last, 0);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = state[i >> 2] >>> (8 * (i & 3));
  return digest;
}

function absorb(data, at) {
  for (let i = 0; i < RATE / 4; i++, at += 4) {
    state[i] ^= data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24);
  }
  permute(state);
}

/** Keccak-256 of bytes, as 0x and digits. */
export function hashHex(bytes) {
  return hexOf(keccak(bytes));
}

/** Keccak-256 of hexadecimal words one after another, as 0x and digits. */
export function hashWords(...words) {
  return hashHex(join(...words.map(keyWord)));
}

/** A key of a mapping, or a word to be hashed, as 32 bytes: an address is padded, a number is big-endian. */
export function keyWord(key) {
  return typeof key === "string" ? bytesOf(key.length === 66 ? key : wordHex(BigInt(key))) : word(key);
}

/** Where a contract keeps a value: the slot of a variable, or of a mapping's value (Solidity, "Layout in Storage"). */
export function slotOf(base, ...keys) {
  let slot = wordHex(base);
  for (const key of keys) slot = hashWords(key, slot);
  return slot;
}
