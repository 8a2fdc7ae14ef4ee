"""What kind of question it is, and what it asks beyond that a thing is seen: told by its words alone."""

from __future__ import annotations

import re

_LEAD = (
    r"\s*(?:(?:so|and|but|ok|okay|well|now|then|please|hey|tell\s+(?:me|us)|(?:can|could)\s+you\s+tell\s+(?:me|us)"
    r"|do\s+you\s+know|i\s+wonder|by|on|in|to|for|with|from|at|of|about"
    r"|in\s+(?:this|the)\s+(?:video|film|movie|clip|footage|recording))\b[\s,]*)*"
)
"""Words that come before the one that says what is asked."""
ASKS_NUMBER = re.compile(r"\b(?:how\s+(?:many|often)|count|number\s+of)\b", re.IGNORECASE)
"""Questions that 0 answers. To others it is a character that was read, which needs something to be read off."""
ASKS_MORE = re.compile(
    rf"{_LEAD}(?:what|which|who|whose|whom|how|where|why)\b"
    r"(?!\s+(?:time|second|minute|moment|part|in\s+the\s+(?:video|film|recording))s?\b)",
    re.IGNORECASE,
)
"""Questions that are not answered by times alone; nor are those for a number."""
KIND = re.compile(
    rf"{_LEAD}(?:what|which)\s+(?:(?:kind|sort|type|breed|species|make|model|variety)s?\s+"
    r"(?:of|(?:is|are|was|were)(?:\s+(?:the|this|that|these|those))?)\s+(?:an?\s+|the\s+)?)?(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
"""Questions that may ask for a kind of thing: *what animal …*, *what kind of dog …*, *what breed is the dog*."""
_LOOKS = re.compile(
    r"\s*what(?:'s|\b).*\b(?:see|seen|shown?|shows|visible|there|about|on (?:the )?screen|in (?:the|this|it)\b)"
    r"|\s*what(?:'s|\s+(?:is|are|am))\s+(?:this|that|it|these|those|i\s+looking\s+at)\b"
    r"|\s*(?:list|name|show|what|which)\b.*\b(?:objects|things|items)\b"
    r"|(?:.*\byou\b|\s*please\b)?\s*(?:describe\b|tell\s+me\s+what(?:'s|\b.*\b(?:in|on|see)\b)|.*\boverview\b"
    r"|(?:give\s+(?:me|us)\s+)?(?:an?\s+|the\s+)?(?:(?:short|brief|quick)\s+)?summar(?:y|i[sz]e)\b)",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"\bcolou?rs?\b", re.IGNORECASE)
WHETHER = re.compile(
    rf"{_LEAD}(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|must)(?:n['’]t)?\b", re.IGNORECASE
)
"""Questions that are answered by yes or no."""
OR = re.compile(r"\bor\b(?!\s+(?:not|so|something|anything|else|more|less|whatever)\b)", re.IGNORECASE)
"""What offers several answers to choose from."""
_NEGATED = re.compile(
    r"\b(?:(?<!if )(?<!why )not(?!\s+(?:sure|only)\b)|no(?!\s+(?:matter|doubt|rush|hurry|idea)\b)|never|none|nobody"
    r"|nothing|neither|nor|without|except|but|than|rather|instead|unlike|besides|(?:apart|aside) from)\b|n['’]t\b",
    re.IGNORECASE,
)
_EXCLUDED = re.compile(
    r"\b(?:other\s+than|besides|except(?:ing)?|(?:apart|aside)\s+from|instead\s+of|rather\s+than|unlike"
    r"|(?:any|every|no)(?:thing|one|body)\s+but)\b",
    re.IGNORECASE,
)
_WHEN = re.compile(rf"{_LEAD}(?:when|(?:what|which)\s+(?:time|second|minute|moment|point))\b", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b(?:\d+(?:\s+(?:people|men|women|children|[a-z]+s)|st|nd|rd|th)|two|three|four|five|six|seven|eight|nine|ten"
    r"|dozens?|(?:the|a)\s+second\s+(?!that|when|where|in|at|of)[a-z]+"
    r"|(?:third|fourth|fifth)(?!\s+(?:second|minute|half|hour))|twice|again|enough)\b",
    re.IGNORECASE,
)
_QUANTIFIED = re.compile(
    r"\b(?:one|several|many|few|only|always|all|both|every(?:one|body|thing|where)?)\b", re.IGNORECASE
)
_SENTENCES = re.compile(r"[.?!;]\s+")
UNFOLLOWED = "words such as “no”, “without” and “than” are not followed: these are the moments of what is named"


def asks_for_all(question: str) -> bool:
    """Whether it asks for whatever is in view; what colours are, no name of a thing tells."""
    return _LOOKS.match(question) is not None and _COLOUR.search(question) is None


def asks_more(question: str) -> bool:
    """Whether times alone are no answer."""
    return ASKS_MORE.match(question) is not None or ASKS_NUMBER.search(question) is not None


def negates(question: str) -> bool:
    """Whether it asks for where a thing is not, or compares: *without a car*, *more people than dogs*."""
    return _NEGATED.search(without_lead(question)) is not None


def excludes(question: str) -> bool:
    """Whether it asks for what is not the thing that it names: *anything other than a frog*. That the thing was not
    seen denies nothing then."""
    return _EXCLUDED.search(question) is not None


def timed(question: str) -> str | None:
    """What a question for a time asks of, without the words for the time; None where it asks for none."""
    match = _WHEN.match(question)
    return None if match is None else question[match.end() :]


def counts(question: str) -> bool:
    """Whether a number or an order is part of what is asked: *the third car*, *two people*."""
    return _NUMBERED.search(question) is not None


def quantifies(question: str) -> bool:
    """Whether it asks for all or only some: *is everything red?* But *all cars* is a fair thing to look for."""
    return _QUANTIFIED.search(question) is not None


def sentences(question: str) -> list[str]:
    """What it is made of: what one names need not be where another does. *Is there a car? Is there a dog?*"""
    return _SENTENCES.split(question)


def without_lead(question: str) -> str:
    """*But is there a car?* negates nothing, nor does *Isn't there a car?*"""
    match = WHETHER.match(question) or re.match(_LEAD, question, re.IGNORECASE)
    return question[match.end() :] if match else question
