"""Checks code and journals: every entry that the node serves folds to the heads that the contracts hold.

brownie run scripts/audit.py             python scripts/audit.py --rpc URL --from NAME
"""

from ledger.chain.brownie_adapter import connected, run
from ledger.chain.contracts import Ledger
from ledger.domain.errors import AuditFailed
from ledger.domain.journal import fold_all


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        ledger = Ledger(here.rpc)
        print("PASS code: the packaged contracts stand at their addresses")
        head = ledger.reader.head()
        heads = ledger.reader.journal_heads(ledger.journal_addresses, block=hex(head))
        failed = []
        for name, logs in ledger.reader.journals(ledger.journal_addresses, last=head).items():
            folded = fold_all(log.raw() for log in logs)
            good = folded == heads[name]
            print(f"{'PASS' if good else 'FAIL'} {name}: {len(logs):,} entries fold to 0x{folded.hex()}")
            if not good:
                failed.append(f"{name} holds 0x{heads[name].hex()}")
        if failed:
            raise AuditFailed("; ".join(failed), remedy="Ask another node for the missing entries.")
        print(f"Without an anchor: internally consistent up to block {head}, as this node tells it.")


if __name__ == "__main__":
    run(main)
