// The page's part: reads the anchor that the reader types, verifies the embedded bundle or the reader's node, marks figures.
import { Malformed } from "./bytes.js";
import { readBundle } from "./bundle.js";
import { verify, verifyFromProvider } from "./index.js";
import { markAll, standing } from "./marks.js";
import { startClaims } from "./wallet.js";

const SLICE = 24; // milliseconds of work before the page may breathe
const LINES_SHOWN = 20;
const LICENCES_SHOWN = 8;

/** Gives the page time to answer, once a slice is used up. */
function slices() {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < SLICE) return;
    if (globalThis.scheduler?.yield) await globalThis.scheduler.yield();
    else await new Promise((done) => setTimeout(done));
    last = performance.now();
  };
}

/** The bundle that the page carries, as bytes; null where it carries none. */
function embedded() {
  const element = document.getElementById("bundle");
  if (!element) return null;
  const digits = element.textContent.trim();
  try {
    return Uint8Array.from(atob(digits), (one) => one.charCodeAt(0));
  } catch {
    throw new Malformed("The bundle in this page is damaged.");
  }
}

/** The block of the first entry in the page's bundle: where the journals begin. It is only a place to start from. */
async function firstBlock(pause) {
  try {
    const bytes = embedded();
    return bytes ? ((await readBundle(bytes, pause)).entries?.[0]?.block ?? 0) : 0;
  } catch {
    return 0;
  }
}

async function run(anchor, rpc, pause) {
  const holder = document.querySelector("main").dataset.holder || null;
  if (rpc) return verifyFromProvider(rpc, anchor, { holder, pause, firstBlock: await firstBlock(pause) });
  const bundle = embedded();
  if (!bundle) throw new Malformed("This page carries no evidence; name a node of your own.");
  return verify(bundle, anchor, { pause, holder: holder ?? undefined });
}

async function submitted(form) {
  const anchor = form.querySelector("#anchor").value.trim();
  const rpc = form.querySelector("#rpc")?.value.trim();
  const verdictBox = document.getElementById("verdict");
  const button = form.querySelector("button");
  if (!anchor) {
    say(verdictBox, "unanchored", "Type the hash of a block that you trust: without it nothing is proved.");
    form.querySelector("#anchor").focus();
    return;
  }
  const pause = slices();
  form.setAttribute("aria-busy", "true");
  button.disabled = true;
  say(verdictBox, "running", "Verifying…");
  let verdict;
  try {
    verdict = await run(anchor, rpc, pause);
  } catch (error) {
    verdict = { ok: false, anchored: false, steps: [], findings: [{ kind: "page", where: "", what: error.message }] };
  }
  const good = verdict.ok && verdict.anchored;
  const main = document.querySelector("main");
  const { counts, sections, decimals } = await markAll(main, good ? verdict.figures : null, pause);
  for (const line of main.querySelectorAll("[data-standing]")) stand(line, main, sections, verdict.block);
  showSteps(verdict.steps);
  const state = verdict.unreachable ? "unreachable" : good && !counts.differs ? "verified" : "differs";
  const more = good ? proved(verdict.figures, main, decimals) : verdict.findings.map(toldOf);
  say(verdictBox, state, summary(verdict, counts, main), more);
  form.removeAttribute("aria-busy");
  button.disabled = false;
}

/** The line over a section, or over the page where it stands outside of all. */
function stand(line, main, sections, block) {
  const section = line.closest("section");
  const states = section ? (sections.get(section) ?? []) : [...sections.values()].flat();
  if (!states.length) return;
  [line.dataset.state, line.textContent] = standing(states, block);
}

function summary(verdict, counts, main) {
  if (verdict.unreachable) return "Not verified: the node could not be asked.";
  if (!(verdict.ok && verdict.anchored))
    return "Not verified: the evidence does not hold against the hash that you typed.";
  const other =
    main.dataset.block !== String(verdict.block)
      ? ` This page tells of block ${main.dataset.block}, the hash is of block ${verdict.block}.`
      : "";
  const whose = main.dataset.holder ? `for ${main.dataset.holder} ` : "";
  const at = `block ${verdict.block}, whose hash you typed.`;
  if (counts.differs) return `${counts.differs} of the figures on this page do not follow from ${at}${other}`;
  const rest = counts.uncovered ? ` ${counts.uncovered} are not covered by the proof.` : "";
  return `Verified by this browser: ${counts.verified} figures ${whose}follow from ${at}${rest}${other}`;
}

/** Whom and what was proved, from the proof alone: a page that calls its figures by wrong names is found out by it. */
function proved(figures, main, decimals) {
  const licences = new Set();
  for (const { dataset } of main.querySelectorAll("data.figure[data-proof]")) {
    const [kind, number] = dataset.proof.split("/");
    if (kind === "licence" || kind === "period" || kind === "booking") licences.add(number);
  }
  const many = [...licences].slice(0, LICENCES_SHOWN).flatMap((one) => figures.ofLicence(one));
  const shown = [...decimals]
    .filter(([token]) => token !== undefined)
    .map(([token, count]) =>
      count === null
        ? `This page shows amounts of token ${token} with different numbers of decimals, or none plainly.`
        : `Amounts of token ${token} are shown with ${count} decimals, as this server says: the proof counts base units.`,
    );
  return [...figures.summary, ...many, ...shown];
}

function toldOf({ kind, where, what }) {
  return [kind, where, what].filter(Boolean).join(": ");
}

/** The verdict, heard by screen readers, and what belongs to it. Only text is ever put into the page. */
function say(box, state, text, lines = []) {
  document.documentElement.dataset.verdict = state;
  box.dataset.state = state;
  const items = lines.slice(0, LINES_SHOWN).map((line) => element("li", line));
  if (lines.length > LINES_SHOWN) items.push(element("li", `and ${lines.length - LINES_SHOWN} more`));
  const list = document.createElement("ul");
  list.append(...items);
  box.replaceChildren(element("p", text), ...(items.length ? [list] : []));
}

function showSteps(steps) {
  const items = steps.map(({ name, ok, checked, expected, found, detail }) => {
    const word = ok === null ? "NOTE" : ok ? "PASS" : "FAIL";
    const item = element(
      "li",
      `${word} ${name}, ${checked.toLocaleString("en")} checked${detail ? `: ${detail}` : ""}`,
    );
    item.dataset.state = word.toLowerCase();
    for (const [label, hash] of [
      ["expected", expected],
      ["found", found],
    ]) {
      if (!hash) continue;
      const line = element("div", `${label} `);
      line.append(element("code", hash));
      item.append(line);
    }
    return item;
  });
  document.getElementById("steps")?.replaceChildren(...items);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function start() {
  startClaims();
  const form = document.getElementById("verify");
  if (!form) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form);
  });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();
