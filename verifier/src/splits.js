// The books of Splits, from its entries: publications, credits, payouts by page and by claim, accounts.
// Each entry must be what the books give by themselves; all amounts are BigInt, in base units.
import { Malformed } from "./bytes.js";
import { PAGE_SIZE, accountId, pagesOf, readLeaf, rootOf, splitId } from "./merkle_sum.js";

export const CLAIMED = 1n;
export const PASSED_OVER = 2n;
export const TAKEN_OUT = 3n;
/** In the place of what a split's first page was paid up to: that page has a slot of its own. */
export const OWN_SLOT = (1n << 128n) - 1n;

/** floor(cumulative × units / total): what a leaf is entitled to. */
export function entitled(cumulative, units, total) {
  return (cumulative * units) / total;
}

function demand(holds, what, found) {
  if (!holds) throw new Malformed(`${what} is not what the books give`, `the entry says ${found}`);
}

/** The books. Keys: a split, a split and a token, and these with a page or a leaf, joined by slashes. */
export class SplitBooks {
  /** `watched`: the payee whose single payouts are kept; null: nobody's. */
  constructor(watched = null) {
    this.watched = watched;
    this.splits = new Map(); // id → {id, root, total, depth, pages, leaves: [{payee, units}]}
    this.pairs = new Map(); // id/token → {split, token, credited, paid, credits, states, ownSlot}
    this.accounts = new Map(); // account/token → balance
    this.owners = new Map(); // account → controller
    this.standing = new Map();
    this.nonces = new Map();
    this.steps = {
      PagePublished: this.published,
      Credited: (one) => this.credit(one.splitId, one, "Credited"),
      AccountFunded: this.funded,
      AccountMoved: this.moved,
      PagePaid: this.pagePaid,
      Claimed: this.claimed,
      LeafPlaced: this.placed,
      StandingAddressSet: (one) => void this.standing.set(payeeOf(one.payee), one.to),
      ClaimNonceUsed: this.nonceUsed,
    };
  }

  /** Applies what an entry tells. Raises Malformed where the books give something else. */
  apply(one) {
    this.steps[one.name].call(this, one);
  }

  pair(split, token) {
    const key = `${split}/${token}`;
    let held = this.pairs.get(key);
    if (!held) {
      held = { split, token, credited: 0n, paid: 0n, credits: [], ownSlot: false };
      // By page: its state; by leaf: its own checkpoint; by leaf of the watched payee: its payouts.
      Object.assign(held, { states: new Map(), own: new Map(), payouts: new Map() });
      this.pairs.set(key, held);
    }
    return held;
  }

  published(one) {
    const split = { root: one.root, total: one.total, depth: one.depth };
    demand(splitId(split) === one.splitId, "the split id", one.splitId);
    let known = this.splits.get(one.splitId);
    if (!known) {
      known = { ...split, id: one.splitId, size: pagesOf(one.depth), pages: new Map() };
      this.splits.set(one.splitId, known);
    }
    const page = Number(one.page);
    demand(one.page < BigInt(known.size) && !known.pages.has(page), "the page", one.page);
    demand(one.words.length <= Math.min(PAGE_SIZE, 2 ** Number(known.depth)), "the number of words", one.words.length);
    known.pages.set(page, one.words);
    if (known.pages.size < known.size) return;
    const words = [];
    for (let at = 0; at < known.size; at++) {
      const held = known.pages.get(at);
      words.push(...held);
      if (at < known.size - 1) words.push(...Array(PAGE_SIZE - held.length).fill("0x" + "00".repeat(32)));
    }
    const whole = rootOf(words.length ? words : ["0x" + "00".repeat(32)], known.depth);
    demand(whole.root === known.root, "the root of all pages", known.root);
    demand(whole.total === known.total, "the units of all pages", known.total);
  }

  /** Whether all pages of a split are public. */
  isPublished(split) {
    const known = this.splits.get(split);
    return known !== undefined && known.pages.size === known.size;
  }

  /** Payee and units of a published leaf; undefined where its page is not public. */
  leaf(split, index) {
    const words = this.splits.get(split)?.pages.get(Math.floor(index / PAGE_SIZE));
    if (!words) return undefined;
    return readLeaf(words[index % PAGE_SIZE] ?? "0x" + "00".repeat(32));
  }

  credit(split, one, name) {
    const pair = this.pair(split, one.token);
    pair.credits.push({ before: pair.credited, amount: one.amount, name, caller: one.caller, block: one.block });
    pair.credited += one.amount;
    demand(one.amount > 0n && pair.credited < 1n << 128n, "the credit", one.amount);
  }

  funded(one) {
    demand(accountId(one.controller, one.salt) === one.account, "the account", one.account);
    const key = `${one.account}/${one.token}`;
    this.accounts.set(key, (this.accounts.get(key) ?? 0n) + one.amount);
    this.owners.set(one.account, one.controller);
  }

  moved(one) {
    const key = `${one.account}/${one.token}`;
    const held = this.accounts.get(key) ?? 0n;
    demand(one.amount > 0n && one.amount <= held, "the amount moved out of the account", one.amount);
    demand(this.owners.get(one.account) === one.caller, "the account's owner", one.caller);
    demand(this.isPublished(one.splitId), "the split moved into", one.splitId);
    this.accounts.set(key, held - one.amount);
    this.credit(one.splitId, one, "AccountMoved");
  }

  /** What a page was paid up to, and the bits of leaves with a checkpoint of their own. */
  page(pair, page) {
    return pair.states.get(page) ?? { upTo: 0n, exceptions: 0n };
  }

