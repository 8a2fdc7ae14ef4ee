"""Results of many seeds as one object and one table: mean ± standard deviation over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rewind.arena.contenders import CONTENDERS
from rewind.worlds import KINDS

_FIND = ("R@1 IoU 0.3", "R@1 IoU 0.5", "R@1 IoU 0.7", "mIoU")
Values = Mapping[str, Any]


def spread(values: Sequence[float | None]) -> dict[str, Any] | None:
    """Mean, standard deviation (n − 1; None for one seed) and the values themselves; None where there is none."""
    there = [v for v in values if v is not None]
    if not there:
        return None
    sd = round(statistics.stdev(there), 4) if len(there) > 1 else None
    return {"mean": round(statistics.fmean(there), 4), "sd": sd, "seeds": there}


def rows(results: Mapping[str, Mapping[int, Values]]) -> list[dict[str, Any]]:
    """One row a recipe, in the registry's order; `results` by recipe and seed, with the figures of each cell."""
    made = []
    for name in (n for n in CONTENDERS if results.get(n)):
        by_seed = results[name]
        first = next(iter(by_seed.values()))
        mains = [r["cells"][0] for r in by_seed.values()]
        made.append(
            {
                "recipe": name,
                "about": CONTENDERS[name].about,
                "weights_of": CONTENDERS[name].weights_of,
                "seeds": sorted(by_seed),
                "n": mains[0]["n"],
                "accuracy": spread([m["accuracy"] for m in mains]),
                "kinds": {k: _kind(mains, k) for k in KINDS if mains[0]["kinds"][k]["n"]},
                "find": {k: spread([m["find"][k] for m in mains]) for k in _FIND},
                "absent_f1": spread([m["absent_f1"] for m in mains]),
                "hit": spread([m["hit"] for m in mains]),
                "tokens": mains[0]["tokens"],
                "tokens_most": max(m["tokens_most"] for m in mains),
                "frames": mains[0]["frames"],
                "seconds": spread([m["seconds"] for m in mains]),
                "train_seconds": spread([r["train_seconds"] for r in by_seed.values()]),
                "steps": first["steps"],
                "cells": [_cell([r["cells"][i] for r in by_seed.values()]) for i in range(len(first["cells"]))],
            }
        )
    return made


def _kind(mains: Sequence[Values], kind: str) -> dict[str, Any]:
    one = mains[0]["kinds"][kind]
    accuracy = spread([m["kinds"][kind]["accuracy"] for m in mains])
    return {"n": one["n"], "chance": one["chance"], "accuracy": accuracy,
            "hit": spread([m["kinds"][kind]["hit"] for m in mains])}  # fmt: skip


def _cell(of: Sequence[Values]) -> dict[str, Any]:
    return {
        "frames": of[0]["video_frames"],
        "budget": of[0]["budget"],
        "tokens": of[0]["tokens"],
        "n": of[0]["n"],
        "accuracy": spread([c["accuracy"] for c in of]),
        "mIoU": spread([c["find"]["mIoU"] for c in of]),
    }


def text(report: Values) -> str:
    """The table as plain text, with notes on what it holds; a star marks rows that are no training of their own."""
    made: Sequence[Values] = report["rows"]
    if not made:
        return "no recipe has been trained and tested yet"
    kinds = [k for k in KINDS if any(k in r["kinds"] for r in made)]
    head = ["recipe", *kinds, "mean", "R@.3", "R@.5", "R@.7", "mIoU", "absent F1", "hit", "tokens", "frames", "s"]
    body = [
        [
            r["recipe"] + ("*" if r["weights_of"] else ""),
            *(_pm(r["kinds"].get(k, {}).get("accuracy")) for k in kinds),
            _pm(r["accuracy"]),
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


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)
