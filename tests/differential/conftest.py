"""Two builds and the model in lockstep, 10,000 histories and as many trees: minutes, so run by `make deep`."""

import os
import sys
from pathlib import Path

# The in-process chain and its artefacts, and the generators of the model's own tests.
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "contracts"), str(TESTS / "domain")]
collect_ignore_glob = [] if os.environ.get("DIFFERENTIAL") else ["test_*.py"]
