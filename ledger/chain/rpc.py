"""A thin JSON-RPC client: single and batch calls, time limits, repeated reads, errors in plain words."""

from __future__ import annotations

import ipaddress
import random
import ssl
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import orjson

from ledger.chain.answers import check_result, hex_bytes, hex_int, senseless
from ledger.domain.errors import ExitCode, IncompleteError, LedgerError, UnreachableError
from ledger.domain.reverts import decode_revert

if TYPE_CHECKING:
    from web3 import Web3

LOCAL_CHAIN = 31337
#: Requests in one body; public nodes refuse more. Bytes stay below anvil's limit of 2 MB.
BATCH_CALLS = 250
BATCH_BYTES = 1_200_000
#: A larger answer is dropped, as if the node had refused the call: readers then ask for less at a time.
ANSWER_BYTES = 64 * 1024 * 1024
#: How many time limits of a part the whole of an answer may take.
_WHOLE_ANSWER = 5
_TOO_LARGE = f"the answer is larger than {ANSWER_BYTES // 1024 // 1024} MB"

#: Methods that change something else with each call; all others may be sent twice.
_NOT_REPEATABLE = (
    "evm_",
    "anvil_",
    "hardhat_",
    "eth_sendTransaction",
    "personal_",
    "miner_",
    "debug_setHead",
)
_BUSY = frozenset({429, 502, 503, 504})
_LIMIT_CODES = frozenset({-32005, -32016, 429})

Call = tuple[str, Sequence[Any]]


class RpcError(LedgerError):
    """The node answered with an error. `data` is the return data of a reverted call."""

    def __init__(self, method: str, code: int, message: str, data: bytes = b"") -> None:
        self.method = method
        self.code = code
        self.message = message
        self.data = data
        super().__init__(
            f"The node refused {method}: {message}",
            why=f"JSON-RPC error {code}.",
            remedy="Try again later, or name another node: --rpc URL.",
            exit_code=ExitCode.UNREACHABLE,
        )

    @property
    def reverted(self) -> bool:
        """Whether a contract refused the call, rather than the node."""
        return self.code == 3 or bool(self.data) or "revert" in self.message.lower()

    def reason(self) -> LedgerError:
        """What a contract's refusal means, in a sentence; else this error itself."""
        return decode_revert(self.data) if self.reverted else self


