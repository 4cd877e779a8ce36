import sys
from pathlib import Path

# The in-process chain and its artefacts, and the generators of the model's own tests.
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "contracts"), str(TESTS / "domain")]
