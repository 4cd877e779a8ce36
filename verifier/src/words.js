// What should stand in the contracts' storage by the books: each word is proved and compared.
import { wordHex } from "./bytes.js";
import { slotOf } from "./keccak.js";
import { SLOTS } from "./generated.js";
import { PAGE_SIZE } from "./merkle_sum.js";
import { INTEREST_UNIT } from "./royalty.js";
import { OWN_SLOT } from "./splits.js";

const HIGH = 128n;

/** The slot of a variable of Splits or Licences. */
export function slot(contract, label, ...keys) {
  return slotOf(SLOTS[contract][label], ...keys);
}

/** The words of the credits of a split in a token. */
export function sumsWord(books, pair) {
  const mark = pair.ownSlot ? OWN_SLOT : books.page(pair, 0).upTo;
  return {
    check: "credits",
    where: `split ${pair.split}, token ${pair.token}`,
    contract: "Splits",
    slot: slot("Splits", "_sums", pair.split, pair.token),
    expected: (mark << HIGH) | pair.credited,
    fields: [
      ["credited", 0n, 128n],
      ["first page paid up to", 128n, 128n],
    ],
  };
}

/** The words of a leaf: its page's and its own. */
export function leafWords(books, pair, index) {
  const page = Math.floor(index / PAGE_SIZE);
  const state = books.page(pair, page);
  const own = pair.own.get(index);
  const where = `split ${pair.split}, token ${pair.token}, leaf ${index}`;
  return [
    {
      check: "page and leaf slots",
      where,
      contract: "Splits",
      slot: slot("Splits", "_pages", pair.split, pair.token, page),
      expected: page || pair.ownSlot ? (state.upTo << HIGH) | state.exceptions : 0n,
      fields: [
        ["exceptions", 0n, 128n],
        ["page paid up to", 128n, 128n],
      ],
    },
    {
      check: "page and leaf slots",
      where,
      contract: "Splits",
      slot: slot("Splits", "_leaves", pair.split, pair.token, index),
      expected: own ? (own.kind << HIGH) | own.upTo : 0n,
      fields: [
        ["checkpoint", 0n, 128n],
        ["kind", 128n, 128n],
      ],
    },
  ];
}

/** The words of a payee. */
export function payeeWords(books, payee) {
  const one = (label, expected) => ({
    check: "payee",
    where: `payee ${payee}`,
    contract: "Splits",
    slot: slot("Splits", label, payee),
    expected,
    fields: [[label.slice(1), 0n, 256n]],
  });
  return [one("_standing", BigInt(books.standing.get(payee) ?? 0)), one("_claimNonces", books.nonces.get(payee) ?? 0n)];
}

/** The words of a licence (contracts/libraries/LicenceState.sol), and of its periods if they are wanted. */
export function* licenceWords(licence, withPeriods = true) {
  const { number, periods } = licence;
  const where = `licence ${number}`;
  const one = (label, expected, fields, ...keys) => ({
    check: "licences",
    where: keys.length ? `${where}, period ${keys[0]}` : where,
    contract: "Licences",
    slot: slot("Licences", label, number, ...keys),
    expected,
    fields,
  });
  yield one("_termsHashes", BigInt(licence.termsHash), [["terms hash", 0n, 256n]]);
  yield one("_licences", firstWord(licence), FIRST);
  yield one("_secondWords", licence.sumB | (licence.setOff << HIGH), [
    ["sum B", 0n, 128n],
    ["set-off", 128n, 128n],
  ]);
  if (!withPeriods) return;
  for (const [at, state] of periods.entries()) {
    const delay = state.bookedAt - licence.acceptedAt;
    const word = state.base | (state.open << 104n) | (state.version << 208n) | (delay << 224n);
    yield one("_periods", word, PERIOD, at);
    yield one("_interest", state.numerator | (state.upTo << 208n), INTEREST, at);
  }
  // One period past the last, so that one booked without an entry is seen.
  yield one("_periods", 0n, PERIOD, periods.length);
  yield one("_interest", 0n, INTEREST, periods.length);
}

const FIRST = [
  ["status", 0n, 8n],
  ["transferable", 8n, 8n],
  ["in cure", 16n, 8n],
  ["has set-off", 24n, 8n],
  ["next period", 32n, 16n],
  ["open periods", 48n, 16n],
  ["open disputes", 64n, 16n],
  ["accepted at", 80n, 40n],
  ["sum A", 120n, 128n],
];
const PERIOD = [
  ["base", 0n, 104n],
  ["open", 104n, 104n],
  ["version", 208n, 16n],
  ["booking time", 224n, 32n],
];
const INTEREST = [
  ["interest numerator", 0n, 208n],
  ["interest up to", 208n, 48n],
];

function firstWord(licence) {
  const bit = (flag) => (flag ? 1n : 0n);
  const open = licence.periods.filter((one) => one.open || one.numerator >= INTEREST_UNIT).length;
  return (
    licence.status |
    (bit(licence.terms.transferable) << 8n) |
    (bit(licence.inCure) << 16n) |
    (bit(licence.setOff) << 24n) |
    (BigInt(licence.periods.length) << 32n) |
    (BigInt(open) << 48n) |
    (BigInt(licence.disputes.size) << 64n) |
    (licence.acceptedAt << 80n) |
    (licence.sumA << 120n)
  );
}

/** How a word that was proved differs from what is expected, field by field; empty where it does not. */
export function differs(word, held) {
  if (held === word.expected) return "";
  const of = (value, [, shift, bits]) => (value >> shift) & ((1n << bits) - 1n);
  const told = word.fields
    .filter((field) => of(held, field) !== of(word.expected, field))
    .map((field) => `${field[0]} is ${of(held, field)} on the chain and ${of(word.expected, field)} by the entries`);
  return told.join("; ") || `the word is ${wordHex(held)} and by the entries ${wordHex(word.expected)}`;
}
