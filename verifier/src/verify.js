// Verifies evidence against a block hash that the reader trusts: anchor, code, journals, books, storage.
import { Malformed, typedHash } from "./bytes.js";
import { FULL } from "./bundle.js";
import { codeHash } from "./code.js";
import { Figures, figuresOf } from "./figures.js";
import { ADDRESSES } from "./generated.js";
import { holderAlone, sameAsTold } from "./holder.js";
import { Folds, ZERO } from "./journal.js";
import { Replay } from "./replay.js";
import { conservation } from "./splits.js";
import { EMPTY_CODE } from "./trie.js";
import { Tally, Verdict } from "./verdict.js";
import { differs, leafWords, licenceWords, payeeWords, sumsWord } from "./words.js";

/** What `licence-ledger audit verify` proves of a full bundle, and this does not. */
const NOT_PROVED =
  "; word by word credits and licences, not covered: all other words of storage, and the balances of tokens";
const ENTRIES_AT_ONCE = 250;
const WORDS_AT_ONCE = 100;

/** Verifies evidence (see bundle.js, rpc.js). `anchor` as it was typed; empty: nothing vouches for the block. */
export async function verifyEvidence(evidence, anchor, { pause = async () => {}, holder } = {}) {
  const audit = new Audit(evidence, pause, holder ?? evidence.holder);
  await audit.run(anchor);
  if (!audit.verdict.ok) audit.verdict.figures = new Figures();
  return audit.verdict;
}

class Audit {
  constructor(evidence, pause, holder) {
    this.evidence = evidence;
    this.pause = pause;
    this.holder = holder?.toLowerCase() ?? null;
    this.verdict = new Verdict();
    this.roots = new Map();
    this.tallies = new Map();
  }

  async run(anchor) {
    const { evidence, verdict } = this;
    verdict.chainId = evidence.chainId;
    if (!this.anchor(anchor) || !this.addresses()) return;
    const names = evidence.entries ? Object.keys(ADDRESSES) : ["Splits", "Licences"];
    if (!(await this.code(names))) return;
    if (!evidence.entries) {
      await holderAlone(this);
      this.nodes();
      return;
    }
    verdict.entries = evidence.entries.length;
    const isWhole = await this.heads();
    // Entries that do not fold to the heads are replayed all the same: it may show which of them is at fault.
    const replay = await this.replay();
    if (!isWhole || !replay) return;
    this.sums(replay);
    await this.storage(replay);
    if (evidence.leaves) sameAsTold(this, replay);
    this.nodes();
    if (verdict.ok) verdict.figures = figuresOf(replay, this.holder, BigInt(verdict.time));
    verdict.scope = "all entries, and what follows from them";
    if (evidence.kind === FULL) verdict.scope += NOT_PROVED;
  }

  /** A bundle has no node that proves nothing; of a full one, which proves more words than these, none that hangs nowhere. */
  nodes() {
    const { kind, nodes, header } = this.evidence;
    if (kind === "node" || !this.verdict.ok) return;
    try {
      const left = kind === FULL ? nodes.astray(header.stateRoot) : nodes.unused;
      if (left) this.verdict.found("nodes", "the file", `${left} nodes of it prove nothing that it is about`);
    } catch (error) {
      this.verdict.refused("nodes", "the file", error);
    }
  }

  anchor(typed) {
    const { header } = this.evidence;
    const { verdict } = this;
    Object.assign(verdict, { block: header.number, blockHash: header.hash, time: header.timestamp });
    if (!typed) {
      verdict.step("anchor", null, 1, {
        found: header.hash,
        detail: "no anchor was given, so nothing vouches for the block",
      });
      this.ownAnchor();
      return true;
    }
    const expected = typedHash(typed);
    const detail = `block ${header.number} (${header.fork}), its header hashed`;
    const ok = expected === header.hash;
    verdict.step("anchor", ok, 1, { expected: expected ?? String(typed), found: header.hash, detail });
    verdict.anchored = ok;
    if (ok) this.ownAnchor();
    if (!ok) {
      const what = expected
        ? `the header hashes to ${header.hash}: this is another block, or a forged one`
        : "this is no block hash: it has 64 hexadecimal digits";
      verdict.found("anchor", `block ${header.number}`, what);
    }
    return ok;
  }

  /** A file's own anchor proves nothing, but it may not name another block than its header is. */
  ownAnchor() {
    const { anchor, header } = this.evidence;
    if (anchor === undefined || anchor === header.hash) return;
    this.verdict.found("anchor", `block ${header.number}`, `the first line of the file names another block, ${anchor}`);
  }

  /** The addresses in the file have to be those of our build. */
  addresses() {
    const wrong = Object.entries(this.evidence.contracts ?? {}).filter(([name, one]) => ADDRESSES[name] !== one);
    for (const [name, one] of wrong) {
      this.verdict.found("contracts", `${name} at ${one}`, `our build is at ${ADDRESSES[name] ?? "no address"}`);
    }
    if (wrong.length) this.verdict.step("contracts", false, wrong.length, { detail: "the addresses of another build" });
    return !wrong.length;
  }

  async account(name) {
    let found = this.roots.get(name);
    if (!found) {
      await this.evidence.prove(ADDRESSES[name], [ZERO]);
      found = this.evidence.nodes.account(this.evidence.header.stateRoot, ADDRESSES[name]);
      this.roots.set(name, found);
    }
    return found;
  }

