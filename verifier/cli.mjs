#!/usr/bin/env node
// Verifies a bundle without Python: node verifier/cli.mjs FILE ANCHOR [--json]. Exit code 0 if it passed, else 4.
import { readFileSync } from "node:fs";
import { verify } from "../ledger/web/static/verifier.mjs";

const [file, anchor, ...more] = process.argv.slice(2);
const asJson = more.includes("--json");
if (!file || !anchor || more.some((one) => one !== "--json")) {
  console.error("usage: node verifier/cli.mjs FILE ANCHOR [--json]");
  process.exit(2);
}

let bundle;
try {
  bundle = readFileSync(file);
} catch (error) {
  console.error(`${file} cannot be read: ${error.message}`);
  process.exit(2);
}

const verdict = await verify(bundle, anchor);
const { ok, anchored, block, blockHash, time, chainId, scope, entries, steps, findings, figures } = verdict;
if (asJson) {
  const told = Object.fromEntries([...figures].map(([key, amount]) => [key, amount.toString()]));
  const shown = { ok, anchored, block, blockHash, time, chainId, scope, entries, steps, findings, figures: told };
  console.log(JSON.stringify(shown, null, 1));
} else {
  for (const one of steps) {
    const word = one.ok === null ? "NOTE" : one.ok ? "PASS" : "FAIL";
    console.log(`${word}  ${one.name}, ${one.checked} checked${one.detail ? `: ${one.detail}` : ""}`);
    if (one.expected || one.found) console.log(`      expected ${one.expected}\n      found    ${one.found}`);
  }
  for (const one of findings) console.log(`FAIL  ${one.kind}, ${one.where}: ${one.what}`);
  for (const [key, amount] of figures) if (key.startsWith("holder/")) console.log(`${key}  ${amount}`);
  console.log(ok ? `PASS, up to block ${block} (${blockHash}): ${scope}` : `FAIL, ${findings.length} found`);
}
process.exitCode = ok && anchored ? 0 : 4;
