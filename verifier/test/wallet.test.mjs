import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ADDRESSES, CODE, ERRORS } from "../src/generated.js";
import { codeHash } from "../src/code.js";
import { bytesOf, hexOf, word } from "../src/bytes.js";
import { hashHex } from "../src/keccak.js";
import { reasonOf, startClaims } from "../src/wallet.js";
import { ANN, BOB, TOKEN, claimData, leafOf } from "./_samples.mjs";

const CHAIN = 31_337n;
const HASH = "0x" + "77".repeat(32);

/** The deployed code of Splits on a chain, as the build fills it in. */
function codeOn(chain) {
  const held = CODE.Splits;
  const code = Uint8Array.from(atob(held.runtime), (one) => one.charCodeAt(0));
  for (const at of held.chainId) code.set(word(chain), at);
  const domain = ["EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)", "Splits", "1"];
  const hashes = domain.map((one) => hashHex(new TextEncoder().encode(one)).slice(2)).join("");
  const rest = hexOf(word(chain)).slice(2) + ADDRESSES.Splits.slice(2).padStart(64, "0");
  for (const at of held.separator) code.set(bytesOf(hashHex(bytesOf("0x" + hashes + rest))), at);
  return hexOf(code);
}

class Element extends EventTarget {
  dataset = {};
  disabled = true;
  nextElementSibling = null;
  previousElementSibling = null;
  closest = () => null;
  matches = (selector) => selector === `${this.tag ?? ""}.${this.className ?? ""}` || selector === `.${this.className}`;
  setAttribute() {}
  after(one) {
    this.nextElementSibling = one;
  }
  click() {
    this.dispatchEvent(new Event("click"));
  }
}

let button;

beforeEach(() => {
  globalThis.window = new EventTarget();
  globalThis.document = { createElement: () => new Element() };
  button = new Element();
  Object.assign(button.dataset, {
    chainId: "31337",
    to: ADDRESSES.Splits,
    calldata: claimData([leafOf(ANN)]),
    holder: ANN,
    token: TOKEN,
  });
});

/** A wallet that answers by method; an answer may be a function, or an error to be thrown. */
function wallet(answers = {}) {
  const asked = [];
  const all = {
    eth_requestAccounts: [BOB],
    eth_chainId: "0x7a69",
    eth_getCode: codeOn(CHAIN),
    eth_estimateGas: "0x5208",
    eth_sendTransaction: HASH,
    eth_getTransactionReceipt: { status: "0x1", blockNumber: "0x10" },
    ...answers,
  };
  const request = async ({ method, params }) => {
    asked.push([method, params]);
    if (all[method] instanceof Error || all[method]?.code) throw all[method];
    return all[method];
  };
  return { request, asked };
}

function announce(provider, uuid = "1") {
  window.addEventListener("eip6963:requestProvider", () => {
    const event = new Event("eip6963:announceProvider");
    event.detail = { info: { uuid, name: "Test" }, provider };
    window.dispatchEvent(event);
  });
}

async function clicked(provider) {
  announce(provider);
  startClaims({ querySelectorAll: () => [button] });
  button.click();
  for (let at = 0; at < 50; at++) await new Promise((done) => setImmediate(done));
  return button.nextElementSibling.textContent;
}

test("the sample code is that of the build", () => {
  assert.equal(hashHex(bytesOf(codeOn(CHAIN))), codeHash("Splits", CHAIN));
});

test("a claim is sent as it stands on the page, and its receipt is shown", async () => {
  const one = wallet();
  assert.match(await clicked(one), /^Paid: transaction 0x77.* in block 16/);
  const sent = one.asked.find(([method]) => method === "eth_sendTransaction")[1];
  assert.deepEqual(sent, [{ from: BOB, to: ADDRESSES.Splits, data: button.dataset.calldata }]);
});

test("without a wallet the button stays off; window.ethereum will do", () => {
  startClaims({ querySelectorAll: () => [button] });
  assert.ok(button.disabled);
  window.ethereum = wallet();
  window.dispatchEvent(new Event("ethereum#initialized"));
  assert.ok(!button.disabled);
});

for (const [name, change, told] of [
  ["a claim for another payee", { calldata: claimData([leafOf(BOB)]) }, /pays 0x2222/],
  ["a claim to another contract", { to: BOB }, /not our build's contract/],
  ["call data that are no claim", { calldata: "0xdeadbeef" }, /no claim/],
]) {
  test(`${name} is not even offered`, async () => {
    Object.assign(button.dataset, change);
    const one = wallet();
    assert.match(await clicked(one), told);
    assert.ok(button.disabled);
    assert.deepEqual(one.asked, []);
  });
}

test("call data that change after the page was read are refused at the click", async () => {
  const one = wallet();
  announce(one);
  startClaims({ querySelectorAll: () => [button] });
  button.dataset.calldata = claimData([leafOf(BOB)]);
  button.click();
  await new Promise((done) => setImmediate(done));
  assert.match(button.nextElementSibling.textContent, /pays 0x2222/);
  assert.deepEqual(one.asked, []);
});

for (const [name, answers, told] of [
  ["another chain", { eth_chainId: "0x1" }, /on chain 1; this claim is for chain 31337/],
  ["other code", { eth_getCode: "0x6001" }, /not that of our build/],
  ["no account", { eth_requestAccounts: [] }, /no account/],
  ["a refusal to connect", { eth_requestAccounts: { code: 4001 } }, /Declined in the wallet; nothing was sent/],
  ["a refusal to sign", { eth_sendTransaction: { code: 4001 } }, /Declined in the wallet; nothing was sent/],
  [
    "a call that would revert",
    { eth_estimateGas: { code: 3, data: selectorOf("Splits_NothingPaid") + "00".repeat(32) } },
    /Nothing is owed any more/,
  ],
  [
    "a failed transaction",
    { eth_getTransactionReceipt: { status: "0x0", blockNumber: "0x10" } },
    /failed in block 16: nothing was paid/,
  ],
  ["any other error", { eth_chainId: new Error("out of order") }, /out of order/],
]) {
  test(`${name} is told in plain words, and the button works again`, async () => {
    assert.match(await clicked(wallet(answers)), told);
    assert.ok(!button.disabled);
  });
}

function selectorOf(name) {
  return Object.keys(ERRORS).find((one) => ERRORS[one] === name);
}

test("other refusals of the contract are named", () => {
  assert.match(reasonOf({ code: 3, data: { data: selectorOf("Splits_TransferFailed") } }), /Splits_TransferFailed/);
});
