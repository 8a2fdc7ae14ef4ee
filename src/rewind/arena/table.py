"""Results of many seeds as one object and one table: mean ± standard deviation over seeds, 95 % interval."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rewind.arena.contenders import CONTENDERS
from rewind.arena.intervals import OURS, Line, Parts, difference, interval_of, parts_of
from rewind.evaluate.figures import IOUS
from rewind.worlds import KINDS

_FIND = (*(f"R@1 IoU {u}" for u in IOUS), "mIoU")
Values = Mapping[str, Any]
Answers = Mapping[str, Mapping[int, Sequence[Line]]]
Told = Mapping[int, Mapping[str, Parts]]
"""By seed the parts of every figure of one test; empty where some seed's questions were not kept."""


def spread(values: Sequence[float | None], parts: Sequence[Parts] = ()) -> dict[str, Any] | None:
    """Mean, standard deviation (n − 1; None for one seed), the mean's 95 % interval and the values themselves.

    Args:
        values: one a seed; without any that is there None is given back.
        parts: of each seed, what its questions have in the figure; without them there is no interval.
    """
    there = [v for v in values if v is not None]
    if not there:
        return None
    sd = round(statistics.stdev(there), 4) if len(there) > 1 else None
    ends = interval_of(parts) if len(parts) == len(there) else None
    return {"mean": round(statistics.fmean(there), 4), "sd": sd, "interval": ends, "seeds": there}


def rows(results: Mapping[str, Mapping[int, Values]], answers: Answers) -> list[dict[str, Any]]:
    """One row a recipe, in the registry's order; `results` (the figures of each cell) and `answers` by recipe and seed.

    Without its answers a recipe has no intervals.
    """
    made = []
    names = [n for n in CONTENDERS if results.get(n)]
    all_told = {n: _told(results[n], answers.get(n, {})) for n in names}
    best = all_told[OURS][0] if OURS in all_told else {}
    for name in names:
        by_seed, cells = results[name], all_told[name]
        first = next(iter(by_seed.values()))
        mains, told = [r["cells"][0] for r in by_seed.values()], cells[0]
        made.append(
            {
                "recipe": name,
                "about": CONTENDERS[name].about,
                "weights_of": CONTENDERS[name].weights_of,
                "seeds": sorted(by_seed),
                "n": mains[0]["n"],
                "accuracy": spread([m["accuracy"] for m in mains], _of(told, "accuracy")),
                f"accuracy_less_{OURS}": None if name == OURS else difference(_accuracy(told), _accuracy(best)),
                "kinds": {k: _kind(mains, k, told) for k in KINDS if mains[0]["kinds"][k]["n"]},
                "find": {k: spread([m["find"][k] for m in mains], _of(told, k)) for k in _FIND},
                "absent_f1": spread([m["absent_f1"] for m in mains], _of(told, "absent_f1")),
                "hit": spread([m["hit"] for m in mains], _of(told, "hit")),
                "tokens": mains[0]["tokens"],
                "tokens_most": max(m["tokens_most"] for m in mains),
                "frames": mains[0]["frames"],
                "seconds": spread([m["seconds"] for m in mains]),
                "train_seconds": spread([r["train_seconds"] for r in by_seed.values()]),
                "steps": first["steps"],
                "cells": [_cell([r["cells"][i] for r in by_seed.values()], told) for i, told in enumerate(cells)],
            }
        )
    return made


def _told(by_seed: Mapping[int, Values], answers: Mapping[int, Sequence[Line]]) -> list[Told]:
    """Of every cell the parts of its figures, of every seed or of none."""
    cells = range(len(next(iter(by_seed.values()))["cells"]))
    if not all(answers.get(seed) for seed in by_seed):
        return [{} for _ in cells]
    return [{seed: _parts(answers[seed], r["cells"][i]) for seed, r in by_seed.items()} for i in cells]


def _parts(lines: Sequence[Line], cell: Values) -> Mapping[str, Parts]:
    of = (cell["video_frames"], cell["budget"])
    return parts_of([line for line in lines if (line["video_frames"], line["budget"]) == of])


def _of(told: Told, figure: str) -> list[Parts]:
    return [parts[figure] for parts in told.values() if figure in parts]


def _accuracy(told: Told) -> dict[int, Parts]:
    return {seed: parts["accuracy"] for seed, parts in told.items() if "accuracy" in parts}


def _kind(mains: Sequence[Values], kind: str, told: Told) -> dict[str, Any]:
    one = mains[0]["kinds"][kind]
    accuracy = spread([m["kinds"][kind]["accuracy"] for m in mains], _of(told, kind))
    hit = spread([m["kinds"][kind]["hit"] for m in mains], _of(told, f"hit {kind}"))
    return {"n": one["n"], "chance": one["chance"], "accuracy": accuracy, "hit": hit}


def _cell(of: Sequence[Values], told: Told) -> dict[str, Any]:
    return {
        "frames": of[0]["video_frames"],
        "budget": of[0]["budget"],
        "tokens": of[0]["tokens"],
        "n": of[0]["n"],
        "accuracy": spread([c["accuracy"] for c in of], _of(told, "accuracy")),
        "mIoU": spread([c["find"]["mIoU"] for c in of], _of(told, "mIoU")),
    }


def text(report: Values) -> str:
    """The table as plain text, with notes on what it holds; a star marks rows that are no training of their own."""
    made: Sequence[Values] = report["rows"]
    if not made:
        return "no recipe has been trained and tested yet"
    kinds = [k for k in KINDS if any(k in r["kinds"] for r in made)]
    measured = ["R@.3", "R@.5", "R@.7", "mIoU", "absent F1", "hit", "tokens", "frames", "s"]
    head = ["recipe", *kinds, "mean", "95 %", f"less {OURS}", *measured]
    body = [
        [
            r["recipe"] + ("*" if r["weights_of"] else ""),
            *(_pm(r["kinds"].get(k, {}).get("accuracy")) for k in kinds),
            _pm(r["accuracy"]),
            _ends(r["accuracy"]),
            "" if r["recipe"] == OURS else _ends(r[f"accuracy_less_{OURS}"]),
            *(_pm(r["find"][k]) for k in _FIND),
            _pm(r["absent_f1"]),
            _pm(r["hit"]),
            f"{r['tokens']:.0f}",
            f"{r['frames']:.0f}",
            f"{r['seconds']['mean']:.3f}",
        ]
        for r in made
    ]
    chances = {k: r["kinds"][k]["chance"] for r in made for k in kinds if k in r["kinds"]}
    body.append(["chance", *(_number(chances.get(k)) for k in kinds), *[""] * (len(head) - 1 - len(kinds))])
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in [head, *body]
    ]
    return "\n".join([*lines, "", *report["notes"]])


def _pm(value: Values | None) -> str:
    if value is None:
        return "–"
    return _number(value["mean"]) + ("" if value["sd"] is None else f"±{_number(value['sd'])}")


def _ends(value: Values | None) -> str:
    ends = None if value is None else value["interval"]
    return "–" if ends is None else " to ".join(map(_number, ends))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)
