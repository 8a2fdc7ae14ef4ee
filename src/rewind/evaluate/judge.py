"""A language model as judge of open answers, behind any OpenAI-compatible endpoint; every reply is kept.

Judges differ by points, so a record belongs to one judge and one prompt: its first line names both, and another judge's
verdicts are refused. A record that breaks off is gone on with.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError, RewindError
from rewind.evaluate.files import read_lines, shaped

PROMPT = """You compare a predicted answer with the right answer to a question about a video.
Judge whether they mean the same. Other words for the same thing are right; a contradiction is not.

Question: {question}
Right answer: {answer}
Predicted answer: {prediction}

Reply with one JSON object and nothing else, the score a whole number from 0 (wrong) to 5 (the same):
{{"pred": "yes" or "no", "score": 0 to 5}}"""
_BLANKS = ("{question}", "{answer}", "{prediction}")
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
    """An endpoint (``https://host/v1``), the model that judges, and the prompt with its three blanks."""

    url: str
    model: str
    prompt: str = PROMPT
    key_variable: str = "OPENAI_API_KEY"
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(f"judge {self.url!r}", allowed="an http(s) address of an OpenAI-compatible endpoint")
        if any(blank not in self.prompt for blank in _BLANKS):
            raise ConfigError("a judge's prompt without its blanks", allowed=f"a text with {', '.join(_BLANKS)}")

    @property
    def header(self) -> dict[str, str]:
        """What names this judge in a record; the address is not part of it, nor is any key."""
        return {
            "judge": self.model,
            "prompt": self.prompt,
            "prompt_sha256": hashlib.sha256(self.prompt.encode()).hexdigest(),
        }

    def ask(self, text: str) -> str:
        """Send one prompt; the reply's text. Raises: JudgeError where none comes."""
        body = {"model": self.model, "temperature": 0, "messages": [{"role": "user", "content": text}]}
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(self.key_variable)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        address = self.url.rstrip("/") + "/chat/completions"
        request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310  (http only)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:  # noqa: S310
                content = json.load(reply)["choices"][0]["message"]["content"]
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            raise JudgeError(f"judge {address}: {error}", do="check --judge; what was judged so far is kept") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise JudgeError(
                f"judge {address}: a reply of another form", allowed="an OpenAI chat completion"
            ) from error
        return str(content)


def judge_all(judge: Judge, rows: list[dict[str, str]], record: Path, *, ask: Ask | None = None) -> list[Verdict]:
    """Verdicts on `rows` (`id`, `question`, `answer`, `prediction`); those that `record` has are taken from it.

    Raises:
        JudgeError: the record belongs to another judge or prompt, or the judge does not answer.
    """
    known = read_record(record, judge) if record.exists() else None
    ask = ask or judge.ask
    verdicts = []
    with record.open("a", encoding="utf-8") as out:
        if known is None:
            out.write(json.dumps(judge.header) + "\n")
        for row in rows:
            text = judge.prompt.format(**{k: row[k] for k in ("question", "answer", "prediction")})
            asked = hashlib.sha256(text.encode()).hexdigest()
            old = (known or {}).get(row["id"])
            if old is not None and old[0] == asked:
                verdicts.append(old[1])
                continue
            reply = ask(text)
            correct, score = parse_reply(reply)
            verdict = Verdict(row["id"], correct, score, reply)
            out.write(json.dumps({**asdict(verdict), "asked_sha256": asked}) + "\n")
            out.flush()
            verdicts.append(verdict)
    return verdicts


def read_record(record: Path, judge: Judge | None = None) -> dict[str, tuple[str, Verdict]]:
    """A record's verdicts by id, each with the hash of what was asked. Raises: JudgeError for another judge's."""
    allowed = "a judge's record: a header line, then a verdict a line"
    lines = read_lines(record)
    with shaped(record, allowed=allowed):
        header = lines[0]
        named = (header["judge"], header["prompt_sha256"])
        if judge is not None and named != (judge.model, judge.header["prompt_sha256"]):
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


def parse_reply(reply: str) -> tuple[bool | None, float | None]:
    """yes/no and 0–5 of a judge's reply, in JSON or Python's way of writing a dict; None for what is not there."""
    said = re.search(r"pred['\"]?\s*:\s*['\"]?(yes|no)\b", reply, re.IGNORECASE)
    score = re.search(r"score['\"]?\s*:\s*['\"]?(\d+(?:\.\d+)?)", reply, re.IGNORECASE)
    value = float(score[1]) if score else None
    return (None if said is None else said[1].lower() == "yes"), (value if value is not None and value <= 5 else None)


def header_of(record: Path) -> dict[str, Any]:
    """The first line of a record: the judge and the prompt."""
    with shaped(record, allowed="a judge's record"):
        return dict(read_lines(record)[0])
