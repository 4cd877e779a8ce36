"""Brownie from a folder with a dot in its path: it imports scripts by a dotted name, in which such a dot reads as
one more package.
"""

from __future__ import annotations

import sys
from types import ModuleType

from compiling.pins import ROOT


def name_the_folder() -> None:
    """Makes each part of the folder's dotted name a package, the last of which is the folder."""
    names = ".".join(ROOT.resolve().parts[1:]).split(".")
    for count in range(1, len(names) + 1):
        package = ModuleType(".".join(names[:count]))
        package.__path__ = [str(ROOT)] if count == len(names) else []
        sys.modules.setdefault(package.__name__, package)


if __name__ == "__main__":
    from brownie._cli.__main__ import main

    if "." in "".join(ROOT.resolve().parts[1:]):
        name_the_folder()
    sys.exit(main())
