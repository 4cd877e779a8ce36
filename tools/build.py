"""Compiles contracts/ through py-solc-x into the artefacts that the Python package carries.

Each deployable contract is compiled with the sources it imports and no other: solc's optimiser numbers what
it sees, so an unrelated source in the same input may change the bytecode.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compiling.artefacts import artefacts_of, differences, is_packaged, sizes_of, strays_of
from compiling.compiler import compile_job, natspec, prepare_compiler
from compiling.files import text_of, write
from compiling.pins import ARTEFACTS, CACHE, CONTRACTS, RUNTIME_LIMIT, SIZES, BuildError, Json
from compiling.sources import job_of, sources_in


def _select(sources: list[str], wanted: list[str] | None) -> list[str]:
    if not wanted:
        return sources
    known = {Path(source).stem: source for source in sources}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BuildError(f"no contract called {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return [known[name] for name in wanted]


def build(arguments: argparse.Namespace) -> None:
    """Compiles what was asked for and writes it, or compares it."""
    print(prepare_compiler(), file=sys.stderr)
    variant = "unoptimised" if arguments.unoptimised else "optimised"
    deployables = sources_in(CONTRACTS, "*.sol")
    mocks = sources_in(CONTRACTS / "test", "**/*.sol")
    if arguments.unoptimised:
        mocks = [source for source in mocks if is_packaged(source)]
    chosen = _select([*deployables, *mocks], arguments.contracts)
    whole = not arguments.contracts

    if arguments.analyse:
        natspec()
        return

    jobs = [job_of(source, variant) for source in chosen]
    # The longest first, so that no core idles at the end.
    jobs.sort(key=lambda job: -sum(len(source["content"]) for source in job.input["sources"].values()))
    files: dict[Path, Json] = {}
    faults: list[str] = []
    with ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        # What is not packaged is compared with nothing, so it need not be compiled afresh.
        fresh = {job: arguments.check and is_packaged(job.source) for job in jobs}
        for job, future in [(job, pool.submit(compile_job, job, fresh[job])) for job in jobs]:
            try:
                made = artefacts_of(job, future.result())
            except BuildError as error:
                faults.append(str(error))
                continue
            twice = files.keys() & made.keys()
            faults.extend(f"{job.source}: another source defines {path.stem} too" for path in twice)
            files.update(made)
    failed = bool(faults)
    if whole and not failed and not arguments.unoptimised:
        try:
            natspec()
        except BuildError as error:
            faults.append(str(error))

    if not arguments.unoptimised:
        sizes, oversized = sizes_of(artefact for path, artefact in files.items() if path.parent == ARTEFACTS)
        faults.extend(oversized)
        if whole:
            write(SIZES, text_of(sizes))
        for name, size in sizes.items():
            left = RUNTIME_LIMIT - size["runtime"]
            print(f"  {name:<16} {size['runtime']:>7,} bytes, {left:>6,} left", file=sys.stderr)

    # What compiled is written even where another contract failed, so that work on it goes on.
    kept = ARTEFACTS if arguments.check else None
    written = {path: artefact for path, artefact in files.items() if path.parent != kept}
    changed = [path for path, artefact in sorted(written.items()) if write(path, text_of(artefact))]
    if arguments.check:
        found = differences(files, variant, whole and not failed)
        if found:
            faults.extend([*found, "run `make compile` and commit what it writes"])
    elif whole and not failed:
        strays = strays_of(files, variant)
        for stray in strays:
            stray.unlink()
        changed.extend(strays)
    if faults:
        raise BuildError("\n".join(dict.fromkeys(faults)))
    if arguments.check:
        packaged = sum(path.parent == ARTEFACTS for path in files)
        print(f"{packaged} packaged artefacts are what the sources compile to", file=sys.stderr)
    else:
        print(f"{len(files)} artefacts, {len(changed)} changed", file=sys.stderr)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compile the contracts into the package's artefacts.")
    parser.add_argument(
        "--check", action="store_true", help="compile afresh and compare with the packaged artefacts"
    )
    parser.add_argument(
        "--unoptimised", action="store_true", help="without the optimiser, into build/unoptimised"
    )
    parser.add_argument(
        "--analyse", action="store_true", help="types, warnings and NatSpec only: a few seconds"
    )
    parser.add_argument("--contracts", nargs="+", metavar="NAME", help="only these contracts")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at once")
    parser.add_argument(
        "--prepare", action="store_true", help="only put the compiler where py-solc-x looks for it"
    )
    arguments = parser.parse_args()

    CACHE.mkdir(exist_ok=True)
    from filelock import FileLock

    try:
        with FileLock(CACHE / "build.lock"):
            if arguments.prepare:
                print(prepare_compiler(), file=sys.stderr)
            else:
                build(arguments)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
