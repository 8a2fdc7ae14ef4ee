"""Questions: every answer is worked out again from the truth file by a plain reader, and no wording gives it away."""

import json
import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from rewind.errors import ConfigError
from rewind.worlds import KINDS, Index, Pool, answer_words, make_world, plan_scene, questions, vocabulary
from rewind.worlds.glyphs import CHARACTERS
from rewind.worlds.index import FORMS, TAUGHT_FORMS
from rewind.worlds.looks import (
    COLOURS,
    COMMON_SHAPES,
    GLYPH_COLOUR_NAMES,
    MOTION_WORDS,
    RARE_SHAPES,
    SIGN_SHAPES,
    SIZES,
    SYMBOLS,
    TEXTURES,
)
from rewind.worlds.wording import PLACES, TEMPLATES

WORLDS = [(71, 60), (72, 61), (1_000_003, 200), (73, 600), (2_000_001, 1800)]
MOTION = {"still": "standing still", "circling": "circling"}


class Reader:
    """The plain reference: knows the truth as JSON and the wording's blanks, and nothing of the maker's code.

    It goes through the video second by second and asks, of each, whether what the words name is there.
    """

    def __init__(self, world):
        truth = json.loads(json.dumps(world.truth()))
        self.seconds = [{"objects": [], "signs": []} for _ in range(truth["duration_s"])]
        self.signs, self.changes = [], []
        for scene in truth["scenes"]:
            zero = scene["start_s"]
            for thing in scene["objects"]:
                for t in range(thing["start_s"], thing["end_s"]):
                    self.seconds[zero + t]["objects"].append(thing)
            for sign in scene["signs"]:
                span = (zero + sign["start_s"], zero + sign["end_s"])
                self.signs.append((sign, span))
                for t in range(*span):
                    self.seconds[t]["signs"].append(sign)
            self.changes += [(change, zero + change["at_s"]) for change in scene["changes"]]

    @staticmethod
    def object_is(thing, words):
        moves = MOTION.get(thing["motion"], f"moving {thing['motion']}")
        rest = words
        for value in (thing["size"], thing["texture"], thing["colour"], thing["shape"]):
            if rest == value or rest.startswith(value + " "):
                rest = rest[len(value) :].strip()
        return rest in ("", moves) and f" {thing['shape']} " in f" {words} "

    @staticmethod
    def sign_is(sign, words):
        if " with the code " in words:
            return words.endswith(f"sign with the code {sign['code']}")
        looks = f"{sign['shape']} {sign['colour']} sign with {sign['glyph_colour']} letters and a {sign['symbol']}"
        head, _, start = words.partition(" that starts with ")
        return head == looks and sign["code"].startswith(start)

    def there(self, words):
        words = re.sub(r"^(an?|the) ", "", words)
        if " sign" in f" {words}":
            return [any(self.sign_is(s, words) for s in second["signs"]) for second in self.seconds]
        return [any(self.object_is(o, words) for o in second["objects"]) for second in self.seconds]

    def moments(self, words):
        there = [False, *self.there(words), False]
        starts = [t for t in range(len(there) - 1) if there[t + 1] and not there[t]]
        ends = [t for t in range(len(there) - 1) if there[t] and not there[t + 1]]
        return list(zip(starts, ends, strict=True))

    def blanks(self, question):
        pattern = re.escape(TEMPLATES[question.form][question.template])
        pattern = re.sub(r"\\\{(\w+)\\\}", lambda m: f"(?P<{m[1]}>.+)", pattern, count=0)
        seen = set()

        def once(match):
            name = match[1]
            if name in seen:
                return f"(?P={name})"
            seen.add(name)
            return match[0]

        pattern = re.sub(r"\(\?P<(\w+)>\.\+\)", once, pattern)
        return re.fullmatch(pattern, question.text).groupdict()

    def changed(self, words, colour_of):
        return [(c, t) for c, t in self.changes if self.object_is({**c, "colour": colour_of(c), "motion": ""}, words)]

    def answer(self, question):
        """Answer and moments (None where the reference has no opinion on the moments)."""
        b, form = self.blanks(question), question.form
        kind, _, what = form.partition(".")
        if kind == "needle":
            words = b.get("sign") or f"sign with the code {b['code']}"
            found = [(s, span) for s, span in self.signs if self.sign_is(s, words)]
            assert len(found) == 1, question
            sign, span = found[0]
            field = {"letters": "glyph_colour", "character": "code"}.get(what, what)
            value = sign[field]
            return (value[PLACES.index(b["place"])] if what == "character" else value), [span]
        if kind == "exists":
            moments = self.moments(b["a_thing"])
            return ("yes" if moments else "no"), moments
        if kind == "find":
            moments = self.moments(b["a_thing"])
            return (f"at {moments[0][0]} s" if moments else "never"), moments
        if kind == "count":
            moments = self.moments(b["a_thing"])
            return str(len(moments)), moments
        if kind == "order":
            a, other = self.moments(b["a"])[0], self.moments(b["b"])[0]
            first = b["a"] if a[0] < other[0] else b["b"]
            told = {
                "first": first,
                "before": "yes" if first == b["a"] else "no",
                "after": "no" if first == b["a"] else "yes",
            }
            return told[what], sorted([a, other])
        if kind == "state":
            if what == "after":
                found = self.changed(b["thing"], lambda c: c["before"])
            else:
                found = self.changed(b["thing"], lambda c: "no colour")
                found = [(c, t) for c, t in found if c["after"] == b["colour"]]
            assert len(found) == 1, question
            change, at = found[0]
            return change[what], [(max(0, at - 2), min(len(self.seconds), at + 2))]
        now = int(question.at_s)
        objects = self.seconds[now]["objects"]
        if what == "exists":
            return ("yes" if self.there(b["a_thing"])[now] else "no"), [(now, now + 1)]
        shape = b["shape"] if what == "colour" else re.sub("(?<=ss)es$|s$", "", b["shapes"])
        found = [o for o in objects if o["shape"] == shape]
        if what == "number":
            return str(len(found)), [(now, now + 1)]
        assert len(found) == 1, question
        return found[0]["colour"], [(now, now + 1)]


