"""What counts as right, case by case, and the figures by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewind.evaluate.bootstrap import interval_of_counts
from rewind.evaluate.figures import absence, grounding, mean, summarise
from rewind.evaluate.marks import Record, best_iou, chance_of, decoder_right, mark, said_right
from rewind.language.answer import Decoded
from rewind.replies import Told
from rewind.saying import Said
from rewind.values import AnswerSource, KeyFrame, Moment, TokenCount
from rewind.worlds import Question, make_world, questions

TOKENS = TokenCount(120, 100, 32, 10, 8, 151, 200)
EXISTS = Question("exists", "exists.object", 0, 0, "Is it?", "yes", ("yes",), ("yes", "no"), ((4, 6),))
GONE = replace(EXISTS, answer="no", accepted=("no",), moments=())
FIND = Question("find", "find.object", 0, 0, "When?", "at 4 s", ("at 4 s",), (), ((4, 6), (9, 10)), query="it")
LOST = replace(FIND, answer="never", accepted=("never",), moments=())
ORDER = Question("order", "order.first", 0, 0, "A or b?", "a", ("a", "the a"), ("a", "b"), ((4, 6),))
CODE = Question("needle", "needle.code", 0, 0, "Code?", "K7", ("K7",), (), ((4, 6),))


def given(word: str, said: str, source: AnswerSource, *, absent: bool = False) -> Told:
    return Told(
        Decoded(word, 0.7, TOKENS, ()), Said(said, source, 0.7, absent), (KeyFrame(5.0, 0.9, 5), KeyFrame(8.0, 0.1, 8)),
        (Moment(4.0, 6.0, 0.9),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer", "decoder", "said"),
    [
        (EXISTS, given("yes", "yes", "decoder"), True, True),
        (EXISTS, given("yes", "I do not know.", "none"), True, False),
        (EXISTS, given("no", "At 0:00:04 – 0:00:06.", "concepts"), False, True),
        (EXISTS, given("yes", "Not in this video (best …).", "concepts", absent=True), True, False),
        (GONE, given("yes", "Not in this video (best …).", "concepts", absent=True), False, True),
        (GONE, given("never", "Not in this video (best …).", "decoder", absent=True), False, True),
        (GONE, given("no", "no", "decoder"), True, True),
        (GONE, given("no", "no", "decoder", absent=True), True, True),
        (FIND, given("at", "At 0:00:04 – 0:00:06.", "decoder"), True, True),
        (FIND, given("at", "I do not know.", "none"), True, False),
        (FIND, given("red", "red", "decoder"), False, False),
        (FIND, given("red", "At 0:00:04.", "concepts"), False, True),
        (FIND, given("never", "Not in this video.", "decoder", absent=True), False, False),
        (LOST, given("never", "Not in this video.", "decoder", absent=True), True, True),
        (LOST, given("at", "Around 0:00:04, faintly.", "decoder"), False, False),
        (ORDER, given("The a.", "The a.", "decoder"), True, True),
        (ORDER, given("a", "At 0:00:04. On screen: a (0.3).", "concepts"), True, False),
        (ORDER, given("b", "b", "decoder"), False, False),
        (CODE, given("k7", "k7", "decoder"), True, True),
        (CODE, given("K 7", "K 7", "decoder"), False, False),
    ],
)
def test_what_is_right(question: Question, answer: Told, decoder: bool, said: bool) -> None:
    assert decoder_right(question, answer.decoded.text) is decoder
    assert said_right(question, answer) is said


def test_the_colour_that_a_question_on_a_change_names_is_no_guess() -> None:
    world = make_world(5, seconds=120)
    asked = [q for q in questions(world, np.random.default_rng(0), per_kind=6) if q.kind == "state"]
    assert {q.form for q in asked} == {"state.before", "state.after"}
    assert [chance_of(q) for q in asked] == [1 / 7] * len(asked)


def test_chance() -> None:
    assert [chance_of(q) for q in (EXISTS, FIND, LOST, CODE)] == [0.5, 2 / 3, 2 / 3, 0.0]


def test_a_record_says_where_the_key_frames_lie() -> None:
    seconds = [float(t) for t in range(12)]
    record = mark("7-0", FIND, given("at", "At 4.", "decoder"), [Moment(8.0, 10.0, 0.8)], seconds)
    assert (record.hit, record.even_hit) == (True, True)  # evenly spaced: 3 and 9
    assert record.found == [[8.0, 10.0, 0.8]]
    assert record.answer == "at"
    assert mark("7-0", LOST, given("at", "", "none"), [], seconds).hit is None
    far = replace(FIND, moments=((6, 8), (10, 12)))
    assert mark("7-0", far, given("at", "", "none"), [], seconds).hit is False
    assert Record(**record.to_json()) == record


def test_the_first_stretch_counts_against_the_best_true_one() -> None:
    assert best_iou([[8, 10], [4, 6]], [[4, 6], [9, 10]]) == 0.5
    assert best_iou([], [[4, 6]]) == best_iou([[4, 6]], []) == 0.0


def test_grounding_by_hand() -> None:
    pairs = [([[4, 6]], [[4, 6]]), ([[0, 10]], [[4, 8]]), ([], [[0, 1]]), ([[0, 1]], [[5, 6]])]
    figures = grounding(pairs)
    assert [figures[f"R@1 IoU {m}"]["value"] for m in (0.3, 0.5, 0.7)] == [0.5, 0.25, 0.25]
    assert figures["mIoU"]["value"] == 0.35
    assert figures["mIoU"]["n"] == 4


def test_absence_by_hand() -> None:
    said = [True, True, False, False, True]
    true = [True, False, True, False, True]
    figures = absence(said, true)
    assert (figures["precision"]["value"], figures["precision"]["n"]) == (0.6667, 3)
    assert (figures["recall"]["value"], figures["recall"]["n"]) == (0.6667, 3)
    assert figures["f1"]["value"] == 0.6667
    assert figures["f1"]["n"] == 5
    assert absence([False] * 3, [True] * 3)["f1"]["value"] == 0.0
    assert absence([], [])["f1"] == {"value": None, "n": 0, "videos": None, "interval_95": None}


def test_figures_of_worlds_resample_worlds() -> None:
    """Every question of one world is right, every one of the other wrong: one more world may be either."""
    seconds = [float(t) for t in range(12)]
    right, wrong = (EXISTS, given("yes", "yes", "decoder")), (EXISTS, given("no", "no", "decoder"))
    records = [mark(f"{w}-{i}", *c, None, seconds) for w, c in ((7, right), (8, wrong)) for i in range(50)]
    assert summarise(records, {})["all"]["said"] == {"value": 0.5, "n": 100, "videos": 2, "interval_95": [0.0, 1.0]}
    best = {7: [Moment(4.0, 6.0, 0.9)], 8: []}
    finds = [mark(f"{w}-{i}", FIND, given("at", "", "decoder"), best[w], seconds) for w in best for i in range(9)]
    assert summarise(finds, {})["find"]["mIoU"] == {"value": 0.5, "n": 18, "videos": 2, "interval_95": [0.0, 1.0]}
    said, true, groups = [True] * 9 + [False] * 9, [True] * 18, ["7"] * 9 + ["8"] * 9
    figures = absence(said, true, groups=groups)
    assert figures["f1"]["interval_95"] == figures["recall"]["interval_95"] == [0.0, 1.0]
    assert figures["precision"] == {"value": 1.0, "n": 9, "videos": 1, "interval_95": [1.0, 1.0]}
    assert mean([True, None, False, False], groups=["a", "b", "b", "b"]).to_json() == {
        "value": 0.3333, "n": 3, "videos": 2, "interval_95": [0.0, 1.0],
    }  # fmt: skip


def test_intervals_of_sums_are_those_of_plain_resampling() -> None:
    rng = np.random.default_rng(3)
    rows = rng.random((120, 2))
    low, high = interval_of_counts(rows, lambda s: s[:, 0] / s[:, 1])
    drawn = [rows[rng.integers(0, 120, 120)].sum(0) for _ in range(4000)]
    want = np.quantile([a / b for a, b in drawn], [0.025, 0.975])
    assert (low, high) == pytest.approx(tuple(want), abs=0.02)


def test_a_summary_counts_what_it_averages() -> None:
    seconds = [float(t) for t in range(12)]
    cases = [
        (EXISTS, given("yes", "yes", "decoder"), None), (GONE, given("yes", "yes", "decoder"), None),
        (FIND, given("at", "At.", "decoder"), [Moment(4.0, 6.0, 0.9)]), (LOST, given("at", "At.", "decoder"), []),
    ]  # fmt: skip
    records = [mark(f"7-{i}", q, a, f, seconds) for i, (q, a, f) in enumerate(cases)]
    result = summarise(records, {"7-0": True, "7-1": False, "7-2": True})
    assert result["kinds"]["exists"]["decoder"]["value"] == 0.5
    assert result["kinds"]["exists"]["question_only"] == {"value": 0.5, "n": 2, "videos": 1, "interval_95": [0.0, 1.0]}
    assert result["kinds"]["find"]["question_only"]["n"] == 1
    assert result["kinds"]["count"] == {
        "n": 0, "chance": None,
        **{k: mean([], groups=[]).to_json() for k in ("decoder", "said", "question_only", "hit", "hit_evenly_spaced")},
    }  # fmt: skip
    assert result["all"]["hit"] == {"value": 1.0, "n": 2, "videos": 1, "interval_95": [1.0, 1.0]}
    assert result["find"]["mIoU"]["value"] == 1.0
    assert result["absent"]["find"]["f1"]["value"] == 1.0
    assert result["absent"]["ask"]["f1"]["value"] == 0.0
    assert result["tokens"]["memory_shown"]["value"] == 100
    assert result["tokens"]["budget"] == 200
