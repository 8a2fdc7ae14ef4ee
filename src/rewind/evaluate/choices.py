"""Which option of a multiple choice an answer names: what models write, read into the option's number."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rewind.evaluate.answers import said

# A letter that an answer begins with: alone, or behind it a bracket, a mark, a line's end or a dash. "A-frame" and
# "e.g." are words.
_FIRST = re.compile(r"[(\[]?(?P<letter>[A-Ea-e])(?:\s*$|[)\],:]|\.(?!\w\.)|[ \t]*\n|\s+[-–—]|[-–—]\s)")
# A letter that a sentence names, with nothing but pointing words before it: "the answer is not B" and "vitamin C" name
# none. Nor does one of several ("A or B"), or an A that is an article; a small letter must be the last thing said.
_POINTS = (
    "above|and|appears?|be|believe|best|choice|clearly|correct|final|for|given|i|is|letter|likely|most|must|my|of|option"
    "|probably|question|right|seems?|should|that|the|therefore|think|this|to|video|was|would"
)
_NAMED = re.compile(
    rf"""\b(?i:(?P<noun>answer|option|choice))\b
        (?:[\s:=,–—-]+(?i:{_POINTS})\b)*
        [\s:=,–—-]+[(\[]?
        (?:(?P<letter>A(?!\s+(?!(?:and|as|because|for|or|since)\b)[a-z])|[B-E])(?![\w'’]|-\w)
            (?!\s*(?:,|/|and\b|or\b)\s*[(\[]?[A-E]\b)(?!\s+(?:is|was)\s+(?:not|wrong|incorrect)\b)
        |(?P<last>[a-e])[)\]]?[\s.]*$)
    """,
    re.VERBOSE,
)
# The ways to name one in a sentence that need no such word.
_SAYS = re.compile(
    r"""^(?:(?i:it['’]?s|it\s+is|i['’]?d\s+say|i\s+(?:choose|pick|select|say)|i['’]?ll\s+(?:choose|pick))\s+)?
        [(\[]?(?P<letter>[A-E])[)\]]?(?:[\s.]*$|\s+(?:because|since)\b|\s+is\s+(?:the\s+)?(?:best|correct|right|most)\b)
      | :\s*[(\[]?(?P<last>[A-E])[)\]]?[\s.]*$
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"[(\[]?(?P<number>\d)[)\]]?(?P<mark>[.:)\]]?)(?:\s+(?P<words>\S.*))?", re.DOTALL)
_LEAD = re.compile(
    r"\s*(?:(?:the|final|correct|right|my|best)\s+)*(?:answer|option|choice)\s*(?:\bis\b\s*:?|:)\s*", re.IGNORECASE
)


def choice_of(answer: Any, options: tuple[str, ...]) -> int | None:
    """The option that an answer names; None where it names none.

    Read are its number from 0 (`2`, `(2)`; before words only those count, as numbers may begin at 1), its words, its
    letter alone or with more behind a mark or a line (`b`, `(B)`, `**B**`, `B. the words`, `B - the words`), a letter
    that a sentence names ("the answer is B", "option B"; the last "answer" counts; "B is correct", "I choose B"), each
    behind "Answer:" and in a box of LaTeX too. A letter with words straight behind it is none: "A man runs away". So
    "a" alone is the letter.
    """
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return int(answer) if answer in range(len(options)) else None
    if not isinstance(answer, str):
        return None
    plain = [_plain(o) for o in options]
    bare = _bare(answer)
    told = _LEAD.sub("", bare, count=1) if _LEAD.match(bare) else bare
    number = _NUMBERED.fullmatch(told)
    written = number is not None and not number["words"]
    for words in (answer, bare, told, *((number["words"],) if number and number["words"] else ())):
        if not written and _plain(words) and plain.count(_plain(words)) == 1:
            return plain.index(_plain(words))
    if number is not None and written:
        return int(number["number"]) if int(number["number"]) < len(options) else None
    letter = _letter(bare) or _letter(told)
    return "ABCDE".index(letter.upper()) if letter else None


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


def _bare(text: str) -> str:
    """An answer without reasoning, tags, boxes, marks of emphasis and quotes, in common letters."""
    text = unicodedata.normalize("NFKC", said(text))
    for _ in range(2):  # \boxed{\text{B}}
        text = re.sub(r"\\(?:boxed|text|mathrm|mathbf)\s*\{([^{}]*)\}", r"\1", text)
    return re.sub(r"[*`$\"“”‘]|(?<!\w)['’]|['’](?!\w)", "", text).strip()


def _letter(text: str) -> str | None:
    """The letter of A–E that an answer names."""
    first = _FIRST.match(text)
    if first:
        return first["letter"]
    named = [(m["noun"].lower(), (m["letter"] or m["last"]).upper()) for m in _NAMED.finditer(text)]
    answers = [letter for noun, letter in named if noun == "answer"]
    if answers:
        return answers[-1]
    says = _SAYS.search(text)
    if says and not named:
        return says["letter"] or says["last"]
    # Of several options that are talked about, none is said to be the answer.
    letters = {letter for _, letter in named}
    return letters.pop() if len(letters) == 1 else None
