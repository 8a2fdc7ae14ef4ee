"""Find things in a film made of real clips: is the best moment in the right clip, and is what is absent called absent?

    python -m benchmarks.haystack --corpus DIR [--split heldout] [--joined]

`haystack_queries.json` names the clips of two halves, joined end to end into one film each (clip_seconds a clip, one
frame a second, short clips repeated), with queries of things in them and of things in none. Prints lines of JSON:
`right` is the share of present queries whose best moment scores at least the threshold and lies in a clip that shows
the thing; `first` the same without the threshold; `absent` the share of absent queries below it. Each with n and a
95 % bootstrap interval over queries. The halves were drawn before anything was tuned; only `tuning` was tuned on.

Without `--joined` each clip is read in its own shape and the concepts alone are asked. With it the clips become one
file, each fitted into 640 × 360 with black bars as a film joined of such clips is, and `Video.find` is asked as a user
asks: `right` is then that the middle of the first moment lies in the right clip, `overlap` the mean of intersection
over union of the first moment and that clip, of the queries that have a moment, and `overlap 0.5` the share that
reaches .5. A thing may be seen in part of its clip alone: compare ways, do not read it as their error. With
`--seconds 5` the film has a cut every five seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import torch
from PIL import Image
from torch import Tensor

import rewind
from rewind.loaded import engine, vision_encoder_of
from rewind.timeline import Timeline
from rewind.video import open_frames
from rewind.vision import VisionEncoder
from rewind.vision.concepts import SEEN

QUERIES = Path(__file__).with_name("haystack_queries.json")
SHAPE = (640, 360)


class Told(NamedTuple):
    """Of a query: its best score, the second of the film that is told, whether it counts as seen, and its moment."""

    score: float
    at_s: float
    seen: bool
    span: tuple[float, float] | None = None


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


def share(hits: Sequence[bool]) -> dict[str, Any]:
    """The share that is right, of how many, and its interval: what a line of JSON tells of a metric."""
    return {"value": round(float(np.mean(hits)), 3), "n": len(hits), "interval_95": interval(hits)}


def join(clips: Sequence[Path], film: Path, *, seconds: int) -> None:
    """One file of all clips at a frame a second, each fitted into `SHAPE`."""
    with av.open(str(film), "w") as out:
        stream = out.add_stream("libx264", rate=1, options={"crf": "20"})
        (stream.width, stream.height), stream.pix_fmt = SHAPE, "yuv420p"
        for clip in clips:
            with open_frames(clip, size=None) as frames:
                shown = [frame.pixels for frame, _ in zip(frames, range(seconds), strict=False)]
            for k in range(seconds):
                picture = Image.fromarray(shown[k % len(shown)])
                scale = min(SHAPE[0] / picture.width, SHAPE[1] / picture.height)
                fitted = picture.resize((round(picture.width * scale), round(picture.height * scale)))
                page = Image.new("RGB", SHAPE)
                page.paste(fitted, ((SHAPE[0] - fitted.width) // 2, (SHAPE[1] - fitted.height) // 2))
                out.mux(stream.encode(av.VideoFrame.from_image(page)))
        out.mux(stream.encode(None))


def by_concepts(
    clips: Sequence[Path], *, seconds: int, threshold: float, image_text: str | None
) -> Callable[[str], Told]:  # fmt: skip
    """Asks the concepts of all clips, each read in its own shape."""
    encoder, concepts = vision_encoder_of("nano", image_text), engine("nano", image_text).concepts
    assert concepts is not None
    film = torch.cat([read_clip(clip, encoder, seconds=seconds) for clip in clips])
    timeline = Timeline.regular(len(film))

    def find(query: str) -> Told:
        scores = concepts.score(film, query, timeline).scores
        best = float(scores.max())
        return Told(best, float(scores.argmax()), best >= threshold)

    return find


def by_the_product(
    clips: Sequence[Path], folder: Path, *, seconds: int, image_text: str | None
) -> Callable[[str], Told]:  # fmt: skip
    """Asks a joined file, as a user does."""
    film = folder / "film.mp4"
    join(clips, film, seconds=seconds)
    video = rewind.open(film, store=folder / "store", image_text=image_text)
    video.watch()

    def find(query: str) -> Told:
        found = video.find(query)
        if not found.moments:
            return Told(found.best_score, found.best_time_s, False)
        first = found.moments[0]
        return Told(first.score, (first.start_s + first.end_s) / 2, True, (first.start_s, first.end_s))

    return find


def _overlap(span: tuple[float, float], start_s: float, end_s: float) -> float:
    """Intersection over union of a moment and a clip."""
    shared = max(0.0, min(span[1], end_s) - max(span[0], start_s))
    return shared / (span[1] - span[0] + end_s - start_s - shared)


def run(
    corpus: Path,
    split: str,
    *,
    threshold: float = SEEN,
    joined: bool = False,
    image_text: str | None = None,
    seconds: int | None = None,
    verbose: bool = False,
) -> list[dict[str, Any]]:
    """Measure one half; one dictionary a line. `threshold` is for what is not joined; `seconds` a clip, where not those
    of the queries' file."""
    spec = json.loads(QUERIES.read_text())
    half, seconds = spec[split], seconds or spec["clip_seconds"]
    clips = [corpus / "videos" / name for name in half["clips"]]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        if joined:
            find = by_the_product(clips, Path(folder), seconds=seconds, image_text=image_text)
        else:
            find = by_concepts(clips, seconds=seconds, threshold=threshold, image_text=image_text)
        watched_s = time.perf_counter() - started

        def best(query: str) -> tuple[str, Told]:
            told = find(query)
            clip = half["clips"][min(int(told.at_s // seconds), len(clips) - 1)]
            if verbose:
                print(json.dumps({"query": query, "score": round(told.score, 3), "seen": told.seen, "clip": clip}))
            return clip, told

        started = time.perf_counter()
        asked = [(item["clips"], *best(item["query"])) for item in half["present"]]
        present = [(clip in right, told.seen) for right, clip, told in asked]
        absent = [best(query)[1].seen for query in half["absent"]]
        scored_s = (time.perf_counter() - started) / (len(present) + len(absent))
    outcomes = {
        "first": [hit for hit, _ in present],
        "right": [hit and seen for hit, seen in present],
        "absent": [not seen for seen in absent],
    }
    common: dict[str, Any] = {"benchmark": "haystack", "split": split, "joined": joined, "frames": seconds * len(clips)}
    if image_text is not None:
        common["image_text"] = image_text
    if not joined:
        common["threshold"] = threshold
    lines: list[dict[str, Any]] = [
        {
            **common,
            "metric": name,
            **share(hits),
        }
        for name, hits in outcomes.items()
    ]
    if joined:
        overlaps = [
            max(_overlap(told.span, k * seconds, (k + 1) * seconds) for k, c in enumerate(half["clips"]) if c in right)
            for right, _, told in asked
            if told.span is not None
        ]
        for least in (0.5, 0.7):
            lines.append({**common, "metric": f"overlap {least}", **share([iou >= least for iou in overlaps])})
        lines.append({**common, "metric": "overlap", "value": round(float(np.mean(overlaps)), 3), "n": len(overlaps)})
    lines.append({**common, "metric": "seconds", "watch": round(watched_s, 1), "score_a_query": round(scored_s, 4)})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with videos/")
    parser.add_argument("--split", choices=("tuning", "heldout", "tuning-b", "heldout-b"), default="tuning")
    parser.add_argument("--joined", action="store_true", help="one file of all clips, asked as a user asks")
    parser.add_argument("--seconds", type=int, help="of each clip, in place of what the queries' file says")
    parser.add_argument("--threshold", type=float, default=SEEN, help="least score that counts as seen, not joined")
    parser.add_argument("--image-text", metavar="hub:NAME", help="ask this model in place of the bundled classifier")
    parser.add_argument("--verbose", action="store_true", help="a line for each query")
    given = parser.parse_args()
    for line in run(
        given.corpus, given.split, threshold=given.threshold, joined=given.joined, image_text=given.image_text,
        seconds=given.seconds, verbose=given.verbose,
    ):  # fmt: skip
        print(json.dumps(line))


if __name__ == "__main__":
    main()
