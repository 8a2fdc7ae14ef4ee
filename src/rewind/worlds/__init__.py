"""Procedural long videos with exact truth, for training and tests: everything from one seed."""

from rewind.worlds.arrange import Pool, make_world
from rewind.worlds.formats import WorldFiles, save
from rewind.worlds.index import Index
from rewind.worlds.plan import ScenePlan, plan_scene
from rewind.worlds.questions import KINDS, Kind, Question, questions
from rewind.worlds.scene import Scene
from rewind.worlds.sheet import contact_sheet
from rewind.worlds.splits import TEST_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS, Split, require_training_seed, split_of
from rewind.worlds.truth import Appearance, Change, Path, SceneTruth, Sign
from rewind.worlds.wording import answer_words, vocabulary
from rewind.worlds.world import VERSION, Placed, World, compose

__all__ = [
    "KINDS",
    "TEST_SEEDS",
    "TRAIN_SEEDS",
    "VALIDATION_SEEDS",
    "VERSION",
    "Appearance",
    "Change",
    "Index",
    "Kind",
    "Path",
    "Placed",
    "Pool",
    "Question",
    "Scene",
    "ScenePlan",
    "SceneTruth",
    "Sign",
    "Split",
    "World",
    "WorldFiles",
    "answer_words",
    "compose",
    "contact_sheet",
    "make_world",
    "plan_scene",
    "questions",
    "require_training_seed",
    "save",
    "split_of",
    "vocabulary",
]
