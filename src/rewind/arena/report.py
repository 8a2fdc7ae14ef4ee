"""What an arena tells: the hours to come before it starts, and its report, which grows as recipes are finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rewind.arena.contenders import Contender
from rewind.arena.intervals import OURS
from rewind.arena.ledger import Arena, kept_arena
from rewind.arena.picture import draw
from rewind.arena.plan import Cost
from rewind.arena.table import rows, text

_FILE = "results.json"


def projection(arena: Arena, expected: Cost, contenders: Sequence[Contender], seeds: int) -> str:
    """One line on what is still to be done, said before it begins."""
    plan = arena.plan
    return (
        f"projected: {expected.total_s / 3600:.2f} hours ({expected.train_s / 3600:.2f} training, "
        f"{expected.test_s / 3600:.2f} testing) for what is not done yet of {len(contenders)} recipes asked for, "
        f"{seeds} seeds, {plan.short} + {plan.long} steps, {plan.per_kind} questions a kind"
    )


def write_report(arena: Arena, expected: Cost, *, finished: bool) -> dict[str, Any]:
    """results.json, table.txt and arena.png, each replaced whole."""
    report = _report(arena, finished=finished, hours=round(expected.total_s / 3600, 3))
    arena.write(_FILE, json.dumps(report, indent=1))
    arena.write("table.txt", text(report) + "\n")
    draw(report["rows"], arena.folder / "arena.png", tokens=arena.plan.tokens, frames=arena.plan.frames)
    return report


def kept_report(folder: Path) -> dict[str, Any]:
    """The report on what an arena's folder holds now, worked out anew from its results; nothing is written.

    Raises: ConfigError where it holds no arena, or one of another version.
    """
    arena, path = kept_arena(folder), folder / _FILE
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return _report(arena, finished=bool(told.get("finished")), hours=told.get("projected_hours"))


def _report(arena: Arena, *, finished: bool, hours: float | None) -> dict[str, Any]:
    results = arena.results()
    return {
        "finished": finished,
        "plan": arena.plan.to_json(),
        "asked_for": arena.asked_for.to_json(),
        "encoder": arena.encoder_name,
        "encoder_sha256": arena.fingerprint,
        "decoder": arena.decoder_name,
        "decoder_sha256": arena.decoder_fingerprint,
        "projected_hours": hours,
        "rows": rows(results, {name: {s: arena.answers(name, s) for s in of} for name, of in results.items()}),
        "notes": notes(arena, finished=finished),
        "out": str(arena.folder),
    }


def notes(arena: Arena, *, finished: bool) -> list[str]:
    """What a reader of the table must know."""
    plan, asked = arena.plan, arena.asked_for
    lines = [
        f"{plan.split} scenes, {plan.frames} s; at most {plan.tokens} visual tokens (τ, and up to 16 tokens for the "
        f"moments that a recipe's own scores find, come on top for all alike); {plan.short} + {plan.long} steps; up to "
        f"{plan.per_kind} questions a kind; ± is the standard deviation over seeds.",
        "mean: over kinds. R@ and mIoU: the best moment of present things. hit: a frame looked at closely is a true "
        "one. s: seconds a question, patches ready.",
        "95 %: where the mean may lie with other questions on other videos of these scenes (bootstrap over videos; how "
        f"trainings differ is not in it). less {OURS}: the same of the mean less that of {OURS}, question by question.",
        "* not trained: the weights of the recipe it is named after, one thing swapped at the test.",
    ]
    if plan != asked:
        lines.append(
            f"Cut to the budget, for all alike: {asked.short} + {asked.long} steps and {asked.per_kind} questions a "
            "kind would be whole."
        )
    if not finished:
        lines.append("Not finished: the same command goes on.")
    return lines
