"""One chat with an OpenAI-compatible endpoint: a refusal is told in its own words, a busy one is asked again."""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from rewind.errors import RewindError

WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""Before each new try, where the endpoint asks for no other wait."""
LONGEST_S = 60.0
"""An endpoint that wants a longer wait is not waited for."""
_TOLD = 200  # characters of a refusal that are told
_DO = "check --judge; what was judged so far is kept"
_sleep = time.sleep


class JudgeError(RewindError):
    """The judge cannot be reached or does not answer, or a record belongs to another judge."""


@dataclass
class Endpoint:
    """Where one model is asked. `temperature` is 0 until the model refuses that; then None, which is its own.

    Args:
        url: of the API, without ``/chat/completions``.
        key: sent as a bearer token where it is not empty; it never stands in an error, of whatever `key_name` names.
    """

    url: str
    model: str
    key: str = field(repr=False)
    key_name: str
    timeout_s: float
    temperature: float | None = 0.0

    def ask(self, text: str) -> str:
        """Send one prompt; the reply's words. Raises: JudgeError where none come."""
        for wait_s in (*WAITS_S, None):
            try:
                return self._words(self._send(text))
            except urllib.error.HTTPError as error:
                told = self._told(error)
                if error.code in (400, 422) and self.temperature is not None and "temperature" in told.lower():
                    self.temperature = None
                    return self.ask(text)
                after_s = _retry_after(error.headers.get("Retry-After"))
                busy = error.code == 429 or error.code >= 500
                if not busy or wait_s is None or (after_s or 0) > LONGEST_S:
                    asks = f", asks to wait {after_s:.0f} s" if after_s else ""
                    raise JudgeError(f"{self._name}: HTTP {error.code}{asks}: {told}", do=_DO) from None
                _sleep(wait_s if after_s is None else after_s)
            except (OSError, http.client.HTTPException) as error:
                raise JudgeError(f"{self._name}: {error}", do=_DO) from error
            except ValueError:
                # The error's own words and its chain would show the key, where that is what HTTP cannot send.
                raise JudgeError(f"{self._name}: HTTP cannot send this address or {self.key_name}", do=_DO) from None
        raise AssertionError("the last try returns or raises")

    @property
    def _name(self) -> str:
        return f"judge {self._address}"

    @property
    def _address(self) -> str:
        return self.url.rstrip("/") + "/chat/completions"

    def _send(self, text: str) -> bytes:
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": text}]}
        if self.temperature is not None:
            body["temperature"] = self.temperature
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self._address, json.dumps(body).encode(), headers)  # noqa: S310  (http only)
        with _OPENER.open(request, timeout=self.timeout_s) as reply:
            return bytes(reply.read())

    def _words(self, data: bytes) -> str:
        try:
            choice = json.loads(data)["choices"][0]
            words = choice["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise JudgeError(f"{self._name}: a reply of another form", allowed="an OpenAI chat completion") from error
        if not isinstance(words, str) or not words.strip():
            why = choice["message"].get("refusal") or choice.get("finish_reason") or "no reason given"
            raise JudgeError(f"{self._name}: a reply without words ({str(why)[:_TOLD]})", do=_DO)
        return words

    def _told(self, error: urllib.error.HTTPError) -> str:
        """The beginning of what an endpoint says to a refusal, without the key."""
        try:
            with error:
                data = error.read(64 * _TOLD).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            data = ""
        told = " ".join((data.replace(self.key, "…") if self.key else data).split())
        return told[:_TOLD] or str(error.reason)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for the address that was given, and for no other that it points to: a redirect is a refusal."""

    def redirect_request(self, *_args: Any, **_options: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def is_address(url: str) -> bool:
    """Whether a text is an http(s) address with a host."""
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date; None for neither."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
