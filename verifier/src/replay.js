// The books of all contracts, filled from the entries, and what caused each credit.
import { Malformed } from "./bytes.js";
import { CatalogueBooks } from "./catalogues.js";
import { ADDRESSES } from "./generated.js";
import { told } from "./journal.js";
import { LicenceBooks } from "./licences.js";
import { PAGE_SIZE } from "./merkle_sum.js";
import { SplitBooks } from "./splits.js";

/** Fields whose sum is what an entry moved. */
const MOVED = {
  Licences: { Accepted: ["fee"], Booked: ["paid"], Paid: ["interest", "principal"] },
  Distributions: { Settled: ["moved"], Swept: ["moved"], BondMoved: ["amount"] },
};

/** The books. Who may do what is not replayed here: that the code did it is shown by its hash and by the heads. */
export class Replay {
  /** `watched`: the payee whose single payouts are kept. */
  constructor(watched = null) {
    this.splits = new SplitBooks(watched);
    this.catalogues = new CatalogueBooks(this.splits);
    this.licences = new LicenceBooks(ADDRESSES.Licences, this.catalogues);
    this.books = { Splits: this.splits, Catalogues: this.catalogues, Licences: this.licences };
    this.counts = new Map();
    // By contract, block, destination and token: the entries that moved money, and what arrived.
    this.causes = new Map();
    this.arrivals = new Map();
    // By licence: where its money goes; by split: the accounts whose money was moved into it.
    this.destinations = new Map();
    this.movedFrom = new Map();
  }

  /** Applies an entry. Raises Malformed, with its place, where the books give something else. */
  feed(entry) {
    const { contract } = entry;
    const number = this.counts.get(contract) ?? 0;
    this.counts.set(contract, number + 1);
    let one = { name: "" };
    try {
      one = told(entry);
      this.books[contract]?.apply(one);
      if (contract === "Splits") this.arrived(one);
      else this.moved(contract, one);
    } catch (error) {
      const subject = contract === "Splits" ? `split ${entry.id}` : `licence ${BigInt(entry.id)}`;
      const place = `block ${entry.block}, entry ${contract} ${number} ${one.name}, ${subject}`;
      // What nobody vouches for may make no sense at all.
      const what = error instanceof Malformed ? error.message : `the entry makes no sense: ${error.message}`;
      throw new Malformed(what, place);
    }
  }

  arrived(one) {
    if (one.name === "AccountMoved") put(this.movedFrom, one.splitId, one.account);
    if (one.caller !== ADDRESSES.Licences || !["Credited", "AccountFunded"].includes(one.name)) return;
    const key = `${one.block}/${one.splitId ?? one.account}/${one.token}`;
    this.arrivals.set(key, (this.arrivals.get(key) ?? 0n) + one.amount);
  }

  moved(contract, one) {
    if (contract === "Licences" && one.destination) put(this.destinations, BigInt(one.licence), one.destination);
    const fields = MOVED[contract]?.[one.name];
    if (!fields) return;
    const amount = fields.reduce((sum, field) => sum + one[field], 0n);
    if (!amount) return;
    const licence = BigInt(one.licence);
    const token = one.token ?? this.licences.all.get(licence).terms.token;
    const place = `${one.block}/${one.destination ?? one.splitId}/${token}`;
    const key = `${contract}/${place}`;
    const held = this.causes.get(key) ?? [];
    held.push({ licence, period: one.period, amount });
    this.causes.set(key, held);
    // A call of Licences moves the money before it tells of it.
    if (contract === "Licences") this.demandArrival(held, this.arrivals.get(place) ?? 0n);
  }

  demandArrival(causes, arrived) {
    const moved = causes.reduce((sum, one) => sum + one.amount, 0n);
    if (moved > arrived) throw new Malformed(`Licences tells of ${moved} paid; Splits received ${arrived}`);
  }

  /** Raises Malformed where money is told of in one contract and not in the other. */
  finish() {
    for (const licence of this.licences.all.values()) {
      if (licence.awaited || licence.used.length) {
        throw new Malformed("the journal of Licences ends early", `licence ${licence.number}`);
      }
    }
    for (const key of this.arrivals.keys()) {
      if (!this.causes.has(`Licences/${key}`)) {
        throw new Malformed(
          "Splits received money from Licences that no entry of Licences explains",
          `block ${key.split("/")[0]}`,
        );
      }
    }
  }

  /** The credits of a split in a token, each cut where several entries caused it: amounts, and licence and period. */
  cuts(pair) {
    const left = new Map();
    const cuts = [];
    for (const credit of pair.credits) {
      const contract = credit.name === "AccountMoved" ? "Distributions" : "Licences";
      const isCaused = credit.name === "AccountMoved" || credit.caller === ADDRESSES.Licences;
      const key = `${contract}/${credit.block}/${pair.split}/${pair.token}`;
      if (isCaused && !left.has(key))
        left.set(
          key,
          (this.causes.get(key) ?? []).map((one) => ({ ...one })),
        );
      const causes = isCaused ? left.get(key) : [];
      let { before, amount: rest } = credit;
      while (rest) {
        const [cause] = causes;
        const amount = cause && cause.amount < rest ? cause.amount : rest;
        if (cause) {
          cause.amount -= amount;
          if (!cause.amount) causes.shift();
        }
        cuts.push({ before, after: before + amount, licence: cause?.licence, period: cause?.period });
        before += amount;
        rest -= amount;
      }
    }
    return cuts;
  }

  /** The holder's leaves in all published splits: split, index. */
  leavesOf(holder) {
    const found = [];
    for (const known of this.splits.splits.values()) {
      if (!this.splits.isPublished(known.id)) continue;
      for (const [page, words] of known.pages) {
        words.forEach((leaf, at) => {
          if (leaf.startsWith(holder)) found.push({ split: known.id, index: page * PAGE_SIZE + at });
        });
      }
    }
    return found;
  }

  /** The licences that pay into these splits, also by way of accounts. */
  licencesInto(splits) {
    const sources = new Set(splits);
    for (const split of splits) for (const account of this.movedFrom.get(split) ?? []) sources.add(account);
    const reaches = ([, where]) => [...where].some((one) => sources.has(one));
    return [...this.destinations].filter(reaches).map(([number]) => number);
  }

  /** The tokens in which a split was credited: its pairs. */
  pairsOf(split) {
    if (!this.bySplit) {
      this.bySplit = new Map();
      for (const one of this.splits.pairs.values()) {
        if (one.credits.length) this.bySplit.set(one.split, [...(this.bySplit.get(one.split) ?? []), one]);
      }
    }
    return this.bySplit.get(split) ?? [];
  }
}

function put(sets, key, value) {
  const held = sets.get(key) ?? new Set();
  held.add(value);
  sets.set(key, held);
}
