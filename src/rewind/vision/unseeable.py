"""What no classifier of pictures sees: sounds, and what a text says. That it was not found there tells nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

UNHEARD = "sound is not heard, only pictures are looked at: it may be there all the same"
UNREAD = "text in pictures is not read: it may be there all the same"
_SOUND = re.compile(
    r"\b(?:hears?|heard|hearing|listen(?:s|ing)?|audio|audible|sounds?|noises?|noisy|loud(?:ly|er)?|songs?|melod(?:y|ies)"
    r"|soundtrack|applause|music(?!\s+(?:stand|sheet|box|room|hall|video|shop|store)s?\b)|voices?)\b",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"\b(?:texts?|captions?|subtitles?|titles?|headlines?|credits|watermarks?|inscriptions?|lettering|written|spelled)\b",
    re.IGNORECASE,
)


# Words for what may be seen as well: *a man talking on the phone*, *keys with letters*.
_VOICE = re.compile(r"\b(?:(?:speak|talk|sing|shout|scream)(?:s|ing)?|spoken)\b", re.IGNORECASE)
_LETTERS = re.compile(r"\b(?:(?<!own )(?<!few )words|letters|writing)\b", re.IGNORECASE)


def unseeable(query: str, named: Sequence[str] = ()) -> str | None:
    """Why a query asks for what pictures do not tell; None where it does not. `named`: the things in it, people apart;
    beside one of them words that may mean something to be seen do."""
    if _SOUND.search(query):
        return UNHEARD
    if _TEXT.search(query):
        return UNREAD
    for words, why in ((_VOICE, UNHEARD), (_LETTERS, UNREAD)):
        if words.search(query) and all(words.fullmatch(name) for name in named):
            return why
    return None
