"""What no classifier of pictures sees: sounds, and what a text says. That it was not found there tells nothing."""

from __future__ import annotations

import re

UNHEARD = "sound is not heard, only pictures are looked at: it may be there all the same"
UNREAD = "text in pictures is not read: it may be there all the same"
_SOUND = re.compile(
    r"\b(?:hears?|heard|hearing|listen(?:s|ing)?|audio|audible|sounds?|noises?|noisy|loud(?:ly|er)?|songs?|melod(?:y|ies)"
    r"|soundtrack|applause|(?:speak|talk|sing|shout|scream|bark|cheer|whistl)(?:s|es|ing)?|sang|spoken|music(?!\s+(?:stand|sheet|box|room|hall|video|shop|store)s?\b)|voices?)\b",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"\b(?:texts?|words|letters|writing|captions?|subtitles?|titles?|headlines?|credits|watermarks?|inscriptions?|lettering|written|spelled)\b",
    re.IGNORECASE,
)


def unseeable(query: str) -> str | None:
    """Why a query asks for what pictures do not tell; None where it does not."""
    return UNHEARD if _SOUND.search(query) else UNREAD if _TEXT.search(query) else None