  async word(contract, where) {
    return this.evidence.nodes.word((await this.account(contract)).storageRoot, where);
  }

  async code(names) {
    const before = this.verdict.findings.length;
    for (const name of names) {
      const step = `code of ${name}`;
      const where = `${name} at ${ADDRESSES[name]}`;
      try {
        const [expected, found] = [codeHash(name, this.evidence.chainId), (await this.account(name)).codeHash];
        this.verdict.step(step, expected === found, 1, { expected, found });
        if (expected !== found) {
          const there = found === EMPTY_CODE ? "there is no code" : `the code hashes to ${found}`;
          this.verdict.found("code", where, `${there}, our build to ${expected} on chain ${this.evidence.chainId}`);
        }
      } catch (error) {
        this.verdict.refused(step, where, error);
      }
    }
    return this.verdict.findings.length === before;
  }

  async heads() {
    const { evidence, verdict } = this;
    const folds = new Folds(Object.keys(ADDRESSES));
    try {
      for (const [at, entry] of evidence.entries.entries()) {
        if (at % ENTRIES_AT_ONCE === 0) await this.pause();
        folds.add(entry);
      }
    } catch (error) {
      verdict.refused("journals", "the entries", error);
      return false;
    }
    const before = verdict.findings.length;
    for (const name of Object.keys(ADDRESSES)) {
      const where = `${name} at ${ADDRESSES[name]}`;
      try {
        const expected = "0x" + (await this.word(name, ZERO)).toString(16).padStart(64, "0");
        const found = folds.head(name);
        const checked = folds.counts.get(name);
        verdict.step(`journal of ${name}`, expected === found, checked, { expected, found });
        if (expected !== found) {
          const what = `its head is ${expected}, its ${checked} entries fold to ${found}`;
          verdict.found("journal", where, `${what}: an entry is missing, invented, changed or out of order`);
        }
      } catch (error) {
        verdict.refused(`journal of ${name}`, where, error);
      }
    }
    return verdict.findings.length === before;
  }

  async replay() {
    const replay = new Replay(this.holder);
    try {
      for (const [at, entry] of this.evidence.entries.entries()) {
        if (at % ENTRIES_AT_ONCE === 0) await this.pause();
        replay.feed(entry);
      }
      replay.finish();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const { what, where } = error;
      this.verdict.step("replay", false, this.evidence.entries.length, { detail: what });
      this.verdict.found("replay", where, what);
      return null;
    }
    const detail = "every payout and every royalty line is what its figures give";
    this.verdict.step("replay", true, this.evidence.entries.length, { detail });
    return replay;
  }

  /** credited = paid + owed + residue of every split and token. */
  sums(replay) {
    const before = this.verdict.findings.length;
    let checked = 0;
    for (const pair of replay.splits.pairs.values()) {
      if (!pair.credits.length || !replay.splits.isPublished(pair.split)) continue;
      checked += 1;
      const { credited, paid, owed, residue, holds } = conservation(replay.splits, pair);
      if (holds) continue;
      const what = `credited ${credited} is not paid ${paid} + owed ${owed} + residue ${residue}`;
      this.verdict.found("conservation", `split ${pair.split}, token ${pair.token}`, what);
    }
    const detail = "credited = paid + owed + residue";
    this.verdict.step("conservation", this.verdict.findings.length === before, checked, { detail });
  }

  /** The words that a page's figures rest on, proved and compared with the books. */
  async storage(replay) {
    const words = [...this.wanted(replay)];
    for (const contract of ["Splits", "Licences"]) {
      const slots = words.filter((one) => one.contract === contract).map((one) => one.slot);
      await this.evidence.prove(ADDRESSES[contract], slots);
    }
    for (const [at, one] of words.entries()) {
      if (at % WORDS_AT_ONCE === 0) await this.pause();
      await this.compare(one);
    }
    for (const [name, tally] of this.tallies) tally.into(this.verdict, name);
  }

  *wanted(replay) {
    const { licence, kind } = this.evidence;
    if (licence !== null && licence !== undefined) {
      const held = replay.licences.all.get(BigInt(licence));
      if (held) yield* licenceWords(held);
      return;
    }
    for (const pair of replay.splits.pairs.values()) if (pair.credits.length) yield sumsWord(replay.splits, pair);
    if (this.holder && kind !== "full") {
      yield* payeeWords(replay.splits, this.holder);
      for (const { split, index } of replay.leavesOf(this.holder)) {
        for (const pair of replay.pairsOf(split)) yield* leafWords(replay.splits, pair, index);
      }
    }
    const told = this.evidence.terms;
    const numbers = told ? told.map((one) => BigInt(one.licence)) : [...replay.licences.all.keys()];
    for (const number of numbers) {
      const held = replay.licences.all.get(number);
      // A page that is nobody's has no proofs of periods: their figures follow from the entries.
      if (held) yield* licenceWords(held, kind !== "page" || this.holder !== null);
    }
  }

  async compare(one) {
    const tally = this.tallies.get(one.check) ?? new Tally();
    this.tallies.set(one.check, tally);
    try {
      const held = await this.word(one.contract, one.slot);
      const flaw = differs(one, held);
      tally.add(one.expected, held, !flaw);
      if (flaw) this.verdict.found(one.check, one.where, flaw);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      tally.add(one.expected, 0n, false);
      this.verdict.found("proof", one.where, error.message);
    }
  }
}
