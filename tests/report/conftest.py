"""Statements of random histories, played on the model: its makers lie with the tests of the domain."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "domain"))
