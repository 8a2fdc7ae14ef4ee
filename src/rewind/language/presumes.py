"""Questions that presume that what they ask of is there: *never* is no answer to *What shape is the sign?*

Whether the thing is there memory's scores tell, whatever the question (`rewind.saying`); a decoder that says *never* to
such a question only says that its list of moments is empty, and then its next best answer is what it has read.
"""

from __future__ import annotations

import re

_ASKS = re.compile(r"\b(?:what|which|who|whose|name|read)\b", re.IGNORECASE)
_FOR_TIMES = re.compile(
    r"\b(?:when|ever|find)\b|\b(?:what|which)\s+(?:times?|seconds?|minutes?|moments?|points?|parts?)\b", re.IGNORECASE
)
NEVER = "never"


def presumes(question: str) -> bool:
    """Whether a question asks what something is like or what it says, not when or whether it is seen."""
    return _ASKS.search(question) is not None and _FOR_TIMES.search(question) is None
