"""Deploys the ledger, on a local chain with the test dollar: the packaged code, the same addresses anywhere.

brownie run scripts/deploy.py            python scripts/deploy.py --rpc URL --from NAME [--yes]
"""

from ledger.chain.brownie_adapter import connected, run
from ledger.chain.deploy import check_code, deploy, plan
from ledger.chain.deployments import Deployments
from ledger.domain.address import checksum_address


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        tokens = ["TestDollar"] if here.rpc.is_local else []
        before = check_code(here.rpc, plan(tokens))
        for name, one in plan(tokens).items():
            print(f"{name:<14} {checksum_address(one.address)} {'is there' if before[name] else 'is new'}")
        if not here.may_send:
            print("Dry run: nothing was sent. Add --yes to deploy.")
            return
        planned, outcomes = deploy(here.sender, tokens)
        Deployments(here.rpc, here.home).record(planned, outcomes)
        print(f"{len(outcomes)} transactions, {sum(one.gas_used for one in outcomes):,} gas")


if __name__ == "__main__":
    run(main)
