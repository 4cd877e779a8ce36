import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed } from "../src/bytes.js";
import { checkedClaim, decodeClaim } from "../src/claim.js";
import { SELECTORS } from "../src/generated.js";
import { ANN, BOB, TOKEN, claimData, leafOf } from "./_samples.mjs";

test("a claim's leaves are read and proved", () => {
  const leaves = decodeClaim(claimData([leafOf(ANN), leafOf(BOB)]));
  assert.deepEqual(
    leaves.map(({ payee, units, token, index }) => [payee, units, token, index]),
    [
      [ANN, 1n, TOKEN, 0n],
      [BOB, 2n, TOKEN, 1n],
    ],
  );
  assert.equal(leaves[0].id, leaves[1].id);
});

test("a claim that pays anybody else is refused", () => {
  assert.equal(checkedClaim(claimData([leafOf(ANN)]), ANN, TOKEN).length, 1);
  assert.throws(() => checkedClaim(claimData([leafOf(BOB)]), ANN, TOKEN), /pays/);
  assert.throws(() => checkedClaim(claimData([leafOf(ANN), leafOf(BOB)]), ANN, TOKEN), /pays/);
  assert.throws(() => checkedClaim(claimData([leafOf(ANN, BOB)]), ANN, TOKEN), /another token/);
  assert.throws(() => checkedClaim(claimData([]), ANN, TOKEN), /empty/);
});

test("call data of another function, cut or changed, are refused", () => {
  const data = claimData([leafOf(ANN)]);
  const wrong = [
    "0x",
    "claim",
    claimData([leafOf(ANN)], SELECTORS.Splits.claimTo),
    data.slice(0, -64),
    data.replace("11".repeat(20), "12".repeat(20)),
    claimData([{ ...leafOf(ANN), total: 4n }]),
    claimData([{ ...leafOf(ANN), siblings: [] }]),
    data.slice(0, 10 + 64) + "f".repeat(64) + data.slice(10 + 128),
  ];
  for (const one of wrong) assert.throws(() => decodeClaim(one), Malformed, one.slice(0, 80));
});
