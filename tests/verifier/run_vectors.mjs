// What the built verifier makes of the vectors: node run_vectors.mjs VERIFIER.mjs VECTORS.jsonl, one result a line.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { parts } = await import(pathToFileURL(process.argv[2]));
const { bytesOf } = parts;
const text = (value) => value.toString();

const KINDS = {
  tree({ words, depth }) {
    const { root, total } = parts.rootOf(words, BigInt(depth));
    return { root, total: text(total), id: parts.splitId({ root, total, depth: BigInt(depth) }) };
  },

  leaf({ split, index, leaf, siblings }) {
    const held = { root: split.root, total: BigInt(split.total), depth: BigInt(split.depth) };
    try {
      return { id: parts.checkLeaf(held, BigInt(index), leaf, siblings) };
    } catch (error) {
      if (!error.refusal) throw error;
      return { error: error.refusal };
    }
  },

  entitled({ words, index, credits }) {
    const sum = (units, one) => units + parts.readLeaf(one).units;
    const total = words.reduce(sum, 0n);
    const { units } = parts.readLeaf(words[index]);
    const [first, second] = credits.map(BigInt);
    const [before, after] = [first, first + second].map((one) => parts.entitled(one, units, total));
    return { paid: text(before), owed: text(after - before) };
  },

  fold({ entries }) {
    const folds = new parts.Folds(["Splits"]);
    for (const one of entries) folds.add(entryOf(one));
    return { head: folds.head("Splits") };
  },

  terms({ terms }) {
    try {
      parts.decodeTerms(terms);
      return { good: true, which: null };
    } catch (error) {
      if (error.which === undefined) throw error;
      return { good: false, which: error.which };
    }
  },

  history({ licences, entries, now }) {
    const catalogues = new parts.CatalogueBooks({ isPublished: () => true });
    const books = {
      Splits: new parts.SplitBooks(),
      Catalogues: catalogues,
      Licences: new parts.LicenceBooks(licences, catalogues),
    };
    const folds = new parts.Folds(Object.keys(books));
    for (const one of entries.map(entryOf)) {
      folds.add(one);
      books[one.contract].apply(parts.told(one));
    }
    const heads = Object.fromEntries(Object.keys(books).map((name) => [name, folds.head(name)]));
    const credited = {};
    for (const pair of books.Splits.pairs.values()) {
      if (pair.credited) credited[`${pair.split}/${pair.token}`] = text(pair.credited);
    }
    const found = { heads, words: {}, dues: [], credited };
    const licence = books.Licences.all.get(1n);
    if (!licence) return found;
    for (const word of parts.licenceWords(licence)) found.words[word.slot] = text(word.expected);
    licence.periods.forEach((state, at) => {
      const period = BigInt(at);
      const span = books.Licences.spanOf(licence, period);
      const told = [span.start, span.end, span.reportBy, span.payBy, span.interestFrom, state.base, state.open];
      const owed = parts.owedOf(licence.terms, licence.sumA, licence.sumB);
      found.dues.push(
        [...told, books.Licences.interestAt(licence, period, BigInt(now)), owed, licence.setOff].map(text),
      );
    });
    return found;
  },
};

function entryOf([contract, block, time, topic0, id, data]) {
  bytesOf(data);
  return { contract, block, time, topic0, id, data };
}

const results = [];
for (const line of readFileSync(process.argv[3], "utf8").trimEnd().split("\n")) {
  const vector = JSON.parse(line);
  let result;
  try {
    result = KINDS[vector.kind](vector);
  } catch (error) {
    result = { failed: error.message, where: error.where ?? "" };
  }
  results.push(JSON.stringify(result));
}
process.stdout.write(results.join("\n") + "\n");
