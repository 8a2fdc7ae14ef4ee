"""Does memory, read aloud, help, and does it matter which frames are heard?

    python -m benchmarks.aloud [--seed 1000800] [--worlds 16] [--minutes 1] [--questions 20]

Worlds are drawn straight into the encoder; their seeds are validation's where none is given, so that choices may be
made by them. Prints a line of JSON a question kind and way: `decoder` hears nothing, `surest` is what the engine does,
`others` hears as many frames drawn at random, the control, with the surest ones' share. `value` is the share of right
answers in the decoder's words, with n and a 95 % bootstrap interval over the questions.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from benchmarks.haystack import share
from rewind.answering import choose, decode
from rewind.evaluate.marks import decoder_right
from rewind.evaluate.together import Asked, project_all, recollect_all
from rewind.evaluate.watched import draw_world
from rewind.language.aloud import HEARD, Heard, read_aloud
from rewind.loaded import engine as engine_of
from rewind.model import ReWind
from rewind.worlds import make_world, questions

Hear = Callable[[Tensor, Tensor, Tensor], "Heard | None"]


def ways(model: ReWind, rng: np.random.Generator) -> dict[str, Hear]:
    """What the decoder may be given to hear, by name."""
    surest, prompt, decoder = model.hear, model.prompt, model.decoder

    def others(tokens: Tensor, logits: Tensor, pooled: Tensor) -> Heard | None:
        heard = surest(tokens, logits, pooled)
        if heard is None or decoder is None:
            return None
        frames = torch.from_numpy(rng.choice(tokens.shape[1], min(HEARD, tokens.shape[1]), replace=False))
        words = read_aloud(prompt, decoder, tokens[0, frames], torch.ones(len(frames)))
        return Heard(words[None], heard.weight)

    return {"decoder": lambda *_: None, "surest": surest, "others": others}


def run(
    seed: int, *, worlds: int, minutes: float, per_kind: int, model: str = "nano"
) -> dict[tuple[str, str], list[bool]]:
    """Whether each answer was right, by question kind and by what was heard."""
    engine = engine_of(model)
    heard_by = ways(engine.model, np.random.default_rng(seed))
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for number in range(worlds):
        world = make_world(seed + number, seconds=round(minutes * 60))
        asked = questions(world, np.random.default_rng(seed + number), per_kind=per_kind)
        with tempfile.TemporaryDirectory() as folder:
            watched = draw_world(world, Path(folder) / "store", engine=engine)
            texts = [Asked(q.text, q.at_s) for q in asked]
            for n, seen in recollect_all(watched, texts, patches=project_all(watched)):
                timeline = watched.until(texts[n].until_s)
                stretch = watched.stored.stretch(0, len(timeline))
                picks, _ = choose(engine, seen, timeline)
                for name, hear in heard_by.items():
                    with patch.object(engine.model, "hear", hear):
                        said = decode(engine, seen, picks, stretch, timeline).text
                    right[asked[n].kind, name].append(decoder_right(asked[n], said))
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1_000_800, help="of the first world")
    parser.add_argument("--worlds", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--questions", type=int, default=20, help="of each kind on each world")
    parser.add_argument("--model", default="nano")
    given = parser.parse_args()
    right = run(given.seed, worlds=given.worlds, minutes=given.minutes, per_kind=given.questions, model=given.model)
    for (kind, heard), hits in sorted(right.items()):
        line = {"benchmark": "aloud", "seed": given.seed, "minutes": given.minutes, "metric": kind, "heard": heard}
        print(json.dumps({**line, **share(hits)}))


if __name__ == "__main__":
    main()
