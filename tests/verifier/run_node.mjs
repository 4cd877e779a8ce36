// What a built verifier says of a node: node run_node.mjs VERIFIER.mjs URL ANCHOR HOLDER FIRST_BLOCK.
import { pathToFileURL } from "node:url";

const [, , module, url, anchor, holder, first] = process.argv;
const { verifyFromProvider } = await import(pathToFileURL(module));
const verdict = await verifyFromProvider(url, anchor, { holder, firstBlock: Number(first) });
const figures = Object.fromEntries([...verdict.figures].map(([key, amount]) => [key, amount.toString()]));
const { ok, anchored, block, steps, findings } = verdict;
process.stdout.write(JSON.stringify({ ok, anchored, block, steps, findings, figures }));
