// The terms that the chain enforces: ILicences.Terms in its one encoding (contracts/libraries/TermsCodec.sol).
import { Malformed } from "./bytes.js";
import { NO_LIMIT, PPM } from "./royalty.js";

/** Name of each field but the tiers, and its bits; 0: a word as it stands, negative: an address. */
const FIELDS = [
  ["document", 0],
  ["worksRoot", 0],
  ["catalogue", 256],
  ["licensee", -160],
  ["token", -160],
  ["scope", 10],
  ["exclusive", 10],
  ["start", 40],
  ["end", 40],
  ["transferable", 1],
  ["upfrontFee", 104],
  ["advance", 1],
  ["tiersOverLife", 1],
  ["deductionCapPpm", 32],
  ["guarantee", 104],
  ["cap", 104],
  ["lateRatePpm", 32],
  ["graceDays", 16],
  ["periodMonths", 8],
  ["daysToReport", 16],
  ["daysToPay", 16],
  ["cureDays", 16],
  ["attributionDuty", 2],
  ["distributions", -160],
  ["model", 0],
  ["attributor", -160],
];
const TIERS = FIELDS.length;
const ENCODING = TIERS + 1;
const MAX_TIERS = 16n;

/** A refusal of terms: the number of the first bad field, as in Licences_BadTerms. */
export class BadTerms extends Malformed {
  constructor(which) {
    super(`The terms are not well formed in field ${which}.`);
    this.which = which;
  }
}

/** The terms of canonical bytes, amounts and times as BigInt. Raises BadTerms. */
export function decodeTerms(data) {
  const words = data.slice(2).match(/.{64}/g) ?? [];
  const value = (at) => BigInt("0x" + words[at]);
  const many = words.length > ENCODING + 1 ? value(ENCODING + 1) : -1n;
  const good =
    many >= 0n &&
    value(0) === 32n &&
    value(TIERS + 1) === BigInt(32 * ENCODING) &&
    data.length === 2 + 64 * (ENCODING + 2) + 128 * Number(many);
  if (!good || many > MAX_TIERS) throw new BadTerms(ENCODING);
  const terms = { tiers: [] };
  FIELDS.forEach(([name, bits], which) => {
    const held = value(which + 1);
    if (bits && held >> BigInt(Math.abs(bits))) throw new BadTerms(which);
    if (bits === 0) terms[name] = "0x" + words[which + 1];
    else if (bits < 0) terms[name] = "0x" + words[which + 1].slice(24);
    else terms[name] = bits === 1 ? held === 1n : held;
  });
  for (let at = 0; at < Number(many); at++) {
    const first = ENCODING + 2 + 2 * at;
    terms.tiers.push({ upTo: value(first), ratePpm: value(first + 1) });
  }
  check(terms);
  return terms;
}

/** The rules of acceptance, in the contract's order (ILicences.Terms). */
function check(terms) {
  const months = terms.periodMonths;
  const limits = [0n, ...terms.tiers.map((one) => one.upTo)];
  const rules = [
    [BigInt(terms.document) !== 0n, 0],
    [BigInt(terms.worksRoot) !== 0n, 1],
    [BigInt(terms.token) !== 0n, 4],
    [terms.scope !== 0n, 5],
    [(terms.exclusive & ~terms.scope) === 0n, 6],
    [terms.start >= 946_684_800n && terms.start < 32_503_680_000n, 7],
    [terms.end === 0n || (terms.end > terms.start && terms.end <= 32_503_680_000n), 8],
    [terms.deductionCapPpm <= PPM, 13],
    [terms.lateRatePpm <= 10n * PPM, 16],
    [[0n, 1n, 3n, 6n, 12n].includes(months), 18],
    [months !== 0n || terms.guarantee === 0n, 14],
    [months !== 0n || !terms.tiers.length, TIERS],
    [terms.daysToPay >= terms.daysToReport, 20],
    [limits.slice(1).every((high, at) => high > limits[at] && high <= NO_LIMIT), TIERS],
    [terms.tiers.every((tier) => tier.ratePpm <= PPM), TIERS],
    [!terms.tiers.length || limits.at(-1) === NO_LIMIT, TIERS],
  ];
  for (const [holds, which] of rules) if (!holds) throw new BadTerms(which);
}

/** What royalties recoup: the upfront fee if it is an advance, else zero. */
export function advanceOf(terms) {
  return terms.advance ? terms.upfrontFee : 0n;
}
