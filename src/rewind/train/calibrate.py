"""After training: make scores and confidences mean something, on validation videos that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from rewind.train.examples import READING, Example, collate, draw_example
from rewind.train.losses import draw_key_frames, prompt_parts, remember
from rewind.worlds.questions import KINDS, Question
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
    per_kind: int = 96, phrases: int = 384, seed: int = 0,
) -> dict[str, float]:  # fmt: skip
    """Fit the model's calibration buffers in place.

    - Frame scores: temperature and shift of the logits, so that the sigmoid is the share of such frames that are
      relevant (Platt 1999).
    - Reading: a logistic head on the instruction's features, questions that are read off a frame against others: in the
      first token of their answers memory, read aloud, has a say.
    - Answers: a temperature on the log-probability of the whole answer, so that confidence is the share right.
    - Familiarity: a logistic head on the instruction's features, world questions against questions of real footage.

    Returns: validation numbers by question kind, and what calibration changed.
    """
    rng = np.random.default_rng([seed, 99])
    tried: list[_Tried] = []
    for kind in KINDS:
        for start in range(0, per_kind, 16):
            examples = _draw(bank, rng, kind, frames, min(16, per_kind - start))
            if examples:
                tried.append(_try(model, bank, examples, text, tokenizer))
    labels = [torch.from_numpy(np.stack([e.relevant.any(-1) for e in t.examples])).float().flatten() for t in tried]
    numbers = _fit_scores(model, torch.cat([t.logits.amax(-1).flatten().cpu() for t in tried]), torch.cat(labels))
    phrased = _phrased(bank, text, rng=np.random.default_rng([seed, 98]), frames=frames, per_kind=phrases)
    numbers |= _fit_reading(model, tried, phrased)
    said = [_say(model, t, tokenizer) for t in tried]
    for kind in KINDS:
        correct = [one for t, (_, right) in zip(tried, said, strict=True) if t.kind == kind for one in right.tolist()]
        if correct:
            numbers[f"accuracy.{kind}"] = float(np.mean(correct))
            numbers[f"n.{kind}"] = len(correct)
    numbers |= _fit_answers(model, torch.cat([c for c, _ in said]), torch.cat([r for _, r in said]).float())
    examples = [e for t in tried for e in t.examples]
    things = [e.question.query for e in examples if e.question.query]
    numbers |= _fit_familiarity(model, text, [e.text for e in examples] + 2 * things, rng)
    model.answers.fill_(1.0)
    return numbers


@dataclass(frozen=True)
class _Tried:
    """Videos B of one `kind` remembered: `tokens` (B, T, W, D), `logits` (B, T, tracks), the prompt's `embeddings` and
    `mask`, the instruction's features `pooled` (B, text_width), right answers `answer` (B, A)."""

    kind: str
    examples: Sequence[Example]
    tokens: Tensor
    logits: Tensor
    embeddings: Tensor
    mask: Tensor
    pooled: Tensor
    answer: Tensor


def _draw(
    bank: ProjectedBank, rng: np.random.Generator, kind: str, frames: int, count: int, *, any_level: bool = False
) -> list[Example]:
    examples = []
    for _ in range(count):
        try:
            examples.append(draw_example(bank, rng, frames=frames, kind=kind, any_level=any_level))  # type: ignore[arg-type]
        except ValueError:
            break
    return examples


@torch.no_grad()
def _try(
    model: ReWind, bank: ProjectedBank, examples: Sequence[Example], text: TextEncoder, tokenizer: AnswerTokenizer
) -> _Tried:
    batch, _ = collate(bank, examples, tokenizer, text, model.device)
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
    kind = examples[0].question.kind
    return _Tried(kind, examples, tokens, logits, embeddings, mask, batch.text.pooled.to(model.device), batch.answer)


