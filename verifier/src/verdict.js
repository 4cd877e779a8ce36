// The verdict: steps that passed or failed, with what was expected and what was found, and what is wrong in plain words.
import { Malformed, join, word } from "./bytes.js";
import { Figures } from "./figures.js";
import { hashHex } from "./keccak.js";

/** What a verification came to. `ok` counts for nothing unless `anchored`. */
export class Verdict {
  constructor() {
    this.anchored = false;
    // Whether a node could not be asked, so that nothing was held against anything.
    this.unreachable = false;
    this.block = null;
    this.blockHash = null;
    this.time = null;
    this.chainId = null;
    this.scope = "";
    this.entries = 0;
    this.steps = [];
    this.findings = [];
    this.figures = new Figures();
  }

  /** Whether no step failed and nothing was found. */
  get ok() {
    return !this.findings.length && this.steps.every((one) => one.ok !== false) && this.steps.length > 0;
  }

  /** Appends a step; `ok` is null for one that states facts. */
  step(name, ok, checked, { expected = "", found = "", detail = "" } = {}) {
    this.steps.push({ name, ok, checked, expected, found, detail });
  }

  /** Appends a finding. */
  found(kind, where, what) {
    this.findings.push({ kind, where, what });
  }

  /** A step that could not be done, and its finding. Rethrows what is a fault of ours. */
  refused(name, where, error) {
    if (!(error instanceof Malformed)) throw error;
    this.step(name, false, 1, { detail: error.message });
    this.found(name, where, error.message);
  }
}

/** Words compared under one name; the hashes of all expected and of all proved ones. */
export class Tally {
  constructor() {
    this.expected = [];
    this.held = [];
    this.wrong = 0;
  }

  add(expected, held, good) {
    this.expected.push(word(expected));
    this.held.push(word(held));
    if (!good) this.wrong += 1;
  }

  /** Appends the step to a verdict. */
  into(verdict, name, detail = "") {
    const [expected, found] = [this.expected, this.held].map((words) => hashHex(join(...words)));
    verdict.step(name, this.wrong === 0, this.held.length, { expected, found, detail });
  }
}
