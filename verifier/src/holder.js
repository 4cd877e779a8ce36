// What bundles tell of a holder: leaves, tokens and terms, by the entries where there are any, else by proofs alone.
import { Malformed, bytesOf } from "./bytes.js";
import { adder, holding } from "./figures.js";
import { hashHex } from "./keccak.js";
import { PAGE_SIZE, checkLeaf, readLeaf } from "./merkle_sum.js";
import { OWN_SLOT, entitled } from "./splits.js";
import { slot } from "./words.js";

const LOW = (1n << 128n) - 1n;

/** A page's bundle tells leaves, tokens and terms too: they have to be those of the entries. */
export function sameAsTold(audit, replay) {
  const { evidence, verdict } = audit;
  const before = verdict.findings.length;
  const leaves = audit.holder ? replay.leavesOf(audit.holder) : [];
  const places = new Set(leaves.map(({ split, index }) => `${split}/${index}`));
  for (const one of evidence.leaves) {
    proveLeaf(audit, one);
    if (!places.delete(`${one.split}/${one.index}`))
      verdict.found("leaves", place(one), "no entry published this leaf");
  }
  for (const one of places)
    verdict.found("leaves", `split and leaf ${one}`, "the bundle leaves out this leaf of the holder");
  const splits = new Set(leaves.map((one) => one.split));
  const pairs = new Set(
    [...splits].flatMap((split) => replay.pairsOf(split)).map((one) => `${one.split}/${one.token}`),
  );
  for (const { split, token } of evidence.tokens) {
    if (!pairs.delete(`${split}/${token}`)) verdict.found("tokens", `split ${split}`, `never credited in ${token}`);
  }
  for (const one of pairs) verdict.found("tokens", `split and token ${one}`, "the bundle leaves out this token");
  const licences = new Set(audit.holder ? replay.licencesInto(splits) : replay.licences.all.keys());
  for (const { licence, encoded } of evidence.terms) {
    const held = replay.licences.all.get(BigInt(licence));
    const isNamed = licences.delete(BigInt(licence));
    if (!isNamed || held.encoded !== encoded)
      verdict.found("terms", `licence ${licence}`, "its terms are not those accepted");
  }
  for (const one of licences) verdict.found("terms", `licence ${one}`, "the bundle leaves out its terms");
  const checked = evidence.leaves.length + evidence.tokens.length + evidence.terms.length;
  verdict.step("leaves", verdict.findings.length === before, checked, {
    detail: "leaves, tokens and terms are those of the entries",
  });
}

/** A leaf line: it stands in its split and is the holder's. Gives payee and units, or null with a finding. */
function proveLeaf(audit, one) {
  try {
    const id = checkLeaf(one, BigInt(one.index), one.leaf, one.siblings);
    const { payee, units } = readLeaf(one.leaf);
    if (id !== one.split || payee !== audit.holder) throw new Malformed("it is not the holder's, or of another split");
    return units;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    audit.verdict.found("leaves", place(one), `the leaf does not stand here: ${error.message}`);
    return null;
  }
}

/** A holder's bundle: no entries, so leaves and figures by proofs alone. */
export async function holderAlone(audit) {
  const { evidence, verdict } = audit;
  verdict.scope =
    "the leaves in this file; not covered: the entries that led here, and splits, tokens and licences not named in it";
  const add = adder(verdict.figures);
  let words = 0;
  const named = new Set(evidence.leaves.map((one) => one.split));
  for (const { split, token } of evidence.tokens) {
    if (named.has(split)) continue;
    verdict.found("tokens", `split ${split}`, `the file has no leaf of it, but tells that it was credited in ${token}`);
  }
  for (const one of evidence.leaves) {
    await audit.pause();
    const units = proveLeaf(audit, one);
    if (units === null) continue;
    for (const { token } of evidence.tokens.filter((of) => of.split === one.split)) {
      words += 3;
      await proveHolding(audit, one, units, token, add);
    }
  }
  await proved(
    audit,
    "payee",
    "Splits",
    ["_standing", "_claimNonces"].map((label) => [label, audit.holder]),
  );
  const good = () => !verdict.findings.length;
  verdict.step("leaves", good(), evidence.leaves.length, { detail: "each stands in its split, and is the holder's" });
  verdict.step("page and leaf slots", good(), words, { detail: "entitled, paid and owed follow from them" });
  await licencesAlone(audit);
}

async function proveHolding(audit, one, units, token, add) {
  const page = Math.floor(one.index / PAGE_SIZE);
  const held = await proved(audit, `${place(one)}, token ${token}`, "Splits", [
    ["_sums", one.split, token],
    ["_pages", one.split, token, page],
    ["_leaves", one.split, token, one.index],
  ]);
  if (!held) return;
  const [sums, state, own] = held;
  const inSums = page === 0 && sums >> 128n !== OWN_SLOT;
  const upTo = own ? own & LOW : (inSums ? sums : state) >> 128n;
  const [earned, paid] = [sums & LOW, upTo].map((cumulative) => entitled(cumulative, units, one.total));
  const base = `leaf/${one.split}/${token}/${one.index}`;
  audit.verdict.figures.set(`split/${one.split}/${token}/credited`, sums & LOW);
  audit.verdict.figures.set(`${base}/units`, units);
  audit.verdict.figures.set(`${base}/total`, one.total);
  holding(add, audit.holder, base, token, earned, paid);
}

async function licencesAlone(audit) {
  const { evidence, verdict } = audit;
  const before = verdict.findings.length;
  let words = 0;
  for (const { licence, encoded } of evidence.terms) {
    const where = `licence ${licence}`;
    const held = await proved(audit, where, "Licences", [
      ["_termsHashes", licence],
      ["_licences", licence],
    ]);
    if (!held) continue;
    if (BigInt(hashHex(bytesOf(encoded))) !== held[0])
      verdict.found("terms", where, "its terms are not those accepted");
    const periods = Array.from({ length: Number((held[1] >> 32n) & 0xffffn) }, (_, at) => ["_periods", licence, at]);
    await proved(audit, where, "Licences", periods);
    words += 2 + periods.length;
  }
  verdict.step("licences", verdict.findings.length === before, words, {
    detail: "terms hashes, states and booked periods",
  });
}

/** The words of slots; null, and a finding, where one cannot be proved. */
async function proved(audit, where, contract, keys) {
  const held = [];
  try {
    for (const [label, ...rest] of keys) held.push(await audit.word(contract, slot(contract, label, ...rest)));
    return held;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    audit.verdict.found("proof", where, error.message);
    return null;
  }
}

function place(one) {
  return `split ${one.split}, leaf ${one.index}`;
}
