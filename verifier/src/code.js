// The code of our build: what has to stand at its addresses, on any chain.
import { bytesOf, word } from "./bytes.js";
import { ADDRESSES, CODE } from "./generated.js";
import { hashHex, hashWords } from "./keccak.js";

const ENCODER = new TextEncoder();
const textHash = (text) => hashHex(ENCODER.encode(text));

/** The hash of a contract's code on a chain. */
export function codeHash(name, chainId) {
  const held = CODE[name];
  if (held.hash) return held.hash;
  const code = Uint8Array.from(atob(held.runtime), (one) => one.charCodeAt(0));
  const separator = bytesOf(
    hashWords(
      textHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
      textHash(name),
      textHash("1"),
      chainId,
      ADDRESSES[name],
    ),
  );
  for (const at of held.chainId) code.set(word(chainId), at);
  for (const at of held.separator) code.set(separator, at);
  return hashHex(code);
}
