"""Pays every payee of a split who is owed something in a token. Anyone may run it.

brownie run scripts/pay_out.py main SPLIT TOKEN
python scripts/pay_out.py --rpc URL --from NAME [--yes] SPLIT TOKEN
"""

from ledger.chain.brownie_adapter import connected, run
from ledger.domain.address import parse_address, parse_word
from ledger.domain.merkle_sum import read_leaf
from ledger.domain.split_types import PagePayout
from ledger.operations.session import Session
from ledger.operations.splits import published_tree


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        split_id, token = parse_word(here.arguments[0]), parse_address(here.arguments[1])
        session = Session(rpc=here.rpc)
        tree, splits = published_tree(session, split_id), session.ledger.splits
        cumulative = splits.view("cumulative", split_id, token)
        states = splits.page_states(split_id, token, range(tree.pages))
        requests = []
        for page, (paid_up_to, exceptions) in enumerate(states):
            words = tree.page_words(page)
            units = [read_leaf(word)[1] for place, word in enumerate(words) if not exceptions >> place & 1]
            total = tree.split.total
            if any(cumulative * one // total > paid_up_to * one // total for one in units):
                payout = [PagePayout(page, 0, words, tree.page_proof(page))]
                occasion = f"{cumulative}/{exceptions}"
                requests.append(splits.pay_pages(tree.split, token, payout, occasion=occasion))
        here.send(requests)


if __name__ == "__main__":
    run(main)
