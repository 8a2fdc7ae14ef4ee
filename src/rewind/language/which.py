"""Which of several moments a question asks for: *When does it first appear?*, *the last time we see a dog*.

The word is taken out of the question: memory is written under what is looked for, of which *last* is no part.
"""

from __future__ import annotations

import re
from typing import Literal

Which = Literal["first", "last"]

_WHEN = re.compile(
    r"\s*(?:when|(?:at\s+)?(?:what|which)\s+(?:time|second|minute|moment|point)|where\s+in\s+the\s+(?:video|film))\b",
    re.IGNORECASE,
)
_PLACE = r"(?:very\s+)?(?P<which>first|last|final|earliest|latest)"
_TIMES = r"(?:time|moment|instance|occurrence)"
_SIGHT = r"(?:appearance|occurrence|instance|sight|sighting|view|shot|scene)"
_THAT = r"(?:(?:that|when|where)\s+)?"
_WE_SEE = r"(?:we|you|i|one)\s+(?:can\s+)?(?:see|saw)"
_VERB = r"(?:appear|come|show|see|enter|happen|occur|visible|on\s+screen|in\s+view)\w*"
_NAMES = rf"(?!(?:{_TIMES}|aid|class|floor|lady|name|place|prize|base|half|row|supper)\b)"
"""What is called by such a word itself: a first aid kit."""
# Each with what stands in its place. In this order, the first that fits.
_QUESTIONS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"\b(?:is|was)\s+the\s+{_PLACE}\s+{_TIMES}\s+{_THAT}{_WE_SEE}\b", "do we see"),
        (rf"\b(?:is|was)\s+the\s+{_PLACE}\s+{_SIGHT}\s+(?:of|with)\b", "do we see"),
        (rf"\b(?:is|was)\s+the\s+{_PLACE}\s+{_TIMES}\s+{_THAT}", ""),
        (rf"\s*\bfor\s+the\s+{_PLACE}\s+time\b", ""),
        (rf"\b{_PLACE}\s+(?={_VERB})", ""),
        (rf"\bthe\s+{_PLACE}\s+{_NAMES}", "the "),
    )
)
_QUERIES = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"^\s*(?:the\s+)?{_PLACE}\s+{_TIMES}\s+{_THAT}(?:{_WE_SEE}\s+)?", ""),
        (rf"^\s*(?:the\s+)?{_PLACE}\s+{_SIGHT}\s+(?:of|with)\s+", ""),
        (rf"\s*\bfor\s+the\s+{_PLACE}\s+time\b", ""),
        (rf"^\s*the\s+{_PLACE}\s+{_NAMES}", "the "),
    )
)


def which_named(text: str) -> tuple[str, Which | None]:
    """A question for a time, or a query, without the word that says which of its moments is meant, and that word; None
    for all of them, and for questions of another kind (*Does the first dog come before the first cat?*)."""
    plain = " ".join(text.split())  # a long row of blanks costs no more than its length
    asks = _WHEN.match(plain) is not None
    if not asks and plain.endswith("?"):
        return text, None
    for pattern, instead in _QUESTIONS if asks else _QUERIES:
        match = pattern.search(plain)
        words = "" if match is None else f"{plain[: match.start()]}{instead}{plain[match.end() :]}"
        if match is not None and re.search(r"\w", words):
            which: Which = "first" if match["which"].lower() in ("first", "earliest") else "last"
            return " ".join(words.split()), which
    return text, None
