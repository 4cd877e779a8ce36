import assert from "node:assert/strict";
import { test } from "node:test";
import { Figures } from "../src/figures.js";
import { decimalsShown, shownBy, standing, stateOf } from "../src/marks.js";

const figure = (value, textContent, proof = "books/x/paid") => ({ value, textContent, dataset: { proof } });

test("a figure is verified only where value and what people read are what follows from the chain", () => {
  const figures = new Figures();
  figures.set("books/x/paid", 1_234_567n);
  const state = (...told) => stateOf(figure(...told), figures, 3);
  assert.equal(state("1234567", "1,234.567").state, "verified");
  assert.deepEqual(state("1234568", "1,234.568"), { state: "differs", proved: 1_234_567n });
  for (const text of [
    "9,234.567",
    "-1,234.567",
    "12,345.67",
    "1,234,567",
    "1,234.567k",
    "1 234.567",
    "1,234.567 \u00d7 2",
    "",
  ]) {
    assert.equal(state("1234567", text).state, "differs", text);
  }
  assert.equal(state("12.5", "12.5").state, "differs");
  assert.equal(state("1234567", "1,234.567", "books/y/paid").state, "uncovered");
  assert.equal(stateOf(figure("1234567", "1,234.567"), null).state, "stated");
});

test("text shows a value by its digits, its sign and the place of its point", () => {
  assert.deepEqual(shownBy("0.000001"), { units: 1n, decimals: 6 });
  assert.deepEqual(shownBy("\u22125.10"), { units: -510n, decimals: 2 });
  assert.deepEqual(shownBy(" 1,000 "), { units: 1000n, decimals: 0 });
  for (const text of ["", "5.", ".5", "1,00", "1000,000", "\u0669100", "1e3", "5 DEMO"])
    assert.equal(shownBy(text), null, text);
});

test("all amounts of a token are shown with one number of decimals", () => {
  const of = (...texts) =>
    decimalsShown(
      texts.map((one) => figure("1", one)),
      new Figures(),
    ).get("x");
  assert.equal(of("1.00", "5,000.25"), 2);
  assert.equal(of("1.00", "2.00", "5,000.250"), 2);
  assert.equal(of("1.00", "5,000.250"), null);
  assert.equal(of("?"), null);
  assert.equal(of("1.00", "?"), 2);
});

test("what was proved is told in words, with the full address", () => {
  const figures = new Figures(null, "0xann");
  for (const [name, amount] of [
    ["earned", 5n],
    ["paid", 3n],
    ["owed", 2n],
  ])
    figures.set(`holder/0xann/0xt/${name}`, amount);
  figures.set("holder/0xann/0xt/licence/1/earned", 5n);
  assert.deepEqual(figures.summary, [
    "Proved for the rights holder 0xann, token 0xt: earned 5, paid 3, owed 2 base units.",
  ]);
  assert.match(new Figures(null, "0xbob").summary[0], /nothing was credited/);
});

test("a section says how it stands", () => {
  assert.deepEqual(standing(["verified", "verified"], 7), ["verified", "Verified by this browser against block 7."]);
  assert.equal(standing(["verified", "differs"], 7)[0], "differs");
  assert.match(standing(["verified", "uncovered"], 7)[1], /1 figure not covered/);
  assert.equal(standing(["stated"], 7)[0], "stated");
});

test("parts of credits are worked out where they are asked for, within what was credited and for the holder alone", () => {
  const leaf = { payee: "0xann", units: 1n };
  const splits = {
    pairs: new Map([["s/t", { credited: 10n }]]),
    leaf: () => leaf,
    splits: new Map([["s", { total: 3n }]]),
  };
  const figures = new Figures({ splits }, "0xann");
  assert.equal(figures.get("part/s/t/0/1/10"), 3n);
  assert.ok(figures.has("part/s/t/0/0/2"));
  for (const key of [
    "part/s/t/0/5/4",
    "part/s/t/0/0/11",
    "part/s/u/0/0/1",
    "part/s/t/0/0/x",
    "part/s/t/0/0",
    "part/s/t/0/0/1/2",
  ]) {
    assert.equal(figures.get(key), undefined, key);
  }
  assert.equal(new Figures({ splits }, "0xbob").get("part/s/t/0/1/10"), undefined);
  assert.equal(new Figures().get("part/s/t/0/1/10"), undefined);
});
