"""The standard streams, made fit to write to: closed, full, or of an encoding that lacks letters of a name."""

from __future__ import annotations

import contextlib
import os
import sys


def prepare() -> None:
    """Lets every text be written: letters that the encoding lacks come escaped, a closed stream swallows all."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if not is_utf8(stream) and (reconfigure := getattr(stream, "reconfigure", None)):
            reconfigure(errors="backslashreplace")


def is_utf8(stream: object) -> bool:
    """Whether the stream can hold every letter."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"


def drop_stdout() -> None:
    """Sends what is still to be written nowhere, so that the end of the program does not fail on it again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