@pytest.mark.parametrize(("seed", "seconds"), WORLDS)
def test_answers_agree_with_a_plain_reader_of_the_truth(seed, seconds):
    world = make_world(seed, seconds=seconds)
    reader = Reader(world)
    forms = Counter()
    for q in questions(world, np.random.default_rng(seed), per_kind=24):
        answer, moments = reader.answer(q)
        assert (q.answer, list(q.moments)) == (answer, moments), q
        assert q.kind == "find" or not q.choices or q.answer in q.choices
        assert q.answer in q.accepted
        assert q.absent == (q.kind in ("exists", "find") and not moments)
        forms[q.form] += 1
    assert len(forms) >= (18 if seconds >= 200 else 16), forms


def test_the_reader_would_notice():
    """The reference is no echo: with other moments or another answer it disagrees."""
    world = make_world(71, seconds=60)
    reader = Reader(world)
    asked = [q for q in questions(world, np.random.default_rng(0), per_kind=8) if q.kind in ("exists", "count", "find")]
    other = Reader(make_world(72, seconds=60))
    differing = sum(other.answer(q) != (q.answer, list(q.moments)) for q in asked)
    assert differing > len(asked) / 3
    assert not any(reader.answer(q) != (q.answer, list(q.moments)) for q in asked)


def test_same_seed_same_questions():
    world = make_world(5, seconds=600)
    one, two = (questions(world, np.random.default_rng(3), per_kind=5) for _ in range(2))
    assert one == two
    assert json.dumps([q.to_json() for q in one]) == json.dumps([q.to_json() for q in two])
    assert one != questions(world, np.random.default_rng(4), per_kind=5)
    assert {q.kind for q in one} == set(KINDS)


def test_breakpoints_hold_for_a_video_that_ends_there():
    """At 1 frame a second the last frame before `at_s` is that of the moment asked about."""
    for q in questions(make_world(5, seconds=300), np.random.default_rng(0), kinds=("breakpoint",), per_kind=30):
        ((start, end),) = q.moments
        assert (start, end) == (int(np.ceil(q.at_s)) - 1, int(np.ceil(q.at_s)))


