// Claim buttons: a wallet found by EIP-6963 or EIP-1193, the call data read before they are signed, the receipt shown.
import { Malformed, bytesOf } from "./bytes.js";
import { checkedClaim } from "./claim.js";
import { codeHash } from "./code.js";
import { ADDRESSES, ERRORS } from "./generated.js";
import { hashHex } from "./keccak.js";

const DECLINED = 4001;
const PAUSE = 1_000;
const PAUSES = 180;

/** Looks for wallets and makes the page's claim buttons work once there is one. */
export function startClaims(root = document) {
  const buttons = [...root.querySelectorAll("button.claim")];
  if (!buttons.length) return;
  const wallets = new Map();
  const found = () => buttons.forEach((button) => ready(button, wallets));
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = event.detail ?? {};
    if (typeof provider?.request !== "function" || !info?.uuid) return;
    wallets.set(String(info.uuid), { name: String(info.name ?? "wallet"), provider });
    found();
  });
  const injected = () => {
    if (!wallets.size && typeof window.ethereum?.request === "function") {
      wallets.set("", { name: "wallet", provider: window.ethereum });
      found();
    }
  };
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  injected();
  window.addEventListener("ethereum#initialized", injected, { once: true });
}

/** Enables a button whose claim is what it says; else says why not. */
function ready(button, wallets) {
  if (button.dataset.wallets !== undefined) {
    choices(button, wallets);
    return;
  }
  try {
    checkButton(button);
  } catch (error) {
    tell(button, `Not offered to the wallet: ${error.message}`, "differs");
    return;
  }
  choices(button, wallets);
  button.disabled = false;
  tell(button, "The claim was read by this browser: it pays this page's rights holder alone.");
  button.addEventListener("click", () => claim(button, chosen(button, wallets)));
}

function checkButton(button) {
  const { to = "", calldata, holder = "", token } = button.dataset;
  if (to.toLowerCase() !== ADDRESSES.Splits)
    throw new Malformed(`it goes to ${to}, which is not our build's contract.`);
  checkedClaim(calldata, holder, token);
}

/** A choice of wallets before the button, where there are several. */
function choices(button, wallets) {
  button.dataset.wallets = String(wallets.size);
  if (wallets.size < 2) return;
  let select = button.previousElementSibling;
  if (!select?.matches("select.wallet")) {
    select = document.createElement("select");
    select.className = "wallet";
    select.setAttribute("aria-label", "Wallet");
    button.before(select);
  }
  const known = new Set([...select.options].map((one) => one.value));
  for (const [id, { name }] of wallets) if (!known.has(id)) select.add(new Option(name.slice(0, 60), id));
}

function chosen(button, wallets) {
  const select = button.previousElementSibling;
  const id = select?.matches("select.wallet") ? select.value : wallets.keys().next().value;
  return wallets.get(id).provider;
}

/** The line of text that belongs to a button. */
function tell(button, text, state = "stated") {
  const near = button.closest(".claiming") ?? button;
  let line = near.nextElementSibling;
  if (!line?.matches(".claim-status")) {
    line = document.createElement("p");
    line.className = "claim-status";
    line.setAttribute("role", "status");
    near.after(line);
  }
  line.textContent = text;
  line.dataset.state = state;
}

async function claim(button, provider) {
  button.disabled = true;
  try {
    checkButton(button);
    await send(button, (method, ...params) => provider.request({ method, params }));
  } catch (error) {
    tell(button, reasonOf(error), "differs");
    button.disabled = false;
  }
}

async function send(button, ask) {
  tell(button, "Waiting for the wallet…");
  const [from] = (await ask("eth_requestAccounts")) ?? [];
  if (!from) throw new Malformed("The wallet gave no account.");
  const chainId = button.dataset.chainId;
  const chain = BigInt(await ask("eth_chainId"));
  if (chain !== BigInt(chainId)) {
    throw new Malformed(
      `The wallet is on chain ${chain}; this claim is for chain ${chainId}. Change the chain in the wallet and try again.`,
    );
  }
  const code = await ask("eth_getCode", ADDRESSES.Splits, "latest");
  if (hashHex(bytesOf(String(code).toLowerCase())) !== codeHash("Splits", chain)) {
    throw new Malformed("The code at the contract's address is not that of our build, so nothing is sent there.");
  }
  const call = { from, to: ADDRESSES.Splits, data: button.dataset.calldata };
  await ask("eth_estimateGas", call); // a claim that would fail says why before anybody signs it
  const hash = await ask("eth_sendTransaction", call);
  tell(button, `Sent as ${hash}; waiting for its block…`);
  for (let round = 0; round < PAUSES; round++) {
    const receipt = await ask("eth_getTransactionReceipt", hash);
    if (receipt) {
      const block = BigInt(receipt.blockNumber);
      if (BigInt(receipt.status) !== 1n)
        throw new Malformed(`The transaction ${hash} failed in block ${block}: nothing was paid.`);
      tell(button, `Paid: transaction ${hash} in block ${block}. Reload the page to see it counted.`, "verified");
      return;
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
  tell(button, `Sent as ${hash}; it is in no block yet. The wallet shows what becomes of it.`);
}

/** Why a request failed, in plain words. */
export function reasonOf(error) {
  if (error instanceof Malformed) return error.message;
  if (error?.code === DECLINED || error?.cause?.code === DECLINED) return "Declined in the wallet; nothing was sent.";
  const data = [error?.data, error?.data?.data, error?.data?.originalError?.data].find(
    (one) => typeof one === "string",
  );
  const name = ERRORS[data?.slice(0, 10)];
  if (name === "Splits_NothingPaid") return "Nothing is owed any more: it was paid since this page was made.";
  if (name) return `The contract refuses the claim: ${name}. Nothing was sent.`;
  return `The wallet reports: ${String(error?.message ?? error).slice(0, 300)}`;
}
