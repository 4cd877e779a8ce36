"""Replays every entry that the node serves through the model, and compares every figure with the chain.

brownie run scripts/audit.py             python scripts/audit.py --rpc URL --from NAME
"""

from ledger.chain.brownie_adapter import connected, run
from ledger.domain.errors import AuditFailed
from ledger.operations.session import Session, Settings
from ledger.operations.verify import verify


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        verdict = verify(Session(Settings(home=here.home), rpc=here.rpc))
        for head in verdict.heads:
            told = f"{head.entries:,} entries fold to 0x{head.folded.hex()}"
            print(f"{'PASS' if head.passed else 'FAIL'} journal of {head.contract}: {told}")
        for check in verdict.checks:
            print(f"{'PASS' if check.passed else 'FAIL'} {check.name}: {check.compared:,} figures")
        for one in verdict.findings:
            print(f"FINDING {one.where}: {one.what}")
        print(f"Up to block {verdict.block}: {verdict.words}")
        if not verdict.passed:
            raise AuditFailed("The books do not agree.", remedy="Ask another node, then its operator.")


if __name__ == "__main__":
    run(main)
