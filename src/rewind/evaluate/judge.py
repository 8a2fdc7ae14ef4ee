"""A language model as judge of open answers, behind any OpenAI-compatible endpoint; every reply is kept.

Judges differ by points, so a record belongs to one judge and one prompt: its first line names both, and another judge's
verdicts are refused. A record that broke off, at whatever byte, is gone on with; what is refused is left as it was.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError, RewindError
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
Ask = Callable[[str], str]


class JudgeError(RewindError):
    """The judge cannot be reached, or a record belongs to another judge."""


@dataclass(frozen=True)
class Verdict:
    """What the judge said of one answer; `correct` and `score` are None where its reply could not be read."""

    id: str
    correct: bool | None
    score: float | None
    reply: str


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
        if not _is_address(self.url):
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

    def ask(self, text: str) -> str:
        """Send one prompt; the reply's text. Raises: JudgeError where none comes."""
        body = {"model": self.model, "temperature": 0, "messages": [{"role": "user", "content": text}]}
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(self.key_variable, "").strip()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        address = self.url.rstrip("/") + "/chat/completions"
        do = "check --judge; what was judged so far is kept"
        try:
            request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310  (http only)
            with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:  # noqa: S310
                data = reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise JudgeError(f"judge {address}: {error}", do=do) from error
        except ValueError:
            # The error's own words and its chain would show the key, where that is what HTTP cannot send.
            raise JudgeError(f"judge {address}: HTTP cannot send this address or {self.key_variable}", do=do) from None
        try:
            return str(json.loads(data)["choices"][0]["message"]["content"])
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise JudgeError(
                f"judge {address}: a reply of another form", allowed="an OpenAI chat completion"
            ) from error


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
    ask = ask or judge.ask
    verdicts = []
    for row in rows:
        text = judge.fill(row)
        asked = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        old = known.get(row["id"])
        if old is not None and old[0] == asked:
            verdicts.append(old[1])
            continue
        reply = ask(text)
        correct, score = parse_reply(reply)
        verdicts.append(Verdict(row["id"], correct, score, reply))
        lines.add({**asdict(verdicts[-1]), "asked_sha256": asked})
    return verdicts


def parse_reply(reply: str) -> tuple[bool | None, float | None]:
    """yes/no and 0–5 of a judge's reply, in JSON or Python's way of writing a dict; None for what is not there."""
    said = re.search(r"pred['\"]?\s*:\s*['\"]?(yes|no)\b", reply, re.IGNORECASE)
    score = re.search(r"score['\"]?\s*:\s*['\"]?(\d+(?:\.\d+)?)", reply, re.IGNORECASE)
    value = float(score[1]) if score else None
    return (None if said is None else said[1].lower() == "yes"), (value if value is not None and value <= 5 else None)


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
        return {
            row["id"]: (row["asked_sha256"], Verdict(row["id"], row["correct"], row["score"], row["reply"]))
            for row in lines[1:]
        }


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
