"""Text from outside: nothing in it steers a terminal, and names stay as they are written."""

import pytest

from ledger.domain.text import clean

PERSIAN, HINDI, FAMILY = "نشر نی\u200cفام", "क्\u200dष राम", "👩\u200d👩🏽\u200d👧 ❤\ufe0f\u200d🔥"


@pytest.mark.parametrize("name", ["Ann", "Łódź", PERSIAN, HINDI, FAMILY, "क्\u200c"])
def test_a_joiner_that_shapes_letters_stays(name):
    assert clean(name) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200db", "a\\u200db"),
        ("\u200cx", "\\u200cx"),
        ("م\u200c", "م\\u200c"),
        ("م\u200c\u200cم", "م\\u200c\\u200cم"),
        ("a\u200d👩", "a\\u200d👩"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\x1b[31m\x07", "\\x1b[31m\\x07"),
        ("\ufeffx\u200e", "\\ufeffx\\u200e"),
    ],
)
def test_what_steers_or_hides_is_written_out(text, shown):
    assert clean(text) == shown
