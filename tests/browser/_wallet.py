"""A wallet as browsers have it (EIP-1193, EIP-6963), backed by the test chain and its own accounts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

REJECTED = 4001

#: One provider for each name; the first is injected as well where that is wanted.
_SCRIPT = """
(() => {
  const made = (name) => ({
    request: async ({ method, params = [] }) => {
      const answer = JSON.parse(await window.__wallet(name, method, JSON.stringify(params)));
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    },
  });
  const { injected, announced } = SETTINGS;
  if (injected) window.ethereum = made(injected);
  const wallets = announced.map((name, at) => Object.freeze({
    info: Object.freeze({ uuid: "00000000-0000-4000-8000-00000000000" + at, name, icon: "data:,", rdns: "test" + at }),
    provider: made(name),
  }));
  const announce = () => wallets.forEach((detail) =>
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail })));
  window.addEventListener("eip6963:requestProvider", announce);
  window.__announce = (name) => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", {
    detail: { info: { uuid: "late", name, icon: "data:,", rdns: "late" }, provider: made(name) },
  }));
})();
"""


@dataclass
class Wallet:
    """`account` signs. `answers` are given instead of the node's, by method: an exception is an error with its code."""

    url: str
    account: str
    injected: str = "injected"
    announced: tuple[str, ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, list[Any]]] = field(default_factory=list)

    def into(self, seen: Any) -> None:
        """Puts it into a page that is not yet there."""
        settings = json.dumps({"injected": self.injected, "announced": list(self.announced)})
        seen.context.expose_function("__wallet", self._asked)
        seen.context.add_init_script(_SCRIPT.replace("SETTINGS", settings))

    def _asked(self, name: str, method: str, params: str) -> str:
        given = json.loads(params)
        self.calls.append((name, method, given))
        if method in self.answers:
            answer = self.answers[method]
            answer = answer(given) if callable(answer) else answer
            return json.dumps(
                answer if isinstance(answer, dict) and "error" in answer else {"result": answer}
            )
        if method in ("eth_requestAccounts", "eth_accounts"):
            return json.dumps({"result": [self.account]})
        return self.node(method, given)

    def node(self, method: str, params: list[Any]) -> str:
        """What the chain answers."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx.post(self.url, json=body, timeout=60).text

    def asked(self, method: str) -> list[list[Any]]:
        """The parameters of all requests of a method."""
        return [params for _, one, params in self.calls if one == method]


def refusal(message: str, code: int = REJECTED, **more: Any) -> dict[str, Any]:
    """An error of the wallet."""
    return {"error": {"message": message, "code": code, **more}}
