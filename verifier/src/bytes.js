// Bytes, hexadecimal text and numbers. Amounts are BigInt everywhere; a Number is never money.

/** Evidence that is not what it claims to be. */
export class Malformed extends Error {
  constructor(what, where = "") {
    super(where ? `${what} (${where})` : what);
    this.name = "Malformed";
    this.what = what;
    this.where = where;
  }
}

const DIGITS = /^0x(?:[0-9a-f]{2})*$/;
const TABLE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The bytes of 0x and lower-case digits. Raises Malformed. */
export function bytesOf(hex) {
  if (typeof hex !== "string" || !DIGITS.test(hex)) throw new Malformed("Hexadecimal data was expected.");
  return fromDigits(hex, 2);
}

function fromDigits(hex, at) {
  const bytes = new Uint8Array((hex.length - at) >> 1);
  for (let i = 0; i < bytes.length; i++, at += 2) {
    bytes[i] = (digit(hex.charCodeAt(at)) << 4) | digit(hex.charCodeAt(at + 1));
  }
  return bytes;
}

function digit(code) {
  return code < 58 ? code - 48 : code - 87;
}

/** 0x and digits of bytes. */
export function hexOf(bytes) {
  let text = "0x";
  for (const byte of bytes) text += TABLE[byte];
  return text;
}

/** Whether two byte strings are the same. */
export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Byte strings one after another. */
export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The number that big-endian bytes are. */
export function bigOf(bytes) {
  return bytes.length ? BigInt(hexOf(bytes)) : 0n;
}

/** 0x and 64 digits of a number below 2^256. */
export function wordHex(value) {
  return "0x" + BigInt(value).toString(16).padStart(64, "0");
}

/** The 32 bytes of a number below 2^256. */
export function word(value) {
  return fromDigits(wordHex(value), 2);
}

/** A non-negative integer of decimal digits. Raises Malformed. */
export function decimal(text) {
  if (typeof text !== "string" || !/^(?:0|[1-9][0-9]*)$/.test(text)) {
    throw new Malformed("A decimal number was expected.");
  }
  return BigInt(text);
}

/** A hash of 32 bytes as somebody types it: digits of either case, with or without 0x; null where it is none. */
export function typedHash(text) {
  const digits = String(text).trim().toLowerCase().replace(/^0x/, "");
  return /^[0-9a-f]{64}$/.test(digits) ? "0x" + digits : null;
}
