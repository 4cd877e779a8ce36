import sys
from pathlib import Path

# The root first: an installed package is called benchmarks too.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