def test_absent_things_are_nearly_there():
    """A thing that is said to be absent shares all named attributes but one with something that appears."""
    world = make_world(9, seconds=600)
    index = Index(world)
    codes = list(index.codes)
    for q in questions(world, np.random.default_rng(2), kinds=("exists", "find"), per_kind=40):
        if q.absent and "with the code" in q.text:
            code = next(w for w in re.findall(r"[A-Z0-9]{3,4}", q.text))
            assert any(len(c) == len(code) and sum(x != y for x, y in zip(c, code, strict=True)) == 1 for c in codes)


@pytest.mark.parametrize("level", range(len(TAUGHT_FORMS)))
def test_phrases_of_a_level_that_is_given_name_its_fields_whatever_the_length(level):
    index = Index(make_world(5, seconds=120), level=level)
    asked = questions(index, np.random.default_rng(0), kinds=("order", "exists"), per_kind=12)
    phrases = [c for q in asked if q.form == "order.first" for c in q.choices]
    assert phrases
    assert {q.level for q in asked if q.form != "exists.sign"} == {level}
    motions = [w for w in MOTION_WORDS.values() if w]
    for words in phrases:
        named = {
            "colour": any(c in words.split() for c in COLOURS), "texture": any(t in words.split() for t in TEXTURES),
            "size": any(s in words.split() for s in SIZES), "motion": any(words.endswith(m) for m in motions),
        }  # fmt: skip
        assert {f for f, there in named.items() if there} | {"shape"} == set(TAUGHT_FORMS[level])


@pytest.mark.parametrize("level", range(len(TAUGHT_FORMS)))
def test_changes_are_named_with_their_size_where_the_level_that_is_given_names_one(level):
    index = Index(make_world(5, seconds=300), level=level)
    asked = questions(index, np.random.default_rng(0), kinds=("state",), per_kind=8)
    assert asked
    for q in asked:
        assert any(size in q.text.split() for size in SIZES) == ("size" in TAUGHT_FORMS[level])
        assert FORMS[q.level] == ("shape", "colour", "texture", "size")[: 3 + ("size" in TAUGHT_FORMS[level])]


def test_counts_in_phrases_of_hours_are_asked_of_short_videos_only_where_the_level_is_given():
    world = make_world(5, seconds=40)
    rng = np.random.default_rng(0)
    assert not questions(world, rng, kinds=("count",))
    narrowest = len(FORMS) - 1
    reader = Reader(world)
    asked = [q for _ in range(12) for q in questions(Index(world, level=narrowest), rng, kinds=("count",))]
    assert {q.level for q in asked} == {narrowest}
    assert len({q.answer for q in asked}) > 1
    for q in asked:
        words = next(w for w in (re.search(rf"(small|large) .*({'|'.join(MOTION_WORDS.values())})", q.text),) if w)
        there = [any(reader.object_is(o, words[0]) for o in second["objects"]) for second in reader.seconds]
        starts = sum(now and not before for before, now in zip([False, *there], there, strict=False))
        assert q.answer == str(starts)
        assert len(q.moments) == starts


def _label(q):
    if q.form == "order.first":
        return "named first" if q.text.find(q.answer) == min(q.text.find(c) for c in q.choices) else "named second"
    return "there" if q.kind == "find" and q.moments else q.answer


def _chance(q):
    if q.kind == "find":
        return 2 / 3
    if q.kind == "state":
        return 1 / 7
    return 1 / len(q.choices)


@pytest.fixture(scope="module")
def many():
    """Questions on many 1- and 10-minute worlds of two pools that share no scene."""
    pools = [Pool([plan_scene(seed) for seed in range(first, first + 500)]) for first in (0, 500_000)]
    asked = ([], [])
    for number in range(130):
        for half, pool in enumerate(pools):
            rng = np.random.default_rng([number, half])
            world = pool.world(600 if number % 2 else 60, rng)
            asked[half].extend(q for q in questions(world, rng, per_kind=8) if q.form != "needle.code")
    return asked


