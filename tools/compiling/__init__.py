"""How tools/build.py compiles: what is pinned, the compiler, the sources, the artefacts."""
