"""Concept scores on made-up posteriors, where the right answer is known."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rewind.errors import ConfigError
from rewind.text import load_text
from rewind.timeline import Timeline
from rewind.vision.colours import COLOURS
from rewind.vision.concepts import COLUMNS, NOTHING_NAMED, SEEN, STRANGE, UNSHOWN, Concepts
from rewind.vision.scoring import CHUNK
from rewind.vision.vocabulary import load_vocabulary


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return Concepts(load_text())


def number(name: str) -> int:
    return load_vocabulary().classes.index(name)


def film(frames: int = 60, **shown: tuple[slice, float]) -> Tensor:
    """Posteriors (frames, 5, 1011) of a grey nothing; `class_name=(rows, mass)` puts a class on screen."""
    posterior = torch.full((frames, 5, COLUMNS), 1e-3)
    for name, (rows, mass) in shown.items():
        posterior[rows, :, number(name.replace("_", " "))] = mass
    posterior[..., :1000] /= posterior[..., :1000].sum(-1, keepdim=True)
    posterior[..., 1000:] = 0
    posterior[..., 1000 + COLOURS.index("grey")] = 1
    return posterior


def test_a_thing_is_seen_where_it_is_and_nowhere_else(concepts: Concepts) -> None:
    posterior = film(golden_retriever=(slice(20, 30), 4.0))
    found = concepts.score(posterior, "a dog", Timeline.regular(60))
    assert found.known == ("dog",)
    assert found.degradations == ()
    seen = found.scores >= SEEN
    assert seen[20:30].all()
    assert not seen[:18].any()
    assert not seen[32:].any()
    assert found.scores.min() >= 0
    assert found.scores.max() <= 1


def test_either_of_two_things_is_enough(concepts: Concepts) -> None:
    posterior = film(golden_retriever=(slice(20, 30), 4.0))
    alone = concepts.score(posterior, "a dog").scores
    for query in ("a dog or a piano", "a piano or a dog", "Is there a piano or a dog?"):
        either = concepts.score(posterior, query).scores
        torch.testing.assert_close(either[20:30], alone[20:30])
        assert either[:18].max() < SEEN > either[32:].max()
    assert concepts.score(posterior, "a piano or an elephant").scores.max() < SEEN
    # One thing in either colour is one thing.
    both = concepts.score(posterior, "a red or blue dog").scores
    assert both.max() < alone.max()


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("Is it a dog or a piano?", ("Is it a dog ", " a piano?")),
        ("What is it, a dog or a car?", (" a dog ", " a car?")),
        ("a cat, a dog or a car", ("a cat", " a dog ", " a car")),
        ("Is it day or night?", ()),
        ("a red or blue dog", ()),
        ("a dog", ()),
    ],
)
def test_what_a_query_offers(concepts: Concepts, query: str, offered: tuple[str, ...]) -> None:
    assert concepts.offered(query) == offered


@pytest.mark.parametrize("query", ["a moustache", "Is there a giraffe?", "fireworks", "is she happy"])
def test_what_no_class_shows_is_known_to_nothing(concepts: Concepts, query: str) -> None:
    """All of the mass on the best class of such words is not enough for them to count as seen."""
    posterior = film()
    for term in concepts.terms(query):
        posterior[..., int(term.weights.argmax())] = 1.0
    found = concepts.score(posterior, query)
    assert found.scores.max() < SEEN
    assert (found.known, found.degradations) == ((), (UNSHOWN,))
    assert concepts.score(posterior, f"a dog and {query}").known


def test_what_is_said_not_to_be_there_does_not_count(concepts: Concepts) -> None:
    for query in ("a dog but no person", "a dog without a car"):
        assert torch.equal(concepts.score(film(), query).scores, concepts.score(film(), "a dog").scores)
        assert [term.name for term in concepts.terms(query)] == ["dog"]


@pytest.mark.parametrize("query", ["Hay un coche?", "¿Qué hay en el video?", "Wann sieht man einen Menschen?"])
def test_one_chance_word_of_another_language_is_not_known(concepts: Concepts, query: str) -> None:
    assert concepts.score(film(), query).degradations == (STRANGE,)


@pytest.mark.parametrize("query", ["slow motion bicycle", "tesla overtaking truck", "lebron dunk basketball"])
def test_rare_english_words_beside_a_known_one_are_no_other_language(concepts: Concepts, query: str) -> None:
    assert concepts.score(film(), query).known


@pytest.mark.parametrize("query", ["a piano", "an elephant", "a zebra", "xyzzy plugh"])
def test_an_absent_thing_is_absent(concepts: Concepts, query: str) -> None:
    found = concepts.score(film(golden_retriever=(slice(20, 30), 4.0)), query)
    assert found.scores.max() < SEEN
    assert bool(found.degradations) == (query == "xyzzy plugh")


def test_three_of_five_samples_are_enough(concepts: Concepts) -> None:
    long = concepts.score(film(teapot=(slice(20, 40), 4.0)), "a teapot").scores.max()
    short = concepts.score(film(teapot=(slice(20, 23), 4.0)), "a teapot").scores.max()
    assert torch.isclose(long, short)


def test_a_thing_in_one_corner_counts(concepts: Concepts) -> None:
    posterior = film()
    posterior[10:20, 3, number("teapot")] = 0.9
    found = concepts.score(posterior, "a teapot").scores
    assert found[10:20].min() > found[:8].max()


def test_a_colour_tells_two_things_apart(concepts: Concepts) -> None:
    posterior = film(sports_car=(slice(0, 60), 4.0))
    posterior[30:40, 2, 1000 + COLOURS.index("red")] = 0.4
    found = concepts.score(posterior, "a red sports car").scores
    assert 30 <= int(found.argmax()) < 40
    assert found[35] > 2 * found[10]


def test_the_colour_of_a_wall_is_that_of_much_of_the_picture(concepts: Concepts) -> None:
    posterior = film(teapot=(slice(0, 60), 4.0))
    posterior[10:20, 2, 1000 + COLOURS.index("red")] = 0.4  # a corner
    posterior[30:40, :, 1000 + COLOURS.index("red")] = 0.4
    seen = concepts.score(posterior, "a teapot before a red wall").scores
    assert 30 <= int(seen.argmax()) < 40
    assert seen[35] > 2 * seen[15]
    either = concepts.score(posterior, "a red teapot").scores
    assert either[15] == pytest.approx(float(either[35]))


def test_a_colour_alone_is_looked_for(concepts: Concepts) -> None:
    posterior = film()
    posterior[..., 1000:] = 0
    posterior[20:40, 2, 1000 + COLOURS.index("red")] = 0.15
    posterior[30:50, 3, 1000 + COLOURS.index("blue")] = 0.15
    for query, rows in (
        ("Is there anything red?", (20, 40)), ("something blue", (30, 50)), ("red and blue things", (30, 40)),
        ("red or blue", (20, 50)),
    ):  # fmt: skip
        found = concepts.score(posterior, query)
        assert found.degradations == ()
        assert [int(r) for r in (found.scores >= SEEN).nonzero()[:, 0]] == list(range(*rows))
    assert concepts.score(posterior, "a red xyzzy").scores.max() < SEEN
    assert concepts.score(posterior, "What colour is it?").degradations == (NOTHING_NAMED,)
    assert concepts.names_one_thing("Is there anything red?")
    assert not concepts.names_one_thing("Is there anything red or blue?")


def test_black_and_white_pictures_are_found(concepts: Concepts) -> None:
    posterior = film()
    posterior[..., 1000:] = 0
    posterior[..., 1000 + COLOURS.index("green")] = 1
    posterior[20:40, :, 1000:] = 0
    posterior[20:40, :, 1000 + COLOURS.index("grey")] = 1
    found = concepts.score(posterior, "a black and white film").scores
    assert found[22:38].min() >= SEEN > found[:15].max()


@pytest.mark.parametrize("query", ["a black screen", "a blank frame", "When is the picture black? A black picture"])
@pytest.mark.parametrize(("share", "seen"), [(0.99, True), (0.9, False)])
def test_empty_pictures_are_found_by_their_colour(concepts: Concepts, query: str, share: float, seen: bool) -> None:
    posterior = film()
    posterior[..., 1000:] = 1 / len(COLOURS)
    posterior[20:40, :, 1000:] = (1 - share) / (len(COLOURS) - 1)
    posterior[20:40, :, 1000 + COLOURS.index("black")] = share
    found = concepts.score(posterior, query)
    assert (found.scores[22:38].min() >= SEEN) == seen
    assert found.scores[:15].max() < SEEN
    assert found.degradations == ()


def test_a_coloured_background_counts_as_a_screen_behind_what_stands_before_it(concepts: Concepts) -> None:
    posterior = film()
    posterior[..., 1000:] = 1 / len(COLOURS)
    posterior[20:40, :, 1000:] = 0.3 / (len(COLOURS) - 1)
    posterior[20:40, :, 1000 + COLOURS.index("green")] = 0.7
    found = concepts.score(posterior, "a green screen").scores
    assert found[22:38].min() >= SEEN > found[:15].max()


def test_a_thing_that_no_class_shows_is_looked_for_and_not_claimed(concepts: Concepts) -> None:
    posterior = film(dumbbell=(slice(20, 30), 4.0))
    found = concepts.score(posterior, "a treadmill").scores
    assert 20 <= int(found.argmax()) < 30
    assert found.max() < SEEN <= concepts.score(posterior, "a gym").scores.max()


def test_a_vague_word_hardly_counts_beside_a_certain_one(concepts: Concepts) -> None:
    posterior = film(teapot=(slice(20, 30), 4.0))
    alone, beside = (concepts.score(posterior, q).scores for q in ("a teapot", "a teapot on the floor"))
    assert beside.max() > 0.8 * alone.max()


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, CHUNK + 39))
def test_stretches_make_no_difference(concepts: Concepts, cut: int) -> None:
    torch.manual_seed(0)
    posterior = torch.rand(CHUNK + 40, 2, COLUMNS) ** 8
    for query in ("a cat on a red sofa", "a dog or a piano"):
        whole = concepts.score(posterior, query).raw
        parts = concepts.score_parts((posterior[:cut], posterior[cut:]), query, Timeline.regular(len(posterior))).raw
        torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)


def test_what_else_is_on_screen_tells_moments_of_one_thing_apart(concepts: Concepts) -> None:
    posterior = film(frying_pan=(slice(10, 20), 0.3))
    posterior[30:40] = posterior[10:20]
    for name in ("stove", "spatula", "refrigerator", "microwave", "Dutch oven"):
        posterior[30:40, :, number(name)] *= 8
    for name in ("alp", "valley", "cliff", "lakeside", "seashore"):
        posterior[10:20, :, number(name)] *= 8
    found = concepts.score(posterior, "a frying pan in a kitchen").raw
    assert found[30:40].min() > found[10:20].max() + 0.1
    # It makes nothing seen: the best moment has what the mass alone gives it.
    alone = concepts.score(posterior[32:33].expand(30, -1, -1), "a frying pan in a kitchen").raw
    torch.testing.assert_close(found.max(), alone.max(), atol=1e-4, rtol=0)


def test_the_window_follows_the_frame_rate(concepts: Concepts) -> None:
    posterior = film(teapot=(slice(20, 23), 4.0))
    fast = concepts.score(posterior, "a teapot", Timeline.regular(60, fps=Fraction(5))).scores
    assert fast.max() < concepts.score(posterior, "a teapot", Timeline.regular(60)).scores.max()


def test_the_same_question_gives_the_same_scores(concepts: Concepts) -> None:
    posterior = torch.rand(30, 5, COLUMNS)
    first, again = (concepts.score(posterior, "skateboarder") for _ in range(2))
    assert torch.equal(first.raw, again.raw)
    assert concepts.score(posterior.half(), "a dog").raw.dtype == torch.float32
    assert concepts.score(posterior[:0], "a dog").scores.shape == (0,)


def test_refusals_are_one_line(concepts: Concepts) -> None:
    with pytest.raises(ConfigError, match="empty query"):
        concepts.score(film(), "  ")
    with pytest.raises(ConfigError, match="as efficientnet-lite0 gives"):
        concepts.score(torch.zeros(3, 1, 0), "a dog")


def test_names_of_what_is_on_screen(concepts: Concepts) -> None:
    posterior = film(teapot=(slice(0, 5), 3.0), beagle=(slice(0, 5), 0.3), Chihuahua=(slice(0, 5), 0.3))
    names = concepts.names(posterior[:5], limit=2)
    assert names[0][0] == "teapot"
    assert len(names) == 2
    assert 0 < names[1][1] <= names[0][1] <= 1
    assert concepts.names(posterior[:0]) == []


def test_a_thing_is_named_once_in_an_everyday_word(concepts: Concepts) -> None:
    # Hounds are named first; what is left of dogs is no second thing.
    hounds = dict.fromkeys(("beagle", "bloodhound", "Afghan_hound"), (slice(0, 5), 4.0))
    others = dict.fromkeys(("Chihuahua", "pug"), (slice(0, 5), 3.0))
    assert [name for name, _ in concepts.names(film(**hounds, **others)[:5])] == ["hound"]
    # The narrowest word of WordNet for these is placental.
    mammals = dict.fromkeys(("beagle", "tabby", "sloth_bear", "sorrel"), (slice(0, 5), 3.0))
    assert concepts.names(film(**mammals)[:5])[0][0] == "animal"


def test_kinds_of_a_thing(concepts: Concepts) -> None:
    posterior = film(beagle=(slice(0, 5), 0.6), teapot=(slice(0, 5), 1.0))[:5]
    kind = concepts.kind_of(posterior, "animal is it?")
    assert kind is None  # .37 of the whole is not sure enough
    kind = concepts.kind_of(film(beagle=(slice(0, 5), 3.0))[:5], "animals are shown?")
    assert kind is not None
    assert kind[0] == "beagle"
    assert kind[1] > 0.7
    for asked in ("person", "is it?", "", "teapot"):
        assert concepts.kind_of(posterior, asked) is None
    assert concepts.kind_of(posterior[:0], "animal") is None


@pytest.mark.parametrize(
    ("query", "one"),
    [
        ("Is there a dog?", True), ("Does a red car appear?", True), ("Can you see a fire truck anywhere?", True),
        ("Is there a small dog?", False), ("Is there a dog on a sofa?", False), ("Is there a treadmill?", False),
        ("Is it raining?", False), ("", False), ("Is there a person?", True), ("Is there a child?", False),
    ],
)  # fmt: skip
def test_one_thing_and_nothing_else(concepts: Concepts, query: str, one: bool) -> None:
    assert concepts.names_one_thing(query) == one


@pytest.mark.parametrize(
    ("query", "anyone"),
    [
        ("a child", True), ("Is there a crowd?", True), ("two women hugging", True), ("a man with a dog", True),
        ("a person", False), ("Are there any people?", False), ("someone with a dog", False), ("a dog", False),
    ],
)  # fmt: skip
def test_people_are_not_told_apart(concepts: Concepts, query: str, anyone: bool) -> None:
    assert concepts.takes_for_anyone(query) == anyone
