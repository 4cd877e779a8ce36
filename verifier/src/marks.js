// Marks on the page: each figure turns from stated to verified, or shows what follows from the chain instead.

export const TEXTS = {
  verified: "verified by this browser",
  differs: "does not follow from the chain",
  uncovered: "not covered by the proof",
  stated: "stated by this server, not verified",
};
const RANK = ["verified", "uncovered", "stated", "differs"];

/** What is to be said of a figure: its state, and the verified amount where that differs. `figures` null: nothing. */
export function stateOf(element, figures, decimals) {
  if (!figures) return { state: "stated" };
  const proved = figures.get(element.dataset.proof);
  if (proved === undefined) return { state: "uncovered" };
  const shown = shownBy(element.textContent);
  const isGood =
    /^-?[0-9]+$/.test(element.value) &&
    BigInt(element.value) === proved &&
    shown?.units === proved &&
    shown.decimals === decimals;
  return isGood ? { state: "verified" } : { state: "differs", proved };
}

/** The base units and the number of decimals that a text shows to people; null for what is no plain amount. */
export function shownBy(text) {
  const found = /^([-\u2212]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+))(?:\.([0-9]+))?$/.exec(text.trim());
  if (!found) return null;
  const [, sign, whole, fraction = ""] = found;
  const units = BigInt(whole.replaceAll(",", "") + fraction);
  return { units: sign ? -units : units, decimals: fraction.length };
}

/** How many decimals the page shows most amounts of each token with; null where two numbers are as frequent. */
export function decimalsShown(elements, figures) {
  const counts = new Map();
  for (const element of elements) {
    const token = figures.tokenOf(element.dataset.proof);
    const decimals = shownBy(element.textContent)?.decimals;
    const held = counts.get(token) ?? new Map();
    if (decimals !== undefined) held.set(decimals, (held.get(decimals) ?? 0) + 1);
    counts.set(token, held);
  }
  const found = new Map();
  for (const [token, held] of counts) {
    const [first, second] = [...held].sort((one, other) => other[1] - one[1]);
    found.set(token, !first || first[1] === second?.[1] ? null : first[0]);
  }
  // Units of a split are no money: they are whole.
  found.set(undefined, 0);
  return found;
}

/** Marks every figure of the page. Gives how many there are of each state. */
export async function markAll(root, figures, pause) {
  const counts = { verified: 0, differs: 0, uncovered: 0, stated: 0 };
  const rows = new Map();
  const sections = new Map();
  let at = 0;
  const elements = [...root.querySelectorAll("data.figure[data-proof]")];
  const decimals = figures ? decimalsShown(elements, figures) : new Map();
  for (const element of elements) {
    if (at++ % 200 === 0) await pause();
    const { state, proved } = stateOf(element, figures, decimals.get(figures?.tokenOf(element.dataset.proof)));
    counts[state] += 1;
    element.dataset.state = state;
    const section = element.closest("section") ?? root;
    sections.set(section, [...(sections.get(section) ?? []), state]);
    const cell = element.closest("tr")?.querySelector("[data-row-state]");
    if (!cell) markOne(element, state, proved);
    else {
      const row = rows.get(cell) ?? { state: "verified", proved: [] };
      if (RANK.indexOf(state) > RANK.indexOf(row.state)) row.state = state;
      if (proved !== undefined) row.proved.push(proved);
      rows.set(cell, row);
    }
  }
  at = 0;
  for (const [cell, { state, proved }] of rows) {
    if (at++ % 200 === 0) await pause();
    cell.dataset.state = state;
    cell.textContent = told(state, proved);
  }
  return { counts, sections, decimals };
}

function markOne(element, state, proved) {
  let mark = element.nextElementSibling;
  if (!mark?.matches("span.mark")) {
    mark = document.createElement("span");
    mark.className = "mark";
    element.after(" ", mark);
  }
  mark.dataset.state = state;
  mark.textContent = told(state, proved === undefined ? [] : [proved]);
}

function told(state, proved) {
  if (!proved.length) return TEXTS[state];
  return `${TEXTS[state]}: verified ${proved.length > 1 ? "values are" : "value is"} ${proved.join(", ")} base units`;
}

/** What is said over a section of its figures. */
export function standing(states, block) {
  const count = (state) => states.filter((one) => one === state).length;
  const [differs, uncovered, verified] = ["differs", "uncovered", "verified"].map(count);
  if (differs)
    return [
      "differs",
      `${figures(differs)} here ${differs > 1 ? "do" : "does"} not follow from the chain at block ${block}.`,
    ];
  if (!verified) return ["stated", "Stated by this server, not verified."];
  const rest = uncovered ? `; ${figures(uncovered)} not covered by the proof` : "";
  return ["verified", `Verified by this browser against block ${block}${rest}.`];
}

function figures(many) {
  return `${many.toLocaleString("en")} ${many === 1 ? "figure" : "figures"}`;
}
