"""Gas of receipts on a fresh chain: ours and the peers', each operation a transaction of its own."""
