"""Text from outside made safe to show: nothing in it steers a terminal or turns a line around."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
_VIRAMA = 9


def clean(text: object) -> str:
    """Text from outside with every control and direction character written out, so that it cannot steer a
    terminal. A joiner stays where it shapes letters, as in Persian and Hindi names, or an emoji.
    """
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        one.encode("unicode_escape").decode()
        if unicodedata.category(one)[0] == "C" and not (one in _JOINERS and _joins(before, after))
        else one
        for before, one, after in zip(" " + shown, shown, shown[1:] + " ", strict=False)
    )


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these has something to do: Arabic letters, a virama, parts of an emoji."""
    if unicodedata.combining(before) == _VIRAMA:
        return unicodedata.category(after)[0] == "L" or after == " "
    if unicodedata.bidirectional(before) == "AL":
        return unicodedata.bidirectional(after) == "AL"
    is_emoji = unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f"
    return is_emoji and unicodedata.category(after) == "So"
