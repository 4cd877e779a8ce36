"""Every noun of the command line, in the order of a licence's life. Imports nothing: `--help` reads it."""

from __future__ import annotations

#: noun: module, verbs (empty: the noun is the command), what it is for.
NOUNS: dict[str, tuple[str, str, str]] = {
    "demo": ("ledger.cli.demo", "", "the whole story on a local chain, in about a minute"),
    "chain": ("ledger.cli.chain", "start status advance stop", "a local test chain in the home folder"),
    "key": ("ledger.cli.key", "new import list", "encrypted accounts"),
    "token": ("ledger.cli.token", "mint approve", "test money (test chains only), allowances"),
    "deploy": ("ledger.cli.deploy", "", "the ledger's contracts, at the same addresses on every chain"),
    "catalogue": (
        "ledger.cli.catalogue",
        "create show announce publish hand-over take-over prove",
        "works, rights holders, and how money is split",
    ),
    "licence": (
        "ledger.cli.licence",
        "offer accept withdraw show list export diff terminate expire",
        "what is granted, to whom, for what",
    ),
    "report": (
        "ledger.cli.report",
        "submit import due pay restate book-missing list dispute settle",
        "revenue, what is due, payments, disputes",
    ),
    "usage": ("ledger.cli.usage", "check import export", "files of who used which work how often"),
    "distribution": (
        "ledger.cli.distribution",
        "build publish post show prove object settle",
        "which payees a usage-weighted period's money goes to",
    ),
    "attribution": (
        "ledger.cli.attribution",
        "record prove list check",
        "what was trained on, and which works an output credits",
    ),
    "payout": ("ledger.cli.payout", "preview run claim standing place void", "money to the rights holders"),
    "balance": ("ledger.cli.balance", "", "what an address holds and is owed"),
    "explain": ("ledger.cli.explain", "", "why a payee got what it got, from gross revenue to the transfer"),
    "statement": (
        "ledger.cli.statement",
        "render",
        "what a rights holder earned, was paid and is owed, as files",
    ),
    "agenda": ("ledger.cli.agenda", "", "what is due to or from whom, and which window closes when"),
    "verify": ("ledger.cli.verify", "", "replays the whole history and compares every figure with the chain"),
    "audit": (
        "ledger.cli.audit",
        "run watch verify",
        "proves the whole history from a block hash that you trust",
    ),
    "serve": ("ledger.cli.serve", "", "the rights holder's page and the store of files, on this machine"),
    "site": ("ledger.cli.site", "build", "the same pages as files, for any host and from a disk"),
    "doctor": ("ledger.cli.doctor", "", "what is installed, what is missing, how to mend it"),
}

#: Options of every command, wherever they stand: name, value (empty: a flag), what it does.
OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("--home", "DIR", "home folder: chain, keys, files (LICENCE_LEDGER_HOME)"),
    ("--rpc", "URL", "the node; default: the home folder's local chain (LICENCE_LEDGER_RPC)"),
    ("--chain-id", "N", "refuse a node of any other chain (LICENCE_LEDGER_CHAIN_ID)"),
    ("--files", "DIR|URL", "store of terms, manifests and reports (LICENCE_LEDGER_FILES)"),
    (
        "--from",
        "NAME",
        "account that sends: a key's name, or dev:0 to dev:9 on a test chain (LICENCE_LEDGER_FROM)",
    ),
    ("--password-file", "FILE", "password of the account's key (LICENCE_LEDGER_PASSWORD_FILE)"),
    ("--yes", "", "send, off the local chain too, where commands only show what they would do"),
    ("--json", "", "data and errors as JSON on stdout"),
    ("--debug", "", "show the traceback of an error"),
)

#: Commands that send nothing, and give the name of such an option a meaning of their own.
OWN_OPTIONS = frozenset({("audit run", "--from")})


def option_lines() -> list[str]:
    """The options of every command, a line each."""
    return [f"  {f'{name} {value}'.strip():<22}{text}" for name, value, text in OPTIONS]


def overview() -> str:
    """The help of the whole command line."""
    lines = [
        "Usage: licence-ledger NOUN [VERB] [options]",
        "",
        "Licences of creative catalogues to AI developers, on chain: terms that nobody changes silently,",
        "revenue reports, payouts to every rights holder, and books that anybody can check to the last unit.",
        "",
        "Commands:",
    ]
    for noun, (_, verbs, text) in NOUNS.items():
        lines.append(f"  {noun:<13}{text}")
        if verbs:
            lines.append(f"  {'':<13}{' · '.join(verbs.split())}")
    lines += ["", "Options of every command:", *option_lines(), "  --version, --help", ""]
    lines += ["Begin with: licence-ledger demo", "Help: licence-ledger NOUN [VERB] --help", ""]
    return "\n".join(lines)


def epilog() -> str:
    """What stands below the help of each noun."""
    names = ", ".join(name for name, _, _ in OPTIONS)
    return f"Options of every command (see licence-ledger --help): {names}."
