"""The runner of the benchmarks: which lines it takes, what it prints, how it ends."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from rewind.language.aloud import read_aloud
from rewind.models import load
from rewind.text import load_text
from rewind.values import Moment
from rewind.worlds import make_world
from rewind.worlds.index import Index, phrase
from rewind.worlds.splits import VALIDATION_SEEDS

sys.path.insert(0, str(Path(__file__).parents[1]))  # the benchmarks are not installed with the package

from benchmarks import Line
from benchmarks.__main__ import main
from benchmarks.aloud import ways
from benchmarks.memory_use import peak_mb
from benchmarks.parts import LEVEL, draw_parts, overlaps


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "benchmarks").glob("[a-z]*.py")), ids=lambda p: p.stem
)
def test_every_benchmark_can_be_imported(path: Path) -> None:
    importlib.import_module(f"benchmarks.{path.stem}")


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        (Line("a", 0.9, 0.9), True), (Line("a", 0.91, 0.9), False), (Line("a", 5.0, 5.0, at_least=True), True),
        (Line("a", 4.9, 5.0, at_least=True), False), (Line("a", 1.0, None), None),
    ],
)  # fmt: skip
def test_whether_a_bound_holds(line: Line, holds: bool | None) -> None:
    assert line.holds is holds
    assert line.to_json()["holds"] is holds


def test_the_peak_of_a_process_is_its_own_and_not_that_of_the_one_that_began_it() -> None:
    held = torch.ones(1 << 26)  # 256 MB
    assert peak_mb() > 256
    code = "from benchmarks.memory_use import peak_mb; print(peak_mb())"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert float(done.stdout) < peak_mb() - held.nbytes / 2**21


def _give(monkeypatch: pytest.MonkeyPatch, name: str, run: object) -> None:
    module = types.ModuleType(f"benchmarks.{name}")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"benchmarks.{name}", module)


def test_lines_are_printed_with_the_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> list[Line]:
        print("on its way")
        return [Line("a", 0.5, 0.9, {"wall_s": 1}, {"wall_s": 2}), Line("b", 1.0, None)]

    _give(monkeypatch, "reading", run)
    assert main(["reading"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == ["a", "b"]
    assert lines[0]["holds"] is True
    assert lines[0]["machine"]["cores"] >= 1


def test_the_exit_code_says_the_worst(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _give(monkeypatch, "reading", lambda: Line("a", 2.0, 1.0))
    _give(monkeypatch, "watching", lambda: {"name": "b"})
    assert main(["reading"]) == 1
    assert main(["reading", "watching"]) == 2
    assert "a line without value, bound" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["nothing"])


def test_parts_show_what_they_are_said_to() -> None:
    index = Index(make_world(VALIDATION_SEEDS.start, seconds=300))
    drawn = list(draw_parts(index, np.random.default_rng(0), 12))
    assert sum(bool(part.shown) for part in drawn) == 6
    for part in drawn:
        spans = next(spans for look, spans in index.moments(LEVEL).items() if phrase(look) == part.thing)
        seconds = {t for a, b in spans for t in range(a, b)} & set(range(part.first, part.last))
        assert seconds == {t for a, b in part.shown for t in range(a, b)}
        assert all(overlaps(Moment(float(a), float(b), 1.0), part.shown) for a, b in part.shown)
        assert not overlaps(Moment(0.0, 300.0, 1.0), part.shown)


def test_who_is_heard_in_each_way() -> None:
    """The control hears other frames with the surest ones' share, and nothing where those are not heard."""
    model = load("nano")
    made = torch.Generator().manual_seed(4)
    tokens = torch.randn(1, 30, model.config.write_tokens, model.config.width, generator=made)
    logits = torch.linspace(-9, 9, 30)[None, :, None].expand(-1, -1, model.config.tracks)
    texts = load_text().encode(["What is the second character on the red sign?", "How many times does a star appear?"])
    hear = ways(model, np.random.default_rng(0))
    assert hear["decoder"](tokens, logits, texts.pooled[:1]) is None
    surest, others = (hear[name](tokens, logits, texts.pooled[:1]) for name in ("surest", "others"))
    assert surest is not None
    assert others is not None
    assert torch.equal(surest.weight, others.weight)
    assert not torch.allclose(surest.words, others.words)
    assert torch.allclose(
        surest.words[0], read_aloud(model.prompt, model.decoder, tokens[0, -4:], torch.ones(4)), atol=0.05
    )
    assert hear["surest"](tokens, logits, texts.pooled[1:]) is None
    assert hear["others"](tokens, logits, texts.pooled[1:]) is None
