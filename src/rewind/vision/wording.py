"""How a query is worded: its words, their singulars, and what it asks for that colours alone tell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rewind.vision.colours import COLOURS

PLAIN = re.compile(rf"\b({'|'.join(COLOURS)}|blank|empty) (?:screen|frame|picture|image)s?\b")
LARGE = re.compile(
    rf"\b({'|'.join(COLOURS)}) (?:wall|background|backdrop|slide|page|screen|sky|floor|ceiling|carpet|curtain|sea|"
    r"ocean|field|grass|lawn|snow|sand|sunset|light)s?\b"
)
WORD = re.compile(r"[a-z'-]+")
ON_SCREEN = re.compile(r"\bon (?:the )?screen\b")
HUES_TOO = {"gray": "grey", "golden": "yellow"}
_DENIED = re.compile(
    r"(?:[,;]?\s*\b(?:but|and|with|that|who|which|there|is|are|was|were|has|have|does|do)\b)*"
    r"\s*\b(?:no|not(?!\s+(?:only|sure)\b)|without|never|neither|nor|except(?:ing)?|[a-z]+n['’]t)\b"
    r"[^,;.?!]*?(?=\s*\bbut\b(?!\s+(?:no|not|without)\b)|\s*[,;.?!]|\s*$)",
    re.IGNORECASE,
)
FORMS = {
    "children": "child", "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "oxen": "ox",
    "anyone": "someone", "anybody": "somebody", "everyone": "someone", "everybody": "somebody",
}  # fmt: skip


def colours_in(query: str, names: Sequence[str] = ()) -> list[int]:
    """Numbers of the basic colours that a query asks for; `black and white` is a look of the film, not two colours.

    What belongs to one of the `names` of things in it is no wish: a golden retriever need not be yellow.
    """
    named = [word for name in names if " " in name for word in WORD.findall(name)]
    found = []
    for word in words_in(query):
        if word in named:
            named.remove(word)
            continue
        colour = HUES_TOO.get(word, word)
        if colour in COLOURS:
            found.append(COLOURS.index(colour))
    return found


def large_colours(query: str) -> frozenset[int]:
    """Numbers of the colours that a query gives to what takes up much of a picture: *a yellow wall*."""
    return frozenset(COLOURS.index(colour) for colour in LARGE.findall(_one_grey(query)))


def without_denied(query: str) -> str:
    """A query without what it says not to be there, up to the next comma or *but*."""
    return _DENIED.sub("", " ".join(query.split()))


def wants_monochrome(query: str) -> bool:
    """Whether a query asks for black-and-white pictures."""
    return bool(re.search(r"black[- ]and[- ]white|monochrome|gr[ea]yscale", query.lower()))


def plain_colour(query: str) -> str | None:
    """The colour of an empty picture that a query asks for (*a black screen*), "any" for *a blank one*, or None."""
    found = _plain(query)
    if found is None:
        return None
    return found[1] if found[1] in COLOURS else "any"


def looks_in(query: str) -> tuple[str, ...]:
    """What a query asks for that colours alone can tell."""
    plain = _plain(query)
    return (*(["black and white"] if wants_monochrome(query) else []), *([plain[0]] if plain else []))


def words_in(query: str) -> list[str]:
    """A query's words, as its letters are meant, without accents; *on screen* says where everything is."""
    plain = unicodedata.normalize("NFKD", query).lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return WORD.findall(ON_SCREEN.sub(" ", plain))


def _plain(query: str) -> re.Match[str] | None:
    return PLAIN.search(_one_grey(query))


def _one_grey(query: str) -> str:
    return query.lower().replace("gray", "grey")


def owner(word: str) -> str:
    """*the dog's*, *the dogs'*: the word for whose it is, which else is the word itself."""
    return word.removesuffix("'s").removesuffix("'")


def singular(word: str) -> Sequence[str]:
    """A word and what it may be the plural of; *anyone* is someone."""
    forms = [word, FORMS[word]] if word in FORMS else [word]
    if word.endswith("ies"):
        forms.append(word[:-3] + "y")
    if word.endswith("ves"):
        forms += [word[:-3] + "f", word[:-3] + "fe"]
    if word.endswith("es"):
        forms.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
    if word.endswith("men"):
        forms.append(word[:-3] + "man")
    return forms