@pytest.mark.slow
def test_answers_are_balanced(many):
    """Pearson's chi-square of the answers of each form stays near what chance gives."""
    by_form = defaultdict(Counter)
    for q in (*many[0], *many[1]):
        by_form[q.form][_label(q)] += 1
    limits = {1: 10.8, 2: 13.8, 3: 16.3, 4: 18.5, 5: 20.5, 7: 24.3, 19: 43.8}
    for form, counts in by_form.items():
        total = sum(counts.values())
        if form.startswith("find"):
            assert abs(counts["never"] / total - 1 / 3) < 0.06, counts
            continue
        size = {"exists": 2, "order": 2, "count": 6, "state": 8}.get(form.partition(".")[0]) or {
            "needle.character": len(CHARACTERS),
            "needle.colour": len(COLOURS),
            "needle.letters": len(GLYPH_COLOUR_NAMES),
            "needle.shape": len(SIGN_SHAPES),
            "needle.symbol": len(SYMBOLS),
            "breakpoint.colour": len(COLOURS),
            "breakpoint.exists": 2,
            "breakpoint.number": 4,
        }[form]
        assert len(counts) <= size
        expected = total / size
        chi_square = sum((counts[a] - expected) ** 2 / expected for a in counts) + (size - len(counts)) * expected
        # A scene serves several worlds of its pool, so the draws are not quite independent: twice the limit.
        assert chi_square < 2 * limits[size - 1], (form, counts)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_question_only_model_stays_at_chance(many, kind):
    """Naive Bayes on words, wording and level, learnt on one pool's worlds and tested on another's."""
    learn, test = ([q for q in half if q.kind == kind] for half in many)
    labels, words = defaultdict(Counter), defaultdict(Counter)
    for q in learn:
        labels[q.form][_label(q)] += 1
        for w in _features(q):
            words[q.form, w][_label(q)] += 1
    hits, chance = [], []
    for q in test:
        prior = labels[q.form]
        scores = {
            a: np.log(n + 1) + sum(np.log((words[q.form, w][a] + 1) / (n + 2)) for w in _features(q))
            for a, n in prior.items()
        }
        hits.append(max(scores, key=scores.__getitem__) == _label(q))
        chance.append(_chance(q))
    expected = float(np.mean(chance))
    assert len(hits) > 500
    assert np.mean(hits) < expected + 0.02 + 2.5 * np.sqrt(expected * (1 - expected) / len(hits))


def _features(q):
    return {f"wording {q.template}", f"level {q.level}", *re.findall(r"\w+", q.text.lower())}


def test_the_vocabulary_covers_every_question_and_answer():
    known, answers = set(vocabulary()), set(answer_words())
    assert answers <= known
    for seed, seconds in WORLDS[:4]:
        for q in questions(make_world(seed, seconds=seconds), np.random.default_rng(seed), per_kind=20):
            for word in re.findall(r"\w+", q.text):
                assert word in known or set(word) <= set(CHARACTERS), word
            for word in q.answer.split():
                assert word in answers or set(word) <= set(CHARACTERS) or (q.kind == "find" and word.isdigit()), word
            assert q.kind == "find" or len(q.answer.split()) <= 6


def test_every_form_has_several_wordings():
    assert all(len(t) >= 4 and len(set(t)) == len(t) for t in TEMPLATES.values())


def test_shapes_of_both_classes_are_asked_about():
    asked = questions(make_world(14, seconds=600), np.random.default_rng(0), kinds=("exists", "count"), per_kind=40)
    for shapes in (COMMON_SHAPES, RARE_SHAPES):
        assert any(s in q.text for q in asked for s in shapes)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="allowed: needle, exists"):
        questions(make_world(1, seconds=60), np.random.default_rng(0), kinds=("why",))


@pytest.mark.slow
def test_motions_do_not_tell_the_answer_in_hours():
    """What finds no way stands still, so such things come most often: drawn with the answer, the motion told it."""
    pool = Pool([plan_scene(seed) for seed in range(300)])
    numbers, there = defaultdict(list), defaultdict(list)
    for number in range(6):
        rng = np.random.default_rng(number)
        for q in questions(pool.world(3600, rng), rng, kinds=("count", "exists"), per_kind=150):
            if q.level == FORMS.index(("shape", "colour", "texture", "size", "motion")):
                still = "standing still" in q.text
                if q.kind == "count":
                    numbers[still].append(int(q.answer))
                elif q.form == "exists.object":
                    there[still].append(q.answer == "yes")
    assert min(len(n) for n in (*numbers.values(), *there.values())) >= 60
    assert abs(np.mean(numbers[True]) - np.mean(numbers[False])) < 0.8
    assert all(abs(np.mean(yes) - 0.5) < 0.15 for yes in there.values())
