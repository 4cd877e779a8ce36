"""The same Ibis expressions on local Spark give the identical split id. P-16. Needs a JVM, which pip cannot bring."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def missing() -> str:
    """Why Spark cannot run here; empty where it can."""
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if "JAVA_HOME" in os.environ else None
    if not (java and java.exists()) and not shutil.which("java"):
        return "no JVM: install one, such as Debian's default-jre-headless"
    return "" if find_spec("pyspark") else "no pyspark: pip install pyspark"


def test_spark_and_duckdb_give_the_same_split(tmp_path: Path, capsys) -> None:
    if reason := missing():
        with capsys.disabled():
            print(f"\nSpark was not run: {reason}")
        return
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("_spark.py")), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    embedded, elsewhere = done.stdout.splitlines()
    assert embedded == elsewhere
