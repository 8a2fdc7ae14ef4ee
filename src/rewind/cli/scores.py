"""How the figures of `rewind evaluate` are printed for a person to read."""

from __future__ import annotations

from typing import Any


def print_scores(result: dict[str, Any]) -> None:
    """A benchmark's official figures with their intervals, and the notes."""
    videos = f" on {result['videos']:,} video{'s' * (result['videos'] > 1)}" if result["videos"] else ""
    print(
        f"{result['benchmark']} · {result['n']:,} questions{videos} · "
        f"{result['unparsed']:,} without an answer that can be read"
    )
    width = max(len(key) for key in result["metrics"])
    for key, value in result["metrics"].items():
        low, high = result["intervals_95"][key]
        print(f"   {key:<{width}}  {value:6.2f}   {low:.2f} – {high:.2f}")
    for note in result["notes"]:
        print(note)
    if "predictions" in result:
        print(f"answers: {result['predictions']}")


def print_worlds(result: dict[str, Any]) -> None:
    """A line a kind: chance, the decoder, what the user is told, the control, the selector; then all else."""
    print(
        f"worlds {result['seed']}–{result['seed'] + result['videos'] - 1} ({result['split']}) · "
        f"{result['minutes']:g} min each · {result['questions']:,} questions · {result['model']}"
    )
    columns = ("decoder", "said", "question_only", "hit")
    print(f"{'':<12}{'n':>5}{'chance':>8}" + "".join(f"{c.replace('_', ' '):>21}" for c in columns))
    for kind, row in [*result["kinds"].items(), ("all", result["all"])]:
        chance = "-" if row["chance"] is None else f"{row['chance']:.2f}"
        print(f"{kind:<12}{row['n']:>5}{chance:>8}" + "".join(f"{_figure(row[c]):>21}" for c in columns))
    for name in ("find", "find_by_question"):
        told = ", ".join(f"{key} {_figure(value)}" for key, value in result[name].items())
        print(f"{name.replace('_', ' ')} (n {result[name]['mIoU']['n']}): {told}")
    for name, row in result["absent"].items():
        told = ", ".join(f"{key} {_figure(value)}" for key, value in row.items())
        print(f"absent by {name} (n {row['f1']['n']}): {told}")
    tokens = result["tokens"]
    print(
        "tokens: "
        + ", ".join(f"{k.replace('_', ' ')} {v['value']:.0f}" for k, v in tokens.items() if k != "budget" and v["n"])
        + f"; budget {tokens['budget']}"
    )
    for note in result["notes"]:
        print(f"note: {note}")
    print(f"answers: {result['work']}")


def _figure(row: dict[str, Any]) -> str:
    """`.31 [.25, .36]`, or a dash where no question is."""
    if row["value"] is None:
        return "-"
    low, high = row["interval_95"]
    return f"{row['value']:.2f} [{low:.2f}, {high:.2f}]"
