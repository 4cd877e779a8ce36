"""Brownie's way to import a script finds it in a folder such as `mktemp -d` makes, with a dot in its name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import importlib
from pathlib import Path
from brownie_anywhere import name_the_folder
script = Path("scripts/deploy.py").resolve()
name = f"{'.'.join(script.parts[1:-1])}.{script.stem}"  # brownie.project.scripts, _import_from_path
name_the_folder()
print(importlib.import_module(name).FOUND)
"""


def test_a_script_in_a_folder_with_a_dot_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "tmp.a1" / "new.b2"
    (folder / "tools" / "compiling").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / "scripts" / "deploy.py").write_text("FOUND = 'here'\n")
    pins = f"from pathlib import Path\nROOT = Path({str(folder)!r})\n"
    (folder / "tools" / "compiling" / "pins.py").write_text(pins)
    shutil.copy(ROOT / "tools" / "brownie_anywhere.py", folder / "tools")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'tools')\n{PROGRAM}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("here", 0), done.stderr
