"""A language model as judge of open answers, behind any OpenAI-compatible endpoint; every reply is kept.

Judges differ by points, so a record belongs to one judge and one prompt: its first line names both, and another judge's
verdicts are refused. A record that broke off, at whatever byte, is gone on with; what is refused is left as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError
from rewind.evaluate.answers import said
from rewind.evaluate.endpoint import Endpoint, JudgeError, is_address
from rewind.evaluate.files import shaped
from rewind.evaluate.ledger import JsonLines

PROMPT = """You compare a predicted answer with the right answer to a question about a video.
Judge whether they mean the same. Other words for the same thing are right; a contradiction is not.

Question: {question}
Right answer: {answer}
Predicted answer: {prediction}

Reply with one JSON object and nothing else, the score a whole number from 0 (wrong) to 5 (the same):
{"pred": "yes" or "no", "score": 0 to 5}"""
_BLANKS = ("{question}", "{answer}", "{prediction}")
_BLANK = re.compile(r"\{(question|answer|prediction)\}")
_RECORD = "a judge's record: a header line, then a verdict a line"
# The echo of '"yes" or "no"' and '0 to 5' is no value.
_SAID = re.compile(r"\bpred['\"]?\s*:\s*(?:['\"]?(yes|no)\b(?!['\"]?\s*(?:or\b|/|\|)))?", re.IGNORECASE)
_SCORE = re.compile(
    r"\bscore['\"]?\s*:\s*(?:['\"]?(\d{1,9}(?:\.\d{1,9})?)(?![\d.]*\d|['\"]?\s*(?:(?:to|or)\b|[-–])))?", re.IGNORECASE
)
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Verdict:
    """What the judge said of one answer; `correct` and `score` are None where its reply could not be read.

    `temperature` is what it was asked with, None for its own.
    """

    id: str
    correct: bool | None
    score: float | None
    reply: str
    temperature: float | None = 0.0


@dataclass(frozen=True)
class Judge:
    """An endpoint (``https://host/v1``), the model that judges, and the prompt with its three blanks.

    Other braces of a prompt are sent as they stand. The endpoint's key, where it wants one, is read from the
    environment's `key_variable` when it is asked, and written nowhere.
    """

    url: str
    model: str
    prompt: str = PROMPT
    key_variable: str = "OPENAI_API_KEY"
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not is_address(self.url):
            raise ConfigError(f"judge {self.url!r}", allowed="an http(s) address of an OpenAI-compatible endpoint")
        missing = [blank for blank in _BLANKS if blank not in self.prompt]
        if missing:
            raise ConfigError(
                f"a judge's prompt without its blanks {', '.join(missing)}", allowed=f"a text with {', '.join(_BLANKS)}"
            )

    @property
    def header(self) -> dict[str, str]:
        """What names this judge in a record; the address is not part of it, nor is any key."""
        return {
            "judge": self.model,
            "prompt": self.prompt,
            "prompt_sha256": hashlib.sha256(self.prompt.encode()).hexdigest(),
        }

    def fill(self, row: Mapping[str, str]) -> str:
        """The prompt with `question`, `answer` and `prediction` of `row` in its blanks.

        All are filled at once: a blank's name inside an answer is only words.
        """
        return _BLANK.sub(lambda blank: row[blank[1]], self.prompt)

    def endpoint(self) -> Endpoint:
        """Where this judge is asked, with the key that the environment has now."""
        key = os.environ.get(self.key_variable, "").strip()
        return Endpoint(self.url, self.model, key, self.key_variable, self.timeout_s)


def judge_all(judge: Judge, rows: list[dict[str, str]], record: Path, *, ask: Ask | None = None) -> list[Verdict]:
    """Verdicts on `rows` (`id`, `question`, `answer`, `prediction`); those that `record` has are taken from it.

    Raises:
        ConfigError: the record is no judge's record, or cannot be written to.
        JudgeError: the record belongs to another judge or prompt, or the judge does not answer.
    """
    lines = JsonLines(record, allowed=_RECORD)
    known = _verdicts(record, lines.values, judge)
    if not lines.values:
        lines.add(judge.header)
    endpoint = judge.endpoint()
    ask = ask or endpoint.ask
    verdicts = []
    for row in rows:
        text = judge.fill(row)
        asked = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        old = known.get(row["id"])
        if old is not None and old[0] == asked:
            verdicts.append(old[1])
            continue
        reply = ask(text)
        verdicts.append(Verdict(row["id"], *parse_reply(reply), reply, endpoint.temperature))
        lines.add({**asdict(verdicts[-1]), "asked_sha256": asked})
    return verdicts


def parse_reply(reply: str) -> tuple[bool | None, float | None]:
    """yes/no and 0–5 of a judge's reply; None for what is not there.

    Read is, behind any reasoning, the last object that has both keys: JSON before Python's way of writing a dict. Where
    there is none, the last of each key in the text.
    """
    text = said(reply)
    objects = [o for o in re.findall(r"\{[^{}]*\}", text) if _SAID.search(o) and _SCORE.search(o)]
    verdict = next((o for o in reversed(objects) if _is_json(o)), objects[-1] if objects else text)
    pred, score = _SAID.findall(verdict), _SCORE.findall(verdict)
    correct = pred[-1].lower() == "yes" if pred and pred[-1] else None
    value = float(score[-1]) if score and score[-1] else None
    return correct, (value if value is not None and value <= 5 else None)


def _verdicts(record: Path, lines: Sequence[Mapping[str, Any]], judge: Judge) -> dict[str, tuple[str, Verdict]]:
    """A record's verdicts by id, each with the hash of what was asked. Raises: JudgeError for another judge's."""
    if not lines:
        return {}
    with shaped(record, allowed=_RECORD):
        named = (lines[0]["judge"], lines[0]["prompt_sha256"])
        if named != (judge.model, judge.header["prompt_sha256"]):
            kind = "prompt" if named[0] == judge.model else f"judge {named[0]!r}"
            raise JudgeError(
                f"{record}: written with another {kind}",
                allowed="one judge and one prompt a record",
                do="name another record",
            )
        # Replies are read anew, as an older version may have read them otherwise. It kept "None" or nothing where no
        # words came: that is asked again.
        return {
            row["id"]: (
                row["asked_sha256"],
                Verdict(row["id"], *parse_reply(row["reply"]), row["reply"], row.get("temperature", 0.0)),
            )
            for row in lines[1:]
            if row["reply"] != "None" and row["reply"].strip()
        }


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
