"""What a model says at last: its answer without the reasoning before it and without tags."""

from __future__ import annotations

import re

_THINKS = r"(?:think|thinking|thought|reasoning)"
# No pattern looks past the next tag, so that any text takes time in proportion to its length.
_THOUGHT = re.compile(rf"<{_THINKS}>[^<]*(?:<(?!/?{_THINKS}>)[^<]*)*</{_THINKS}>", re.IGNORECASE)
_OPEN = re.compile(rf"<{_THINKS}>", re.IGNORECASE)
_CLOSE = re.compile(rf"</{_THINKS}>", re.IGNORECASE)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z]\w*>|<\|\w+\|>")


def said(text: str) -> str:
    """The answer alone: what stands in the last <answer>, or all behind the reasoning; tags become spaces.

    Reasoning stands in <think> (or <thinking>, <thought>, <reasoning>). A chat template may write its first tag
    itself: then all before the last closing tag is reasoning. Reasoning that never ends has no answer behind it.
    """
    text = _THOUGHT.sub(" ", text)
    text = _CLOSE.split(text)[-1]
    answers = _ANSWER.findall(text)
    return _TAG.sub(" ", answers[-1] if answers else _OPEN.split(text)[0]).strip()
