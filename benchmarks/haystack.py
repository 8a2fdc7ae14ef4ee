"""Find things in a film made of real clips: is the best moment in the right clip, and is what is absent called absent?

    python -m benchmarks.haystack --corpus DIR [--split heldout]

`haystack_queries.json` names the clips of two halves, joined end to end into one film each (clip_seconds a clip, one
frame a second, short clips repeated), with queries of things in them and of things in none. Prints lines of JSON:
`right` is the share of present queries whose best moment scores at least the threshold and lies in a clip that shows
the thing; `first` the same without the threshold; `absent` the share of absent queries below it. Each with n and a
95 % bootstrap interval over queries. The halves were drawn before anything was tuned; only `tuning` was tuned on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rewind.text import load_text
from rewind.values import Timeline
from rewind.video import open_frames
from rewind.vision import VisionEncoder, load_vision
from rewind.vision.concepts import SEEN, Concepts

QUERIES = Path(__file__).with_name("haystack_queries.json")


def read_clip(path: Path, encoder: VisionEncoder, *, seconds: int) -> Tensor:
    """Posteriors (seconds, V, K) of one clip at one frame a second, repeated where it is shorter."""
    rows: list[Tensor] = []
    with open_frames(path, size=encoder.input_size) as stream:
        for frame in stream:
            rows.append(torch.from_numpy(frame.pixels))
            if len(rows) == seconds:
                break
    posterior = encoder.encode(torch.stack(rows))[2]
    return posterior[torch.arange(seconds) % len(rows)]


def interval(hits: Sequence[bool], *, draws: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of a share."""
    rng = np.random.default_rng(0)
    values = np.asarray(hits, float)
    means = rng.choice(values, (draws, len(values))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return round(float(low), 3), round(float(high), 3)


def run(corpus: Path, split: str, *, threshold: float, verbose: bool = False) -> list[dict[str, Any]]:
    """Measure one half; one dictionary a line."""
    spec = json.loads(QUERIES.read_text())
    half, seconds = spec[split], spec["clip_seconds"]
    encoder, concepts = load_vision(), Concepts(load_text())
    started = time.perf_counter()
    film = torch.cat([read_clip(corpus / "videos" / name, encoder, seconds=seconds) for name in half["clips"]])
    watched_s = time.perf_counter() - started
    owner = [name for name in half["clips"] for _ in range(seconds)]
    timeline = Timeline.regular(len(film))

    def best(query: str) -> tuple[float, str]:
        scores = concepts.score(film, query, timeline).scores
        row = int(scores.argmax())
        if verbose:
            print(json.dumps({"query": query, "score": round(float(scores[row]), 3), "clip": owner[row]}))
        return float(scores[row]), owner[row]

    started = time.perf_counter()
    present = [(score, clip in item["clips"]) for item in half["present"] for score, clip in [best(item["query"])]]
    absent = [best(query)[0] for query in half["absent"]]
    scored_s = (time.perf_counter() - started) / (len(present) + len(absent))
    outcomes = {
        "first": [hit for _, hit in present],
        "right": [hit and score >= threshold for score, hit in present],
        "absent": [score < threshold for score in absent],
    }
    common = {"benchmark": "haystack", "split": split, "threshold": threshold, "frames": len(film)}
    lines: list[dict[str, Any]] = [
        {
            **common,
            "metric": name,
            "value": round(float(np.mean(hits)), 3),
            "n": len(hits),
            "interval_95": interval(hits),
        }
        for name, hits in outcomes.items()
    ]
    lines.append({**common, "metric": "seconds", "watch": round(watched_s, 1), "score_a_query": round(scored_s, 4)})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with videos/")
    parser.add_argument("--split", choices=("tuning", "heldout"), default="tuning")
    parser.add_argument("--threshold", type=float, default=SEEN, help="least score that counts as seen")
    parser.add_argument("--verbose", action="store_true", help="a line for each query")
    given = parser.parse_args()
    for line in run(given.corpus, given.split, threshold=given.threshold, verbose=given.verbose):
        print(json.dumps(line))


if __name__ == "__main__":
    main()
