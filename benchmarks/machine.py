"""What a measurement was made on, without names, and the file that keeps it."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.compiler import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def machine() -> dict[str, object]:
    """Cores, processor, memory, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def versions(*packages: str) -> dict[str, str]:
    """Python's version, anvil's and those of installed packages."""
    locked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    return {
        "python": platform.python_version(),
        "anvil": locked["devDependencies"]["@foundry-rs/anvil"],
        **{name: version(name) for name in packages},
    }


def keep(name: str, figures: Mapping[str, Any], goals: Mapping[str, Any], *packages: str) -> dict[str, Any]:
    """Writes results/NAME.json and shows it."""
    result = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "versions": versions(*packages),
        "figures": dict(figures),
        "goals": dict(goals),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    shown = ", ".join(f"{key} {value}" for key, value in figures.items())
    print(f"{name}: {shown}")
    return result


def own_cpu() -> float:
    """CPU seconds of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_peak_bytes() -> int:
    """The most memory that this process has held."""
    try:
        # Linux counts in ru_maxrss what the parent held when it started this process; this does not.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
