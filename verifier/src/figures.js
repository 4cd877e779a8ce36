// The figures that a page may show, by key (docs/reference/verifier.md): each follows from what was proved.
import { conservation, entitled } from "./splits.js";

/** Figures by key; those of the form part/SPLIT/TOKEN/INDEX/FROM/TO are worked out when they are asked for. */
export class Figures extends Map {
  /** `replay`: the books that parts are worked out of; null: none. `holder`: whose leaves have parts. */
  constructor(replay = null, holder = null) {
    super();
    this.replay = replay;
    this.holder = holder;
  }

  /** The figure of a key; undefined where the proof does not cover it. */
  get(key) {
    return key.startsWith("part/") ? this.part(key) : super.get(key);
  }

  has(key) {
    return this.get(key) !== undefined;
  }

  /** The token that a key's figure is an amount of; undefined for what is no amount of money. */
  tokenOf(key) {
    const [kind, one, other, , last] = key.split("/");
    if (kind === "books") return one;
    if (kind === "booking" || kind === "licence" || kind === "period") {
      return /^[0-9]+$/.test(one) ? this.replay?.licences.all.get(BigInt(one))?.terms.token : undefined;
    }
    return kind === "leaf" && (last === "units" || last === "total") ? undefined : other;
  }

  /** What was proved in sum, in plain words: of the holder, or of the books of all. Amounts are base units. */
  get summary() {
    const [kind, place] = this.holder ? [`holder/${this.holder}/`, 2] : ["books/", 1];
    const sums = new Map();
    for (const [key, amount] of this) {
      const parts = key.split("/");
      if (!key.startsWith(kind) || parts.length !== place + 2) continue;
      const held = sums.get(parts[place]) ?? [];
      held.push(`${parts[place + 1]} ${amount}`);
      sums.set(parts[place], held);
    }
    const whose = this.holder ? `for the rights holder ${this.holder}` : "of the books of all";
    if (!sums.size) return [`Proved ${whose}: nothing was credited.`];
    return [...sums].map(([token, told]) => `Proved ${whose}, token ${token}: ${told.join(", ")} base units.`);
  }

  /** What was proved of a licence in sum, in plain words. */
  ofLicence(number) {
    const names = ["owed", "paid", "open", "interest"].filter((name) => this.has(`licence/${number}/${name}`));
    if (!names.length) return [];
    const told = names.map((name) => `${name} ${this.get(`licence/${number}/${name}`)}`).join(", ");
    return [`Proved of licence ${number}, token ${this.tokenOf(`licence/${number}/owed`)}: ${told} base units.`];
  }

  /** floor(TO × units / total) − floor(FROM × units / total) of a leaf, where FROM ≤ TO ≤ the cumulative proved. */
  part(key) {
    const [, split, token, index, from, to, ...more] = key.split("/");
    const pair = this.replay?.splits.pairs.get(`${split}/${token}`);
    const leaf = this.replay?.splits.leaf(split, Number(index));
    const good = [index, from, to].every((one) => /^[0-9]+$/.test(one ?? "")) && !more.length;
    if (
      !good ||
      !pair ||
      leaf?.payee !== this.holder ||
      leaf.units === 0n ||
      BigInt(from) > BigInt(to) ||
      BigInt(to) > pair.credited
    )
      return undefined;
    const { total } = this.replay.splits.splits.get(split);
    return entitled(BigInt(to), leaf.units, total) - entitled(BigInt(from), leaf.units, total);
  }
}

/** All figures that follow from the books; `holder`: whose leaves are told of, or null; `now`: the anchor's time. */
export function figuresOf(replay, holder, now) {
  const figures = new Figures(replay, holder);
  const add = adder(figures);
  books(replay, add);
  if (holder) {
    for (const { split, index } of replay.leavesOf(holder)) {
      for (const pair of replay.pairsOf(split)) leaf(replay, pair, index, holder, add);
    }
  }
  for (const licence of replay.licences.all.values()) licenceFigures(replay, licence, now, add);
  return figures;
}

/** Adds to the figure of a key. */
export function adder(figures) {
  return (key, amount) => figures.set(key, (figures.get(key) ?? 0n) + amount);
}

function books(replay, add) {
  for (const pair of replay.splits.pairs.values()) {
    if (!pair.credits.length) continue;
    add(`split/${pair.split}/${pair.token}/credited`, pair.credited);
    if (!replay.splits.isPublished(pair.split)) continue;
    const sums = conservation(replay.splits, pair);
    for (const name of ["credited", "paid", "owed", "residue"]) add(`books/${pair.token}/${name}`, sums[name]);
  }
}

function leaf(replay, pair, index, holder, add) {
  const { units } = replay.splits.leaf(pair.split, index);
  const { total } = replay.splits.splits.get(pair.split);
  const { upTo } = replay.splits.checkpoint(pair, index);
  const base = `leaf/${pair.split}/${pair.token}/${index}`;
  const part = (before, after) => entitled(after, units, total) - entitled(before, units, total);
  holding(add, holder, base, pair.token, part(0n, pair.credited), part(0n, upTo));
  add(`${base}/units`, units);
  add(`${base}/total`, total);
  const place = `${pair.split}/${pair.token}/${index}`;
  pair.credits.forEach((one, at) => add(`credit/${place}/${at}`, part(one.before, one.before + one.amount)));
  (pair.payouts.get(index) ?? []).forEach((amount, at) => add(`payout/${place}/${at}`, amount));
  for (const { before, after, licence, period } of replay.cuts(pair)) {
    if (licence === undefined) continue;
    const of = `holder/${holder}/${pair.token}/licence/${licence}`;
    add(`${of}/earned`, part(before, after));
    if (period !== undefined) add(`${of}/period/${period}/earned`, part(before, after));
  }
}

/** What a leaf is entitled to, was paid and is owed, and the same in the holder's sums. */
export function holding(add, holder, base, token, earned, paid) {
  for (const [name, amount] of Object.entries({ earned, paid, owed: earned - paid })) {
    add(`${base}/${name}`, amount);
    add(`holder/${holder}/${token}/${name}`, amount);
  }
}

function licenceFigures(replay, licence, now, add) {
  const { number } = licence;
  licence.bookings.forEach((one, at) => {
    const base = `booking/${number}/${at}`;
    add(`${base}/gross`, one.gross);
    add(`${base}/deductions`, one.deductions);
    add(`${base}/base`, one.base);
    add(`${base}/amount`, one.line);
  });
  const whole = { owed: licence.lines, paid: 0n, open: 0n, interest: 0n };
  licence.periods.forEach((state, period) => {
    const interest = replay.licences.interestAt(licence, BigInt(period), now);
    const { owed, paid, open } = state;
    for (const [name, amount] of Object.entries({ owed, paid, open, interest })) {
      add(`period/${number}/${period}/${name}`, amount);
    }
    whole.paid += paid;
    whole.open += open;
    whole.interest += interest;
  });
  for (const [name, amount] of Object.entries(whole)) add(`licence/${number}/${name}`, amount);
}
