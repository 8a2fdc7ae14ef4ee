"""How refusals are worded, whichever version of typer makes them."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from rewind.cli.refusals import explain_os_error, os_refusal, usage_refusal


def _option(**changes: Any) -> Any:
    param = SimpleNamespace(opts=["--limit"], get_error_hint=lambda *_: "'--limit'")
    vars(param).update(changes)
    return param


@pytest.mark.parametrize(
    ("kind", "low", "high", "allowed"),
    [
        ("integer range", 1, None, "a whole number, 1 or more"),
        ("integer", None, None, "a whole number"),
        ("float range", 0.0, 1.0, "a number from 0 to 1"),
    ],
)
def test_numbers_of_earlier_versions_of_typer(kind: str, low: Any, high: Any, allowed: str) -> None:
    option = _option(type=SimpleNamespace(name=kind, min=low, max=high))
    error = typer.BadParameter("7 is not in the range.", param=option)
    assert usage_refusal(error, ["--limit", "7"]) == f"Invalid value for '--limit': '7'; allowed: {allowed}"


def test_what_is_no_number_or_was_not_given_keeps_its_words() -> None:
    parsed = _option(type=SimpleNamespace(name="parse_time"))
    assert "1:x; allowed: seconds" in usage_refusal(
        typer.BadParameter("1:x; allowed: seconds", param=parsed), ["--limit", "1:x"]
    )
    number = _option(type=SimpleNamespace(name="integer", min=None, max=None))
    assert usage_refusal(typer.BadParameter("not a number.", param=number), ["find"]).endswith(
        "'--limit': not a number"
    )


def test_an_operating_systems_refusal_says_what_to_do() -> None:
    error = OSError(errno.EROFS, "Read-only file system", "/kept")
    assert explain_os_error(error) == "/kept: read-only file system"
    assert os_refusal(error) == (
        "/kept: read-only file system; allowed: a place that can be written to; give another path"
    )
    assert os_refusal(OSError("odd")) == "odd"
