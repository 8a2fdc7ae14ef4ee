"""How questions are put: several wordings of each kind, and the words that questions and answers are made of."""

from __future__ import annotations

from rewind.worlds import glyphs
from rewind.worlds.looks import (
    COLOURS,
    COMMON_SHAPES,
    GLYPH_COLOUR_NAMES,
    MOTION_WORDS,
    SHAPES,
    SIGN_SHAPES,
    SIZES,
    SYMBOLS,
    TEXTURES,
)

PLACES = ("first", "second", "third", "fourth")

TEMPLATES: dict[str, tuple[str, ...]] = {
    "needle.character": (
        "What is the {place} character on the {sign}?",
        "Which character comes {place} on the {sign}?",
        "Read the {place} character of the code on the {sign}.",
        "The {sign} carries a code. What is its {place} character?",
    ),
    "needle.code": (
        "What is the code on the {sign}?",
        "What does the {sign} say?",
        "Read the {sign}.",
        "Which code is written on the {sign}?",
    ),
    "needle.colour": (
        "What colour is the sign with the code {code}?",
        "Which colour does the sign that reads {code} have?",
        "A sign says {code}. What colour is the board?",
        "Name the colour of the sign marked {code}.",
    ),
    "needle.letters": (
        "What colour are the letters on the sign with the code {code}?",
        "In which colour is {code} written on its sign?",
        "A sign says {code}. What colour are its letters?",
        "Name the colour of the characters {code} on their sign.",
    ),
    "needle.shape": (
        "What shape is the sign with the code {code}?",
        "Which shape does the sign that reads {code} have?",
        "A sign says {code}. What is the shape of the board?",
        "Name the shape of the sign marked {code}.",
    ),
    "needle.symbol": (
        "Which symbol is on the sign with the code {code}?",
        "What symbol stands above the code {code}?",
        "A sign says {code}. Which symbol does it show?",
        "Name the symbol on the sign marked {code}.",
    ),
    "exists.object": (
        "Does {a_thing} appear in the video?",
        "Is there {a_thing} in the video?",
        "Can {a_thing} be seen at any time?",
        "Do we ever see {a_thing}?",
        "Is {a_thing} shown at some point?",
    ),
    "exists.sign": (
        "Does {a_thing} appear in the video?",
        "Is there {a_thing} in the video?",
        "Can {a_thing} be seen at any time?",
        "Do we ever see {a_thing}?",
        "Is {a_thing} shown at some point?",
    ),
    "order.first": (
        "Which appears first, the {a} or the {b}?",
        "What comes first in the video: the {a} or the {b}?",
        "The {a} or the {b}: which one is seen earlier?",
        "Which is shown earlier, the {a} or the {b}?",
    ),
    "order.before": (
        "Does the {a} first appear before the {b}?",
        "Is the {a} seen earlier than the {b}?",
        "Do we see the {a} before we first see the {b}?",
        "Does the first {a} come before the first {b}?",
    ),
    "order.after": (
        "Does the {a} first appear after the {b}?",
        "Is the {a} seen later than the {b}?",
        "Do we see the {b} before we first see the {a}?",
        "Does the first {a} come after the first {b}?",
    ),
    "count.object": (
        "How many times does {a_thing} appear?",
        "How often is {a_thing} shown?",
        "Count the times that {a_thing} comes on screen.",
        "On how many separate occasions do we see {a_thing}?",
    ),
    "breakpoint.colour": (
        "What colour is the {shape} on screen now?",
        "Which colour does the {shape} have right now?",
        "At this moment, what colour is the {shape}?",
        "What is the colour of the {shape} that is there now?",
    ),
    "breakpoint.exists": (
        "Is {a_thing} on screen now?",
        "Is there {a_thing} right now?",
        "At this moment, can we see {a_thing}?",
        "Does the screen show {a_thing} now?",
    ),
    "breakpoint.number": (
        "How many {shapes} are on screen now?",
        "What is the number of {shapes} right now?",
        "At this moment, how many {shapes} can be seen?",
        "Count the {shapes} that are there now.",
    ),
    "state.after": (
        "What colour did the {thing} turn?",
        "The {thing} changed its colour. What colour did it become?",
        "Into which colour did the {thing} change?",
        "What colour is the {thing} after it changes?",
    ),
    "state.before": (
        "What colour was the {thing} before it turned {colour}?",
        "The {thing} became {colour}. What colour was it before?",
        "From which colour did the {thing} change to {colour}?",
        "A {thing} turns {colour}. Which colour did it have until then?",
    ),
    "find.object": (
        "When does {a_thing} appear?",
        "At what times is {a_thing} on screen?",
        "Find the moments that show {a_thing}.",
        "When can we see {a_thing}?",
    ),
    "find.sign": (
        "When does {a_thing} appear?",
        "At what times is {a_thing} on screen?",
        "Find the moments that show {a_thing}.",
        "When can we see {a_thing}?",
    ),
}

_ANSWERS = ("yes", "no", "never", "at", "s", *(str(n) for n in range(10)))


def with_article(thing: str) -> str:
    """`thing` with a or an before it."""
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def plural(shape: str) -> str:
    """Several of a shape."""
    return f"{shape}es" if shape.endswith("s") else f"{shape}s"


def board_phrase(shape: str, colour: str, glyph_colour: str, symbol: str) -> str:
    """A sign in words, without an article: ``oval red sign with white letters and a ring``."""
    return f"{shape} {colour} sign with {glyph_colour} letters and a {symbol}"


def answer_words() -> tuple[str, ...]:
    """Every word that an answer can hold; codes are spelled from `glyphs.CHARACTERS`."""
    words = {*_ANSWERS, *COLOURS, *GLYPH_COLOUR_NAMES, *SHAPES, *SIZES, *TEXTURES, *SIGN_SHAPES, *SYMBOLS}
    return tuple(sorted(words | {w for m in MOTION_WORDS.values() for w in m.split()} | set(glyphs.CHARACTERS)))


def vocabulary() -> tuple[str, ...]:
    """Every word and character that questions and answers can hold, sorted; codes are spelled by character."""
    words = set(answer_words()) | {*PLACES, "a", "an", "sign", "with", "letters", "and", "the", "code", "s"}
    for templates in TEMPLATES.values():
        for template in templates:
            bare = "".join(" " if c in "?,.:" else c for c in template)
            words |= {w.strip("?,.:") for w in bare.split() if "{" not in w}
    words |= {plural(shape) for shape in COMMON_SHAPES}
    words |= {w.lower() for w in words if len(w) > 1}
    return tuple(sorted(words))
