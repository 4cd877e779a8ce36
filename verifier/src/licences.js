// The books of Licences, from its entries: every booking recomputed from its figures and terms, every payment counted.
// It follows contracts/licences; all amounts are BigInt, in base units, times Unix seconds.
import { Malformed, bytesOf } from "./bytes.js";
import { FOREVER, spanOf } from "./calendar.js";
import { hashHex, hashWords } from "./keccak.js";
import { accrue, addSetOff, clearCure, demand, useSetOff } from "./licence_parts.js";
import { accountId } from "./merkle_sum.js";
import * as maths from "./royalty.js";
import { advanceOf, decodeTerms } from "./terms.js";

export const ACTIVE = 1n;
export const EXPIRED = 2n;
export const TERMINATED = 3n;
const REPORTED = 1n;
const MISSING = 2n;
const RESTATED = 3n;
const SETTLED = 4n;
const MAX_DELAY = 2n ** 32n - 1n;
const NOBODY = "0x" + "00".repeat(20);

/** The royalties behind a licence's sums, and Y: all that is owed so far. */
export function owedOf(terms, sumA, sumB) {
  const royalty = terms.tiersOverLife ? maths.royaltyOf(terms.tiers, sumA, sumB) : sumA;
  return maths.owedInAll(royalty, advanceOf(terms), terms.cap);
}

/** The licence's sums once a period's base is `base`; `before` is its base until now, null if it is new. */
export function sumsAfter(licence, before, base, guarantee) {
  const { terms, sumA, sumB } = licence;
  if (terms.tiersOverLife) return [sumA + base - (before ?? 0n), sumB + (before === null ? guarantee : 0n)];
  const old = before === null ? 0n : maths.royaltyOf(terms.tiers, before, guarantee);
  return [sumA + maths.royaltyOf(terms.tiers, base, guarantee) - old, sumB];
}

/** The books. */
export class LicenceBooks {
  /** `address`: that of Licences; `catalogues`: what knows the splits in force. */
  constructor(address, catalogues) {
    this.address = address;
    this.catalogues = catalogues;
    this.all = new Map(); // number → licence
    this.steps = {
      Accepted: this.accepted,
      Booked: this.booked,
      SetOffUsed: (one, licence) => void licence.used.push(one),
      Paid: this.paid,
      Objected: this.objected,
      ArbiterCalled: (one, licence) => void Object.assign(this.dispute(licence, one), { deadline: one.deadline }),
      Settled: this.settled,
      NoticeGiven: (one, licence) => {
        Object.assign(licence, { inCure: true, curePeriod: one.period, cureUntil: one.cureUntil });
      },
      Cured: (one, licence) => clearCure(licence),
      Terminated: (one, licence) => this.end(licence, one, TERMINATED),
      Expired: (one, licence) => this.end(licence, one, EXPIRED),
      Moved: (one, licence) => void (licence.holder = one.to),
    };
  }

  /** Applies what an entry tells. Raises Malformed where the books give something else. */
  apply(one) {
    const step = this.steps[one.name];
    if (!step) return; // offers and nonces owe nobody anything
    const number = BigInt(one.licence);
    const licence = this.all.get(number);
    if (one.name !== "Accepted" && !licence) throw new Malformed("an entry tells of a licence that nobody accepted");
    const waits = licence?.awaited;
    const follows = one.name === "SetOffUsed" || (one.name === "Booked" && one.kind === SETTLED);
    if (waits && !(follows && one.period === waits.period)) {
      throw new Malformed("a dispute was settled, and its figures were not booked next");
    }
    step.call(this, one, licence, number);
  }

  accepted(one, before, number) {
    demand(BigInt(this.all.size) + 1n, number, "the number of the licence");
    const terms = decodeTerms(one.terms);
    const destination = this.catalogues.splitAt(terms.catalogue, BigInt(one.time));
    demand(destination, one.destination, "the split that the fee goes to");
    demand(terms.upfrontFee, one.fee, "the upfront fee");
    this.all.set(number, {
      number,
      terms,
      termsHash: hashHex(bytesOf(one.terms)),
      encoded: one.terms,
      holder: one.caller,
      status: ACTIVE,
      acceptedAt: BigInt(one.time),
      sumA: 0n,
      sumB: 0n,
      setOff: 0n,
      sources: [],
      inCure: false,
      cureUntil: 0n,
      curePeriod: 0n,
      terminatedAt: 0n,
      periods: [],
      bookings: [],
      disputes: new Map(),
      used: [],
      awaited: undefined,
      fee: one.fee,
      lines: 0n,
      paid: 0n,
    });
  }

  spanOf(licence, period) {
    const { terms } = licence;
    const end = terms.end || FOREVER;
    const stop = licence.status === TERMINATED ? maths.least(end, licence.terminatedAt) : end;
    return spanOf(terms, licence.acceptedAt, stop, period);
  }

  guarantee(licence, span) {
    return maths.guaranteeOf(licence.terms.guarantee, span.end - span.start, span.fullSeconds);
  }

  /** Where a period's money goes. */
  destination(licence, period, span) {
    const { terms, acceptedAt, number } = licence;
    if (terms.distributions !== NOBODY) {
      return accountId(terms.distributions, hashWords(this.address, number, period));
    }
    const time = period === 0n ? acceptedAt : maths.most(span.start, acceptedAt);
    return this.catalogues.splitAt(terms.catalogue, time);
  }

