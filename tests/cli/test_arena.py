"""`rewind arena`: what is wrong usage, and is refused before anything is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from rewind.arena import CONTENDERS

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--split", "foo"], "'foo' is not one of 'validation', 'test'"),
        (["--split", "foo", "--list"], "'foo' is not one of 'validation', 'test'"),
        (["--encoder", "nope"], "--encoder 'nope'; allowed: a bundled model, a model's folder or a training run's"),
        (["--decoder", "nope"], "'nope'; allowed: nano, a folder with config.json"),
        (["--tokens", "100"], "100 tokens; allowed: a multiple of 64"),
        (["--recipes", "rewind,foo"], "recipes foo; allowed: "),
        (["--recipes", ","], "--recipes without a name"),
        (["--recipes", ""], "--recipes without a name"),
        (["--budget", "soon"], "'soon'; allowed: a time such as"),
    ],
)
def test_wrong_usage_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rewind.arena.run_arena", lambda *_, **__: pytest.fail("trained"))
    result = run("arena", *options)
    assert result.exit_code == 2, result.stderr
    assert line in result.stderr
    assert result.stderr.rstrip().endswith("see: rewind arena --help")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_recipes_are_named(run: Run) -> None:
    assert [line.split()[0] for line in run("arena", "--list").stdout.splitlines()] == list(CONTENDERS)
    listed = run("arena", "--list", "--json").stdout
    assert listed.count("\n") == 1
    recipes = json.loads(listed)["recipes"]
    assert [recipe["name"] for recipe in recipes] == list(CONTENDERS)
    assert {recipe["group"] for recipe in recipes} == {c.group for c in CONTENDERS.values()}
