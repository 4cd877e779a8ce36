// The verifier for everybody: a bundle, or a node that the reader has chosen, against a block hash that the reader trusts.
import { Malformed } from "./bytes.js";
import { readBundle } from "./bundle.js";
import { Unreachable, providerAt, readNode } from "./rpc.js";
import { Verdict } from "./verdict.js";
import { verifyEvidence } from "./verify.js";

/**
 * Verifies a bundle, as text or bytes (packed or not). `anchor`: the block hash that the reader trusts, as typed.
 * Never throws for bad evidence: the verdict says what is wrong. Options: `pause`, awaited now and then; `holder`.
 */
export async function verify(bundle, anchor, options = {}) {
  return judged("bundle", "the file", anchor, options, () => readBundle(bundle, options.pause));
}

/**
 * Verifies what a node tells (an EIP-1193 provider, or the URL of one) at the block with the hash `anchor`. Options:
 * `holder`, whose leaves are proved; `firstBlock`, from which the journals are read (a wrong one cannot deceive).
 */
export async function verifyFromProvider(provider, anchor, options = {}) {
  const asked = typeof provider === "string" ? providerAt(provider) : provider;
  return judged("node", "the node", anchor, options, () => readNode(asked, anchor, options));
}

async function judged(name, where, anchor, options, read) {
  let evidence;
  try {
    evidence = await read();
    return await verifyEvidence(evidence, anchor, options);
  } catch (error) {
    const verdict = new Verdict();
    if (evidence) Object.assign(verdict, { block: evidence.header.number, blockHash: evidence.header.hash });
    verdict.refused(name, where, error);
    verdict.unreachable = error instanceof Unreachable;
    return verdict;
  }
}

export { Malformed, providerAt };
export * as parts from "./parts.js";
