"""Text from outside made safe to show: nothing in it steers a terminal or turns a line around."""

from __future__ import annotations

import unicodedata


def clean(text: object) -> str:
    """Text from outside with every control and direction character written out, so that it cannot steer a
    terminal.
    """
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        one.encode("unicode_escape").decode() if unicodedata.category(one)[0] == "C" else one for one in shown
    )
