"""What no classifier of pictures sees: sounds, what a text says, small marks, and how the video itself was made. That
it was not found there tells nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

UNHEARD = "sound is not heard, only pictures are looked at: it may be there all the same"
UNREAD = "text in pictures is not read: it may be there all the same"
UNMARKED = "small marks in pictures are not made out: it may be there all the same"
UNMADE = "how a video was filmed, cut or drawn is not told by what its pictures show: it may be so all the same"
_SOUND = re.compile(
    r"\b(?:hears?|heard|hearing|listen(?:s|ing)?|audio|audible|sounds?|noises?|noisy|loud(?:ly|er)?|songs?|melod(?:y|ies)"
    r"|soundtrack|applause|music(?!\s+(?:stand|sheet|box|room|hall|video|shop|store)s?\b)|voices?)\b",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"\b(?:texts?|captions?|subtitles?|titles?|headlines?|credits|watermarks?|inscriptions?|lettering|written|spelled)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\b(?:logos?|emblems?|icons|badges?|stickers?|labels?|signatures?|tattoos?)\b", re.IGNORECASE)
# The shots of a video are asked for as such; those of a gun, a glass or a game are told by other words.
_CUTS = r"cuts?|shots|scenes|takes|edits|transitions|fades?|zooms?|montages?"
_GENRE = r"video|film|movie|show|series|recording|trailer|commercial|ad|advert\w*|tutorial|documentary|broadcast"
_MADE = re.compile(
    rf"\b(?:how\s+many|how\s+often|number\s+of|count|any|is\s+there\s+an?|are\s+there)\s+"
    rf"(?:(?:the|different|separate|camera|jump|scene|hard)\s+)*"
    rf"(?:{_CUTS}|(?:scene|camera|shot)\s+(?:changes?|angles?|movements?|moves?))\b"
    r"|\b(?:is|was)\s+(?:it|this|that)\s+(?:(?:video|film|clip)\s+)?(?:(?:from|part\s+of)\s+)?an?\s+(?:\w+\s+){0,2}"
    rf"(?:{_GENRE})(?=\s*(?:[?.!,]|$|(?:about|of|or)\b))"
    r"|\b(?:what|which)\s+(?:kind\s+of\s+)?(?:camera|lens)\b|\bsplit[\s-]screens?\b|\bletterbox\w*|\bblack\s+bars?\b"
    r"|\b(?:computer|ai|artificially)[\s-]?generated\b|\bdeep\s?fakes?\b"
    r"|\b(?:filmed|recorded|edited)\s+(?:with|by|on|from|using)\b"
    r"|\bcamera\s+(?:ever\s+|always\s+)?(?:mov|pan|zoom|shak|tilt|angle|static|still|steady|stable|fixed|hand-?held)\w*",
    re.IGNORECASE,
)

# Words for what may be seen as well: *a man talking on the phone*, *keys with letters*.
_VOICE = re.compile(r"\b(?:(?:speak|talk|sing|shout|scream)(?:s|ing)?|spoken)\b", re.IGNORECASE)
_LETTERS = re.compile(r"\b(?:(?<!own )(?<!few )words|letters|writing)\b", re.IGNORECASE)
_MANNER = re.compile(
    r"\b(?:colou?rful|blurr(?:y|ed)|out of focus|(?:slow|stop)[\s-]motion|time[\s-]?lapse|cartoons?|animations?"
    r"|animated|anime|cgi)\b",
    re.IGNORECASE,
)


def unseeable(query: str, named: Sequence[str] = ()) -> str | None:
    """Why a query asks for what pictures do not tell; None where it does not. `named`: the things in it, people apart;
    beside one of them words that may mean something to be seen do."""
    if _SOUND.search(query):
        return UNHEARD
    if _TEXT.search(query):
        return UNREAD
    if _MADE.search(query):
        return UNMADE
    for words, why in ((_VOICE, UNHEARD), (_LETTERS, UNREAD), (_MARKS, UNMARKED), (_MANNER, UNMADE)):
        if words.search(query) and all(words.fullmatch(name) for name in named):
            return why
    return None
