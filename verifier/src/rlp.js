// RLP, strict: what is not the one canonical encoding of its value is refused (Yellow Paper, appendix B).
import { Malformed, bigOf, join } from "./bytes.js";

const DEEPEST = 16;
const SHORT = 55;

/** The value of an encoding that takes all of `data`: a byte string or an array. Raises Malformed. */
export function decode(data) {
  const [item, end] = read(data, 0, data.length, 0);
  if (end !== data.length) throw new Malformed("An RLP item is followed by other bytes.");
  return item;
}

/** The items of an encoded list. Raises Malformed. */
export function decodeList(data) {
  const held = decode(data);
  if (!Array.isArray(held)) throw new Malformed("An RLP list was expected, not a byte string.");
  return held;
}

function read(data, at, limit, depth) {
  if (at >= limit) throw new Malformed("An RLP item ends early.");
  const first = data[at];
  if (first < 0x80) return [data.subarray(at, at + 1), at + 1];
  const isList = first >= 0xc0;
  const [size, start] = sizeOf(data, at + 1, limit, first - (isList ? 0xc0 : 0x80));
  const end = start + size;
  if (end > limit) throw new Malformed("An RLP item is longer than its data.");
  if (!isList) {
    if (size === 1 && data[start] < 0x80) throw new Malformed("An RLP byte is not in its shortest form.");
    return [data.subarray(start, end), end];
  }
  if (depth >= DEEPEST) throw new Malformed("RLP lists are nested too deep.");
  const items = [];
  for (let next = start; next < end;) {
    let item;
    [item, next] = read(data, next, end, depth + 1);
    items.push(item);
  }
  return [items, end];
}

/** The length of an item's content and where that begins; `short`: what the first byte says of it. */
function sizeOf(data, at, limit, short) {
  if (short <= SHORT) return [short, at];
  const width = short - SHORT;
  if (at + width > limit) throw new Malformed("An RLP length ends early.");
  if (data[at] === 0) throw new Malformed("An RLP length has leading zeros.");
  let size = 0;
  for (let i = 0; i < width; i++) size = size * 256 + data[at + i];
  if (size <= SHORT) throw new Malformed("An RLP length is not in its shortest form.");
  return [size, at + width];
}

/** The encoding of a byte string or of nested arrays of byte strings. */
export function encode(value) {
  if (!Array.isArray(value)) {
    if (value.length === 1 && value[0] < 0x80) return value;
    return join(prefix(0x80, value.length), value);
  }
  const body = join(...value.map(encode));
  return join(prefix(0xc0, body.length), body);
}

function prefix(base, size) {
  if (size <= SHORT) return Uint8Array.of(base + size);
  const length = [];
  for (let rest = size; rest; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return Uint8Array.of(base + SHORT + length.length, ...length);
}

/** The number that an item encodes, of at most `size` bytes. Raises Malformed. */
export function intOf(item, size = 32) {
  if (Array.isArray(item) || item.length > size || item[0] === 0) {
    throw new Malformed("An RLP number is not in its shortest form, or too long.");
  }
  return bigOf(item);
}

/** A byte string of exactly `size` bytes. Raises Malformed. */
export function fixed(item, size) {
  if (Array.isArray(item) || item.length !== size) {
    throw new Malformed(`An RLP byte string of ${size} bytes was expected.`);
  }
  return item;
}