def shown_url(url: str) -> str:
    """The URL without user, path and query, which often hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        httpx.URL(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        return False


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Rpc:
    """A connection to one node. Threads that use it at once wait for each other."""

    def __init__(self, url: str, *, timeout: float = 60.0, attempts: int = 6, wait: float = 0.1) -> None:
        """`timeout` in seconds for each request, `attempts` in all, `wait` seconds before the second, doubled
        since.
        """
        if not _is_usable(url):
            # What cannot be taken apart is not shown: it may hold a secret.
            raise LedgerError(
                "The RPC URL is not usable.",
                remedy="Give one such as https://host or http://host:port.",
            )
        self.url = url
        self.shown = shown_url(url)
        self._attempts = attempts
        self._timeout = timeout
        self._wait = wait
        # A proxy of the environment must not see what goes to our own machine.
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            trust_env=not is_loopback(url),
            # Plain HTTP needs no authorities, whose list takes 25 ms to read; this trusts none.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if urlsplit(url).scheme == "http" else True,
        )
        self._ids = 0
        self._one = threading.Lock()

    @classmethod
    def connect(cls, url: str, chain_id: int | None = None, **settings: Any) -> Rpc:
        """Opens a connection and checks the chain's id, where one is expected. Raises UnreachableError."""
        rpc = cls(url, **settings)
        try:
            found = rpc.chain_id
            if chain_id is not None and found != chain_id:
                raise UnreachableError(
                    f"The node is on chain {found}, but chain {chain_id} was asked for.",
                    rpc.shown,
                    "The URL belongs to another network.",
                    "Give the URL of a node of that chain, or the chain id of this one. Nothing was sent.",
                )
        except BaseException:
            rpc.close()
            raise
        return rpc

    def close(self) -> None:
        """Gives the connection back."""
        self._http.close()

    def __enter__(self) -> Rpc:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def chain_id(self) -> int:
        """The chain's EIP-155 id."""
        return hex_int(self.call("eth_chainId"))

    @cached_property
    def client(self) -> str:
        """What the node calls itself."""
        return str(self.call("web3_clientVersion"))

    @cached_property
    def is_local(self) -> bool:
        """Whether this is a test chain of anvil: published keys and clock changes are allowed here only."""
        return self.chain_id == LOCAL_CHAIN and self.client.lower().startswith("anvil/")

    @cached_property
    def genesis(self) -> bytes:
        """The hash of block 0, which tells chains of one id apart."""
        block = self.call("eth_getBlockByNumber", "0x0", False)
        return hex_bytes(block["hash"]) if block else bytes(32)

    def block(self, name: str = "latest") -> dict[str, Any]:
        """A block that must be there, without its transactions. Raises RpcError, UnreachableError."""
        held: dict[str, Any] | None = self.call("eth_getBlockByNumber", name, False)
        if held is None:
            raise senseless(f"It knows no block {name}.", self.shown)
        return held

    @cached_property
    def web3(self) -> Web3:
        """The same node as a Web3 object, for those who want one. It costs a second of import."""
        from web3 import Web3

        return Web3(Web3.HTTPProvider(self.url))

    def call(self, method: str, *params: Any) -> Any:
        """One call's result. Raises RpcError, UnreachableError."""
        result = self.batch([(method, params)])[0]
        if isinstance(result, RpcError):
            raise result
        return result

    def batch(self, calls: Sequence[Call], *, repeat: bool = True) -> list[Any]:
        """The results of many calls, in order; a call that the node refuses gives its RpcError in its place.

        Reads are repeated on dropped connections and on a busy node, unless `repeat` is False.
        Raises UnreachableError when the node is gone.
        """
        with self._one:
            return self._parts(calls, repeat)

    def _parts(self, calls: Sequence[Call], repeat: bool) -> list[Any]:
        results: list[Any] = []
        start = 0
        while start < len(calls):
            bodies: list[bytes] = []
            size = 0
            while start + len(bodies) < len(calls) and len(bodies) < BATCH_CALLS:
                method, params = calls[start + len(bodies)]
                body = orjson.dumps(
                    {
                        "jsonrpc": "2.0",
                        "id": self._ids + len(bodies),
                        "method": method,
                        "params": list(params),
                    }
                )
                if bodies and size + len(body) > BATCH_BYTES:
                    break
                bodies.append(body)
                size += len(body)
            part = calls[start : start + len(bodies)]
            results += self._exchange(part, bodies, repeat)
            start += len(bodies)
        return results

    def _exchange(self, calls: Sequence[Call], bodies: list[bytes], repeat: bool) -> list[Any]:
        first = self._ids
        self._ids += len(bodies)
        content = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        repeatable = repeat and not any(method.startswith(_NOT_REPEATABLE) for method, _ in calls)
        why = ""
        for attempt in range(self._attempts if repeatable else 1):
            if attempt:
                time.sleep(min(self._wait * 2 ** (attempt - 1), 10.0) * (1 + random.random() / 4))
            try:
                answer, told = self._post(content)
            except (httpx.TransportError, httpx.DecodingError) as error:
                why = str(error) or type(error).__name__
                continue
            if answer.status_code in _BUSY:
                why = f"HTTP status {answer.status_code}"
                self._respect(answer)
                continue
            if told is None:
                return [RpcError(method, -32000, _TOO_LARGE) for method, _ in calls]
            held = _parsed(told)
            if held is None and told[:1] in (b"{", b"[") and attempt + 1 < self._attempts and repeatable:
                why = "its answer was cut short"
                continue
            results = self._read(answer.status_code, held, calls, first)
            busy = [one for one in results if isinstance(one, RpcError) and one.code in _LIMIT_CODES]
            if busy and attempt + 1 < self._attempts and repeatable:
                why = busy[0].message
                continue
            return results
        raise UnreachableError(
            "The node does not answer.",
            self.shown,
            why,
            "Check that it runs (`licence-ledger chain status`) and the URL.",
        )

    def _post(self, content: bytes) -> tuple[httpx.Response, bytes | None]:
        """The answer and its content; None instead of one that is too large to hold."""
        headers = {"content-type": "application/json"}
        limit = time.monotonic() + _WHOLE_ANSWER * self._timeout
        with self._http.stream("POST", self.url, content=content, headers=headers) as answer:
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > ANSWER_BYTES:
                    return answer, None
                if time.monotonic() > limit:  # each part comes in time, and the whole never
                    raise httpx.ReadTimeout("the answer takes too long")
                parts.append(part)
        return answer, b"".join(parts)

    def _respect(self, answer: httpx.Response) -> None:
        """Waits as long as a busy node asks for, half a minute at most."""
        asked = answer.headers.get("retry-after", "")
        if asked.isdigit():
            time.sleep(min(int(asked), 30))

    def _read(self, status: int, held: Any, calls: Sequence[Call], first: int) -> list[Any]:
        if isinstance(held, dict):
            held = (
                [held]
                if len(calls) == 1 or "error" not in held
                else [{**held, "id": first + i} for i in range(len(calls))]
            )
        if not isinstance(held, list):
            raise UnreachableError(
                f"The answer is no JSON-RPC (HTTP status {status}).",
                self.shown,
                "Another kind of server listens there, or it refused the request.",
                "Check the URL.",
            )
        answers = [one for one in held if isinstance(one, dict)]
        by_id = {one["id"]: one for one in answers if type(one.get("id")) is int}
        if len(calls) == 1 and first not in by_id and answers:
            by_id[first] = answers[0]
        results: list[Any] = []
        for number, (method, _) in enumerate(calls, first):
            one = by_id.get(number)
            if one is None or ("result" not in one and "error" not in one):
                results.append(RpcError(method, -32005, "the node left the call out of its answer"))
            elif one.get("error") is not None:
                results.append(_error(method, one["error"]))
            else:
                check_result(method, one["result"], self.shown)
                results.append(one["result"])
        return results

    def eth_call(self, to: str, data: bytes, *, sender: str | None = None, block: str = "latest") -> bytes:
        """The result of a view. Raises the revert's own error, RpcError, UnreachableError."""
        try:
            return hex_bytes(self.call("eth_call", call_object(to, data, sender=sender), block))
        except RpcError as error:
            raise error.reason() from None

    def await_receipt(self, transaction: bytes, seconds: float = 120.0) -> dict[str, Any]:
        """The receipt of a transaction, once it is mined. Raises IncompleteError after so many seconds."""
        limit = time.monotonic() + seconds
        while (receipt := self.call("eth_getTransactionReceipt", "0x" + transaction.hex())) is None:
            if time.monotonic() > limit:
                raise IncompleteError("A transaction is not mined yet.", "0x" + transaction.hex())
            time.sleep(0.05)
        return dict(receipt)


