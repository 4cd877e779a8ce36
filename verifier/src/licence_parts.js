// Parts of the books of a licence: interest, cures, the queue of money that was overpaid and is set off.
import { Malformed } from "./bytes.js";
import * as maths from "./royalty.js";

const SOURCES_EACH = 8;

/** Raises Malformed unless what an entry tells is what the books give. */
export function demand(expected, found, what) {
  if (expected !== found) {
    throw new Malformed(`${what} is not what figures and terms give`, `${found} instead of ${expected}`);
  }
}

/** Adds the interest of a period up to `now`. */
export function accrue(terms, state, interestFrom, now) {
  if (now <= interestFrom || terms.lateRatePpm === 0n) return;
  const since = maths.most(state.upTo, interestFrom);
  state.numerator += maths.interestNumerator(state.open, terms.lateRatePpm, now - since);
  state.upTo = now;
}

/** No cure runs any more. */
export function clearCure(licence) {
  Object.assign(licence, { inCure: false, cureUntil: 0n, curePeriod: 0n });
}

/** Uses the oldest sources against a line, each told by an entry before the booking. */
export function useSetOff(one, licence, line) {
  const entries = licence.used.splice(0);
  let used = 0n;
  for (let round = 0; licence.setOff && round < SOURCES_EACH && licence.sources.length && used < line; round++) {
    const [source] = licence.sources;
    const amount = maths.least(source.amount, line - used);
    source.amount -= amount;
    if (!source.amount) licence.sources.shift();
    used += amount;
    const entry = entries.shift();
    demand(amount, entry?.amount, "the set-off used");
    demand(source.destination, entry.source, "the source of the set-off");
    demand(one.period, entry.period, "the period of the set-off");
    demand(one.destination, entry.destination, "the destination of the set-off");
  }
  licence.used = entries;
  licence.setOff -= used;
  return used;
}

/** Puts overpaid money at the end of the queue, or into its last source if that has the same destination. */
export function addSetOff(licence, destination, amount) {
  const last = licence.sources.at(-1);
  if (last?.destination === destination) last.amount += amount;
  else licence.sources.push({ destination, amount });
  licence.setOff += amount;
}
