// What a built verifier says of bundles: node run_bundles.mjs VERIFIER.mjs ANCHOR FILE…, one verdict a line.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , module, anchor, ...files] = process.argv;
const { verify } = await import(pathToFileURL(module));
for (const file of files) {
  const verdict = await verify(new Uint8Array(readFileSync(file)), anchor);
  const figures = Object.fromEntries([...verdict.figures].map(([key, amount]) => [key, amount.toString()]));
  const { ok, anchored, block, steps, findings } = verdict;
  process.stdout.write(JSON.stringify({ ok, anchored, block, steps, findings, figures }) + "\n");
}
