// What is owed, as pure functions of BigInt: the formulas of contracts/interfaces/ILicences.sol. Each rounds down once.
import { YEAR } from "./calendar.js";

export const PPM = 1_000_000n;
/** `upTo` of the last tier. */
export const NO_LIMIT = (1n << 128n) - 1n;
/** What one base unit of interest is in the numerator. */
export const INTEREST_UNIT = PPM * YEAR;

export const least = (one, other) => (one < other ? one : other);
export const most = (one, other) => (one > other ? one : other);

/** Base = gross − min(deductions, floor(gross × cap / 1e6)). */
export function baseOf(gross, deductions, capPpm) {
  return gross - least(deductions, (gross * capPpm) / PPM);
}

/** T(x): marginal tiers applied to x, rounded down once. */
export function earned(tiers, base) {
  let sum = 0n;
  let lower = 0n;
  for (const { upTo, ratePpm } of tiers) {
    sum += most(0n, least(base, upTo) - lower) * ratePpm;
    lower = upTo;
  }
  return sum / PPM;
}

/** The guarantee of a full period, pro rata by seconds. */
export function guaranteeOf(guarantee, seconds, fullSeconds) {
  return (guarantee * seconds) / fullSeconds;
}

/** R: max(T(base), G). */
export function royaltyOf(tiers, base, guarantee) {
  return most(earned(tiers, base), guarantee);
}

/** Y = min(cap, max(0, R − advance)); a cap of zero is none. */
export function owedInAll(royalty, advance, cap) {
  const owed = most(0n, royalty - advance);
  return cap ? least(cap, owed) : owed;
}

/** Simple interest × 1e6 × 365 days; divide by INTEREST_UNIT. */
export function interestNumerator(principal, ratePpm, seconds) {
  return principal * ratePpm * most(0n, seconds);
}