  /** Kind (0: its page's counts) and the cumulative up to which a leaf was paid. */
  checkpoint(pair, index) {
    const state = this.page(pair, Math.floor(index / PAGE_SIZE));
    if (!((state.exceptions >> BigInt(index % PAGE_SIZE)) & 1n)) return { kind: 0n, upTo: state.upTo };
    return pair.own.get(index);
  }

  setPage(pair, page, state) {
    pair.states.set(page, state);
    // Once its first page has an exception, or its cumulative is the mark itself, that page has a slot of its own.
    if (page === 0 && (state.exceptions || state.upTo === OWN_SLOT)) pair.ownSlot = true;
  }

  pagePaid(one) {
    const pair = this.pair(one.splitId, one.token);
    const page = Number(one.page);
    const known = this.splits.get(one.splitId);
    const words = known?.pages.get(page);
    const state = this.page(pair, page);
    const places = words ? words.length : PAGE_SIZE;
    let kept = 0n;
    let failed = 0n;
    let paid = 0n;
    demand(one.cumulative === pair.credited, "the cumulative", one.cumulative);
    for (let at = 0; at < places; at++) {
      const bit = 1n << BigInt(at);
      const index = page * PAGE_SIZE + at;
      let start = state.upTo;
      if (state.exceptions & bit) {
        const own = pair.own.get(index);
        if (own.kind === TAKEN_OUT || (own.kind === PASSED_OVER && !(one.retry & bit))) {
          kept |= bit;
          continue;
        }
        start = own.upTo;
        pair.own.delete(index);
      }
      if (words) {
        const { payee, units } = readLeaf(words[at]);
        const amount = entitled(one.cumulative, units, known.total) - entitled(start, units, known.total);
        if (amount === 0n) continue;
        if (!(one.failed & bit)) {
          paid += amount;
          if (payee === this.watched) note(pair, index, amount);
          continue;
        }
      } else if (!(one.failed & bit)) continue;
      failed |= bit;
      pair.own.set(index, { kind: PASSED_OVER, upTo: start });
    }
    demand(failed === one.failed, "the payees passed over", one.failed);
    if (words) demand(paid === one.paid, "the sum paid to the page", one.paid);
    pair.paid += one.paid;
    this.setPage(pair, page, { upTo: one.cumulative, exceptions: kept | failed });
  }

  setOwn(pair, index, own) {
    const page = Math.floor(index / PAGE_SIZE);
    const state = this.page(pair, page);
    pair.own.set(index, own);
    this.setPage(pair, page, { ...state, exceptions: state.exceptions | (1n << BigInt(index % PAGE_SIZE)) });
  }

  claimed(one) {
    const pair = this.pair(one.splitId, one.token);
    const index = Number(one.index);
    const { payee, units } = readLeaf(one.leaf);
    const { kind, upTo } = this.checkpoint(pair, index);
    demand(one.cumulative === pair.credited, "the cumulative", one.cumulative);
    const known = this.leaf(one.splitId, index);
    if (known) {
      demand(known.payee === payee && known.units === units, "the leaf", one.leaf);
      const { total } = this.splits.get(one.splitId);
      const paid = entitled(pair.credited, units, total) - entitled(upTo, units, total);
      demand(paid === one.paid && paid > 0n, "the amount paid", one.paid);
    }
    pair.paid += one.paid;
    if (payee === this.watched) note(pair, index, one.paid);
    this.setOwn(pair, index, { kind: kind === TAKEN_OUT ? TAKEN_OUT : CLAIMED, upTo: pair.credited });
  }

  placed(one) {
    const pair = this.pair(one.splitId, one.token);
    const index = Number(one.index);
    const { kind, upTo } = this.checkpoint(pair, index);
    demand(readLeaf(one.leaf).payee === one.caller, "the caller", one.caller);
    demand((kind === TAKEN_OUT) !== one.out, "the place of the leaf", one.out);
    demand(upTo === one.checkpoint, "the checkpoint", one.checkpoint);
    this.setOwn(pair, index, { kind: one.out ? TAKEN_OUT : CLAIMED, upTo });
  }

  nonceUsed(one) {
    const payee = payeeOf(one.payee);
    const next = this.nonces.get(payee) ?? 0n;
    demand(one.nonce === next, "the claim nonce", one.nonce);
    this.nonces.set(payee, next + 1n);
  }
}

function note(pair, index, amount) {
  const held = pair.payouts.get(index);
  if (held) held.push(amount);
  else pair.payouts.set(index, [amount]);
}

function payeeOf(id) {
  return "0x" + id.slice(26);
}

/** Credited, paid, owed and residue of a published split in a token, over all its leaves. */
export function conservation(books, pair) {
  const known = books.splits.get(pair.split);
  let right = 0n;
  let owed = 0n;
  let leaves = 0n;
  for (const [page, words] of known.pages) {
    words.forEach((leaf, at) => {
      const { units } = readLeaf(leaf);
      if (!units) return;
      leaves += 1n;
      const mine = entitled(pair.credited, units, known.total);
      right += mine;
      owed += mine - entitled(books.checkpoint(pair, page * PAGE_SIZE + at).upTo, units, known.total);
    });
  }
  const residue = pair.credited - right;
  const holds = pair.credited === pair.paid + owed + residue && residue >= 0n && residue < leaves;
  return { credited: pair.credited, paid: pair.paid, owed, residue, holds };
}