@torch.no_grad()
def _say(model: ReWind, tried: _Tried, tokenizer: AnswerTokenizer) -> tuple[Tensor, Tensor]:
    """Log-probability of each greedy answer (B,), whether it is right (B,)."""
    assert model.decoder is not None  # noqa: S101
    certainty, right = [], []
    with mixed(model.device):
        heard = model.hear(tried.tokens, tried.logits, tried.pooled)
        for i, example in enumerate(tried.examples):
            words = model.decoder.generate(
                tried.embeddings[i : i + 1, tried.mask[i]], limit=8, heard=heard and heard.row(i)
            )
            certainty.append(sum(words.log_probabilities))
            right.append(tokenizer.decode(words.ids) == example.answer)
    return torch.tensor(certainty), torch.tensor(right)


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


def _is_read_off(question: Question) -> bool:
    """Whether a question is to be read off one frame. How many are on screen is, too, and the decoder says that better
    than the frame by itself (21 and 17 of 24; LOG.md)."""
    return question.kind in READING and question.form != "breakpoint.number"


@dataclass(frozen=True)
class _Phrased:
    """Questions n with phrases of all lengths: their `texts`, features (n, text_width), and whether each is read off
    one frame."""

    texts: Sequence[str]
    features: Tensor
    read_off: Sequence[bool]


def _phrased(
    bank: ProjectedBank, text: TextEncoder, *, rng: np.random.Generator, frames: int, per_kind: int
) -> _Phrased:
    """`per_kind` of each kind. In videos as short as these two words name a thing, in hours five: a head that had met
    short phrases alone took *which came first* with long ones for a question to be read off a frame."""
    drawn = [e for kind in KINDS for e in _draw(bank, rng, kind, frames, per_kind, any_level=True)]
    texts = [e.text for e in drawn]
    return _Phrased(texts, read_instructions(text, texts).pooled, [_is_read_off(e.question) for e in drawn])


def _fit_reading(model: ReWind, tried: Sequence[_Tried], phrased: _Phrased) -> dict[str, float]:
    """Which questions are read off a frame; and how likely right answers' first tokens are, without and with that."""
    wanted = torch.tensor(phrased.read_off, device=model.device).float()
    apart = _apart(phrased.texts, model.device)
    numbers = {"reads.accuracy": _fit_head(model.reads, phrased.features.to(model.device), wanted, apart)}
    one_will_do = torch.tensor([_is_read_off(e.question) for t in tried for e in t.examples], device=model.device)
    before, after = [], []
    with torch.no_grad(), mixed(model.device):
        for t in tried:
            heard, decoder = model.hear(t.tokens, t.logits, t.pooled), model.decoder
            assert decoder is not None  # noqa: S101  (only such are trained here)
            said, first = decoder(t.embeddings, t.mask, t.answer)[:, 0].float().log_softmax(-1), t.answer[:, 0]
            before.append(functional.nll_loss(said, first, reduction="none"))
            after.append(
                before[-1] if heard is None else functional.nll_loss(heard.pool(said), first, reduction="none")
            )
    for name, each in (("reading.nll.before", before), ("reading.nll", after)):
        numbers[name] = float(torch.cat(each)[one_will_do].mean()) if one_will_do.any() else 0.0
    return numbers


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
    held = _apart(texts, model.device)
    return {"familiarity.accuracy": _fit_head(model.known, features, labels, held)}


def _fit_head(head: nn.Module, features: Tensor, labels: Tensor, held: Tensor) -> float:
    """Logistic regression on features (n, text_width) but those `held` out; the share of those that are told right."""
    for parameter in head.parameters():
        parameter.requires_grad_(True)

    def loss() -> Tensor:
        fit = functional.binary_cross_entropy_with_logits(head(features[~held])[:, 0], labels[~held])
        return fit + 1e-5 * sum(p.square().sum() for p in head.parameters())

    _minimise(loss, list(head.parameters()))
    with torch.no_grad():
        return float(((head(features[held])[:, 0] > 0) == labels[held].bool()).float().mean())


def _apart(texts: Sequence[str], device: torch.device) -> Tensor:
    """Which of `texts` are held out (n,): one in five, whole texts, however often they stand there."""
    apart = set(list(dict.fromkeys(texts))[::5])
    return torch.tensor([t in apart for t in texts], device=device)


def _minimise(loss: Callable[[], Tensor], parameters: list[nn.Parameter]) -> float:
    optimiser = torch.optim.LBFGS(parameters, lr=0.5, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)
    return float(closure().detach())
