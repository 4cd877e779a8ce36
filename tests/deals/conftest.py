"""The deals on the model, and the unweighted ones on real contracts too."""

import sys
from pathlib import Path

# The in-process chain of the contracts' tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "contracts"))