  /** A booked period, with interest up to `now`. */
  period(licence, one) {
    const state = licence.periods[Number(one.period)];
    if (!state) throw new Malformed("an entry tells of a period that was not booked");
    accrue(licence.terms, state, this.spanOf(licence, one.period).interestFrom, BigInt(one.time));
    return state;
  }

  booked(one, licence) {
    const { terms } = licence;
    const isNew = one.kind === REPORTED || one.kind === MISSING;
    let state;
    if (isNew) {
      demand(BigInt(licence.periods.length), one.period, "the period");
      state = {
        base: 0n,
        open: 0n,
        version: 0n,
        bookedAt: 0n,
        numerator: 0n,
        upTo: 0n,
        owed: 0n,
        paid: 0n,
        interestPaid: 0n,
      };
      licence.periods.push(state);
    }
    const span = this.spanOf(licence, one.period);
    state = this.period(licence, one);
    const base = this.baseOf(one, licence);
    demand(base, one.base, "the base");
    const sums = sumsAfter(licence, isNew ? null : state.base, base, this.guarantee(licence, span));
    const line = owedOf(terms, ...sums) - owedOf(terms, licence.sumA, licence.sumB);
    licence.bookings.push({ ...one, line, told: one.line });
    demand(line, one.line, "the line");
    demand(this.destination(licence, one.period, span), one.destination, "the destination");
    [licence.sumA, licence.sumB] = sums;
    state.base = base;
    state.version += 1n;
    demand(state.version, one.version, "the version");
    const time = BigInt(one.time);
    state.bookedAt = maths.least(time, licence.acceptedAt + MAX_DELAY);
    state.owed += line;
    licence.lines += line;
    this.applyLine(one, licence, state, span, line);
    if (one.paid) {
      demand(true, state.numerator < maths.INTEREST_UNIT && one.paid <= state.open, "what was paid with the booking");
      this.count(licence, state, 0n, one.paid);
    }
  }

  /** The base that a booking's figures give. */
  baseOf(one, licence) {
    if (one.kind === SETTLED) {
      const held = licence.awaited;
      licence.awaited = undefined;
      if (!held) throw new Malformed("figures were settled without a dispute");
      return held.base;
    }
    if (one.kind === MISSING) {
      demand(0n, one.gross + one.deductions, "the figures of a period that was not reported");
      return 0n;
    }
    if (one.kind !== REPORTED && one.kind !== RESTATED) throw new Malformed("a booking is of an unknown kind");
    return maths.baseOf(one.gross, one.deductions, licence.terms.deductionCapPpm);
  }

  /** Opens the line, or cancels what is open, or adds to or uses the set-off; as LicenceMoney does. */
  applyLine(one, licence, state, span, line) {
    const seconds = BigInt(one.time) - span.interestFrom;
    const rate = licence.terms.lateRatePpm;
    let cancelled = 0n;
    let setOff = 0n;
    if (line > 0n) {
      setOff = useSetOff(one, licence, line);
      const opened = line - setOff;
      state.open += opened;
      state.numerator += maths.interestNumerator(opened, rate, seconds);
    } else {
      cancelled = maths.least(-line, state.open);
      state.open -= cancelled;
      state.numerator = maths.most(0n, state.numerator - maths.interestNumerator(cancelled, rate, seconds));
      const rest = -line - cancelled;
      if (rest && licence.status === ACTIVE) {
        setOff = rest;
        addSetOff(licence, one.destination, rest);
      }
    }
    if (licence.used.length) throw new Malformed("more set-off was used than there is");
    demand(cancelled, one.cancelled, "what the line cancelled");
    demand(setOff, one.setOff, "what was set off");
  }

  paid(one, licence) {
    const state = this.period(licence, one);
    const span = this.spanOf(licence, one.period);
    demand(state.numerator / maths.INTEREST_UNIT, one.interest, "the interest");
    demand(true, one.principal <= state.open, "the principal, at most what is open,");
    this.count(licence, state, one.interest, one.principal);
    demand(state.open, one.open, "what is still open");
    demand(this.destination(licence, one.period, span), one.destination, "the destination");
  }

  count(licence, state, interest, principal) {
    state.open -= principal;
    state.numerator -= interest * maths.INTEREST_UNIT;
    state.paid += principal;
    state.interestPaid += interest;
    licence.paid += principal + interest;
  }

  objected(one, licence) {
    const base = maths.baseOf(one.gross, one.deductions, licence.terms.deductionCapPpm);
    demand(base, one.base, "the proposed base");
    licence.disputes.set(one.period, { period: one.period, base, deadline: one.deadline });
  }

  dispute(licence, one) {
    const held = licence.disputes.get(one.period);
    if (!held) throw new Malformed("an entry tells of a dispute that nobody began");
    return held;
  }

  settled(one, licence) {
    const held = this.dispute(licence, one);
    licence.disputes.delete(one.period);
    if (one.accepted) licence.awaited = held;
  }

  end(licence, one, status) {
    demand(licence.setOff, one.lapsed, "the set-off that lapses");
    clearCure(licence);
    Object.assign(licence, { status, setOff: 0n });
    if (status === TERMINATED) licence.terminatedAt = BigInt(one.time);
  }

  /** Interest of a period that is unpaid at a time, in whole base units. */
  interestAt(licence, period, now) {
    const state = { ...licence.periods[Number(period)] };
    accrue(licence.terms, state, this.spanOf(licence, period).interestFrom, now);
    return state.numerator / maths.INTEREST_UNIT;
  }
}
