"""JSON and YAML as people write them, read strictly: a field written twice is an error and never a silent choice."""

from __future__ import annotations

import json
from typing import Any

from ledger.domain.errors import ValueRefused

_DEEP = "It is nested too deeply."
_LONG = "A number in it is too long or is none."


def read_json(text: str, what: str) -> Any:
    """The value of a JSON text; `what` is such as "The manifest is". Raises ValueRefused."""
    try:
        return json.loads(text, object_pairs_hook=_no_repeats)
    except json.JSONDecodeError as error:
        raise _refused(what, "JSON", f"line {error.lineno}", error.msg) from error
    except RecursionError:
        raise _refused(what, "JSON", "", _DEEP) from None
    except ValueError:  # Python reads no integers of more than 4,300 digits
        raise _refused(what, "JSON", "", _LONG) from None


def read_yaml(text: str, what: str) -> Any:
    """The value of a YAML 1.2 text, its dates left as text. Raises ValueRefused."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class TextDates(SafeConstructor):
        """Dates stay text, as they are in JSON."""

    TextDates.add_constructor("tag:yaml.org,2002:timestamp", lambda own, node: node.value)
    loader = YAML(typ="safe", pure=True)
    loader.Constructor = TextDates
    try:
        return loader.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise _refused(what, "YAML", f"line {mark.line + 1}" if mark else "", str(why)) from error
    except RecursionError:
        raise _refused(what, "YAML", "", _DEEP) from None
    except (ValueError, KeyError):  # ruamel's own for a tag, such as !!int or !!bool, before what is none
        raise _refused(what, "YAML", "", _LONG) from None


def shown(value: object) -> str:
    """A value out of such a text, short enough for a message whatever it is."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple | set):
        return "a list"
    if value is None:
        return "nothing"
    try:
        text = repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refused(what: str, form: str, where: str, why: str) -> ValueRefused:
    return ValueRefused(f"{what} no {form}.", where, why, "Correct the file; nothing was sent or written.")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueRefused(f"The field {twice!r} is written twice.", remedy="Keep one of them.")
    return found
