// The dated lists of splits of catalogues, as far as licences read them (contracts/Catalogues.sol).
import { Malformed } from "./bytes.js";

/** The lists: which split was in force when. */
export class CatalogueBooks {
  /** `splits`: what knows which are published. */
  constructor(splits) {
    this.splits = splits;
    this.lists = new Map(); // catalogue → [{effective, split}]
  }

  /** Applies what an entry tells; entries that move no list change nothing here. */
  apply(one) {
    if (one.name !== "SplitAnnounced") return;
    if (!this.splits.isPublished(one.splitId)) throw new Malformed("a split is announced that is not published");
    const number = BigInt(one.catalogue);
    const list = this.lists.get(number) ?? [];
    const place = Number(one.position);
    // A pending announcement is overwritten; nothing else may change.
    const overwrites = place === list.length - 1 && list[place].effective > BigInt(one.time);
    if (place !== list.length && !overwrites) {
      throw new Malformed("the position of an announced split is not what the books give", `the entry says ${place}`);
    }
    list[place] = { effective: one.effective, split: one.splitId };
    this.lists.set(number, list);
  }

  /** The split in force at a time; undefined where there is none. */
  splitAt(catalogue, time) {
    return this.lists.get(catalogue)?.findLast((one) => one.effective <= time)?.split;
  }
}
