"""After training: make scores and confidences mean something, on validation videos that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.precision import mixed
from rewind.text import TextEncoder
from rewind.text.spelling import read_instructions
from rewind.train.bank import ProjectedBank
from rewind.train.examples import Example, collate, draw_example
from rewind.train.losses import draw_key_frames, prompt_parts, remember
from rewind.worlds.questions import KINDS
from rewind.worlds.wording import TEMPLATES

_FOREIGN = (
    *TEMPLATES["exists.object"], *TEMPLATES["find.object"], *TEMPLATES["count.object"],
    "find {a}", "{a_thing}", "{name}", "the {name}", "what colour is the {name}?",
    "how many {name}s are there?", "show me {a}", "what does the {name} do?",
    "what is on the screen now?", "who is talking?", "what happens at the end?", "where does this take place?",
)  # fmt: skip
"""Questions of real footage, in the worlds' own wordings too, so that the thing asked about decides and not the form:
the decoder was not taught to answer them, and should not be believed on them."""


def calibrate(
    model: ReWind, bank: ProjectedBank, text: TextEncoder, tokenizer: AnswerTokenizer, *, frames: int = 64,
    per_kind: int = 96, seed: int = 0,
) -> dict[str, float]:  # fmt: skip
    """Fit the model's calibration buffers in place.

    - Frame scores: temperature and shift of the logits, so that the sigmoid is the share of such frames that are
      relevant (Platt 1999).
    - Answers: a temperature on the log-probability of the whole answer, so that confidence is the share right.
    - Familiarity: a logistic head on the instruction's features, world questions against questions of real footage.

    Returns: validation numbers by question kind, and what calibration changed.
    """
    rng = np.random.default_rng([seed, 99])
    numbers: dict[str, float] = {}
    logits, labels, certainties, rights = [], [], [], []
    asked: list[str] = []
    things: list[str] = []
    for kind in KINDS:
        correct: list[bool] = []
        for start in range(0, per_kind, 16):
            examples = _draw(bank, rng, kind, frames, min(16, per_kind - start))
            if not examples:
                continue
            score, certainty, right = _try(model, bank, examples, text, tokenizer)
            logits.append(score.amax(-1).flatten().cpu())
            labels.append(torch.from_numpy(np.stack([e.relevant.any(-1) for e in examples])).float().flatten())
            certainties.append(certainty)
            rights.append(right.float())
            correct += right.tolist()
            asked += [e.text for e in examples]
            things += [e.question.query for e in examples if e.question.query]
        if correct:
            numbers[f"accuracy.{kind}"] = float(np.mean(correct))
            numbers[f"n.{kind}"] = len(correct)
    numbers |= _fit_scores(model, torch.cat(logits), torch.cat(labels))
    numbers |= _fit_answers(model, torch.cat(certainties), torch.cat(rights))
    numbers |= _fit_familiarity(model, text, asked + 2 * things, rng)
    model.answers.fill_(1.0)
    return numbers


def _draw(bank: ProjectedBank, rng: np.random.Generator, kind: str, frames: int, count: int) -> list[Example]:
    examples = []
    for _ in range(count):
        try:
            examples.append(draw_example(bank, rng, frames=frames, kind=kind))  # type: ignore[arg-type]
        except ValueError:
            break
    return examples


@torch.no_grad()
def _try(
    model: ReWind, bank: ProjectedBank, examples: Sequence[Example], text: TextEncoder, tokenizer: AnswerTokenizer
) -> tuple[Tensor, Tensor, Tensor]:
    """Frame logits (n, T), log-probability of the greedy answer (n,), whether it is right (n,)."""
    batch, _ = collate(bank, examples, tokenizer, text, model.device)
    assert model.decoder is not None  # noqa: S101
    with mixed(model.device):
        state = remember(model, batch.patches, batch.text)
        tokens = state.tokens()
        logits = model.score(tokens, state.pooled).float()
        rows = draw_key_frames(
            logits.amax(-1),
            batch.relevant.amax(-1),
            keep=model.config.key_frames,
            teacher=0.0,
            generator=torch.Generator().manual_seed(0),
        )
        embeddings, mask = model.prompt(prompt_parts(model, state, tokens, logits, batch, rows))
        certainty, right = [], []
        for i, example in enumerate(examples):
            words = model.decoder.generate(embeddings[i : i + 1, mask[i]], limit=8)
            certainty.append(sum(words.log_probabilities))
            right.append(tokenizer.decode(words.ids) == example.answer)
    return logits, torch.tensor(certainty), torch.tensor(right)


def _fit_scores(model: ReWind, logits: Tensor, labels: Tensor) -> dict[str, float]:
    scale, shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
    before = functional.binary_cross_entropy_with_logits(logits, labels)

    def loss() -> Tensor:
        return functional.binary_cross_entropy_with_logits(logits * scale + shift, labels)

    after = _minimise(loss, [scale, shift])
    model.score.temperature.fill_(1 / max(float(scale.detach()), 1e-3))
    model.score.shift.fill_(float(shift.detach()))
    order = logits.argsort(descending=True)
    hits = labels[order].cumsum(0) / torch.arange(1, len(order) + 1)
    precision = float((hits * labels[order]).sum() / labels.sum())
    return {"score.nll.before": float(before), "score.nll": after, "score.average_precision": precision}


def _fit_answers(model: ReWind, certainty: Tensor, right: Tensor) -> dict[str, float]:
    inverse = nn.Parameter(torch.ones(()))

    def loss() -> Tensor:
        p = (certainty * inverse.clamp(min=0.05)).exp().clamp(1e-4, 1 - 1e-4)
        return functional.binary_cross_entropy(p, right)

    nll = _minimise(loss, [inverse])
    model.answer_temperature.fill_(1 / max(float(inverse.detach()), 0.05))
    confidence = (certainty / model.answer_temperature.cpu()).exp()
    bins = [(confidence >= a) & (confidence < a + 0.1001) for a in np.arange(0, 1, 0.1)]
    gap = sum(float(b.float().mean() * (confidence[b].mean() - right[b].mean()).abs()) for b in bins if b.any())
    return {"answer.nll": nll, "answer.calibration_error": gap, "answer.accuracy": float(right.mean())}


def _fit_familiarity(
    model: ReWind, text: TextEncoder, asked: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    names = files("rewind.vision").joinpath("imagenet_classes.txt").read_text(encoding="utf-8").split("\n")
    names = [n.split(",")[0].strip() for n in names if n.strip() and not n.startswith("#")]
    foreign = []
    for _ in asked:
        name = names[int(rng.integers(len(names)))]
        article = f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
        foreign.append(_FOREIGN[int(rng.integers(len(_FOREIGN)))].format(a=article, a_thing=article, name=name))
    texts = [*asked, *foreign]
    features = read_instructions(text, texts).pooled.to(model.device)
    labels = torch.tensor([1.0] * len(asked) + [0.0] * len(foreign), device=model.device)
    # Whole texts are held out: things stand in `asked` more than once.
    apart = set(list(dict.fromkeys(texts))[::5])
    held = torch.tensor([t in apart for t in texts], device=model.device)
    head = model.known
    for parameter in head.parameters():
        parameter.requires_grad_(True)

    def loss() -> Tensor:
        fit = functional.binary_cross_entropy_with_logits(head(features[~held])[:, 0], labels[~held])
        return fit + 1e-5 * sum(p.square().sum() for p in head.parameters())

    _minimise(loss, list(head.parameters()))
    with torch.no_grad():
        right = ((head(features[held])[:, 0] > 0) == labels[held].bool()).float().mean()
    return {"familiarity.accuracy": float(right)}


def _minimise(loss: Callable[[], Tensor], parameters: list[nn.Parameter]) -> float:
    optimiser = torch.optim.LBFGS(parameters, lr=0.5, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)
    return float(closure().detach())