def call_object(
    to: str | None, data: bytes, *, sender: str | None = None, value: int = 0, gas: int = 0
) -> dict[str, str]:
    """The transaction object of eth_call and its like."""
    held = {"data": "0x" + data.hex()}
    if to is not None:
        held["to"] = to
    if sender is not None:
        held["from"] = sender
    if value:
        held["value"] = hex(value)
    if gas:
        held["gas"] = hex(gas)
    return held


def _error(method: str, held: Any) -> RpcError:
    if not isinstance(held, dict):
        return RpcError(method, -32000, str(held))
    data = held.get("data")
    if isinstance(data, dict):  # some nodes wrap it
        data = data.get("data") or data.get("result")
    raw = b""
    if isinstance(data, str) and data.startswith("0x"):
        try:
            raw = bytes.fromhex(data[2:])
        except ValueError:
            raw = b""
    code = held.get("code")
    return RpcError(
        method, code if type(code) is int else -32000, str(held.get("message", "no reason given")), raw
    )


def _parsed(content: bytes) -> Any:
    """What JSON says; None where it is none."""
    try:
        return orjson.loads(content)
    except ValueError:
        return None


def no_code(address: str, where: str) -> LedgerError:
    """The error for an address that holds no contract."""
    return LedgerError(
        f"There is no contract at {address}.",
        where,
        "A view there would answer with nothing.",
        "Deploy first (`licence-ledger deploy`), or give the addresses of this chain.",
        ExitCode.USAGE,
    )
