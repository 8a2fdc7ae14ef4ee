"""One door to every benchmark's figures: a predictions file and an annotation file in, the official keys out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from rewind.errors import ConfigError
from rewind.evaluate.grounding import (
    read_activitynet,
    read_charades,
    read_timechat,
    score_grounding,
    score_timechat,
)
from rewind.evaluate.judge import Judge
from rewind.evaluate.moviechat import score_moviechat
from rewind.evaluate.nextqa import score_nextgqa, score_nextqa
from rewind.evaluate.qvhighlights import score_qvhighlights
from rewind.evaluate.result import Result
from rewind.language.times import Bare

Benchmark = Literal["charades-sta", "activitynet", "qvhighlights", "nextqa", "nextgqa", "moviechat", "timechat"]
BENCHMARKS: tuple[Benchmark, ...] = get_args(Benchmark)
SPANS: tuple[Benchmark, ...] = ("charades-sta", "activitynet", "timechat", "nextgqa")
"""Benchmarks whose predictions are stretches of any form; QVHighlights' windows are seconds by its own rule."""
_OTHER_NAMES = {
    "charades": "charades-sta",
    "charadessta": "charades-sta",
    "activitynetcaptions": "activitynet",
    "anet": "activitynet",
    "qvh": "qvhighlights",
    "moviechat1k": "moviechat",
    "timechattvg": "timechat",
}


def benchmark_named(name: str) -> Benchmark:
    """The benchmark that a user's spelling means ("NExT-QA", "charades_sta"). Raises: ConfigError for none."""
    plain = "".join(c for c in name.lower() if c.isalnum())
    for benchmark in BENCHMARKS:
        if plain == benchmark.replace("-", "") or _OTHER_NAMES.get(plain) == benchmark:
            return benchmark
    raise ConfigError(f"benchmark {name!r}", allowed=", ".join(BENCHMARKS))


def check_bare(benchmark: Benchmark, bare: Bare) -> None:
    """Raises: ConfigError where a benchmark's predictions have no numbers whose unit could be told."""
    if bare != "seconds" and benchmark not in SPANS:
        raise ConfigError(f"--bare {bare} for {benchmark}", allowed=f"it for {', '.join(SPANS)}")


def score(
    benchmark: str,
    predictions: Path,
    annotations: Path,
    *,
    judge: Judge | None = None,
    record: Path | None = None,
    bare: Bare = "seconds",
) -> Result:
    """Score a predictions file.

    Args:
        benchmark: one of `BENCHMARKS`, in any usual spelling.
        annotations: the benchmark's own file (for NExT-GQA `gsub_*.json`, its CSV beside it).
        judge: for MovieChat-1K; `record` is where its replies are kept.
        bare: what predicted numbers without a unit are, for `SPANS`.

    Raises:
        ConfigError: no such benchmark, a file of another shape, predictions for other questions.
    """
    name = benchmark_named(benchmark)
    if judge is not None and name != "moviechat":
        raise ConfigError(f"a judge for {name}", allowed="a judge for moviechat only")
    check_bare(name, bare)
    for path in (predictions, annotations):
        if not path.exists():
            raise ConfigError(f"{path}: not there", allowed="a file that exists")
    if name == "charades-sta":
        return score_grounding(read_charades(annotations), predictions, bare=bare)
    if name == "activitynet":
        return score_grounding(read_activitynet(annotations), predictions, bare=bare)
    if name == "timechat":
        return score_timechat(read_timechat(annotations), predictions, bare=bare)
    if name == "qvhighlights":
        return score_qvhighlights(annotations, predictions)
    if name == "nextqa":
        return score_nextqa(annotations, predictions)
    if name == "nextgqa":
        return score_nextgqa(annotations, predictions, bare=bare)
    return score_moviechat(annotations, predictions, judge=judge, record=record)


def score_predictions(
    benchmark: str,
    predictions: Path,
    annotations: Path,
    *,
    seed: int = 0,
    judge: Judge | None = None,
    record: Path | None = None,
    bare: Bare = "seconds",
) -> dict[str, Any]:
    """`score` as one JSON object: metrics, n, videos, unparsed, 95 % bootstrap intervals (by `seed`) and notes."""
    result = score(benchmark, predictions, annotations, judge=judge, record=record, bare=bare)
    return {"benchmark": benchmark_named(benchmark), **result.to_json(seed=seed)}
