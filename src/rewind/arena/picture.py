"""The picture: accuracy against tokens, accuracy against length; a line a recipe, its spread over seeds behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def draw(rows: Sequence[Row], path: Path, *, tokens: int, frames: int) -> Path | None:
    """Write the picture; None where matplotlib is not installed or nothing is there to draw.

    Args:
        rows: of `table.rows`. tokens, frames: of the main test.
    """
    trained = [r for r in rows if not r["weights_of"]]
    if not trained:
        return None
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return None
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 5.2), sharey=True)
    colours = pyplot.get_cmap("tab20")
    for number, row in enumerate(trained):
        colour = colours(number % 20)
        cells = row["cells"]
        _line(left, [c for c in cells if c["frames"] == frames], "tokens", row["recipe"], colour)
        _line(right, [c for c in cells if c["budget"] == tokens], "frames", row["recipe"], colour)
    chances = [kind["chance"] for kind in trained[0]["kinds"].values() if kind["chance"] is not None]
    if chances:
        left.axhline(sum(chances) / len(chances), color="grey", linestyle=":", label="chance")
    left.set_ylim(0, 1)  # shared with the right: differences are to be seen for what they are
    left.set_xlabel("visual tokens that the decoder got (mean)")
    right.set_xlabel("length of the video, seconds")
    left.set_ylabel("accuracy, mean over kinds")
    left.set_title(f"{frames} s, trained at {tokens} tokens")
    right.set_title(f"at most {tokens} tokens; kinds that a length does not hold are left out")
    shown = left.get_legend_handles_labels()  # the left has all lines, and that of chance
    right.legend(*shown, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    temporary = path.with_suffix(".tmp.png")
    figure.savefig(temporary, dpi=110)
    pyplot.close(figure)
    temporary.replace(path)
    return path


def _line(axis: Any, cells: Sequence[Row], across: str, label: str, colour: Any) -> None:
    points = sorted((c[across], c["accuracy"]["mean"], c["accuracy"]["sd"] or 0.0) for c in cells if c["accuracy"])
    if not points:
        return
    x, y, sd = (list(v) for v in zip(*points, strict=True))
    axis.plot(x, y, marker="o", markersize=4, label=label, color=colour)
    low, high = ([a + sign * b for a, b in zip(y, sd, strict=True)] for sign in (-1, 1))
    axis.fill_between(x, low, high, color=colour, alpha=0.12)
