"""Seeds of the test range are refused."""

import pytest

from rewind.errors import ConfigError, TestSeedError
from rewind.worlds import TEST_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS, make_world, require_training_seed, split_of


def test_ranges_do_not_meet():
    assert TRAIN_SEEDS.stop <= VALIDATION_SEEDS.start < VALIDATION_SEEDS.stop <= TEST_SEEDS.start


@pytest.mark.parametrize("seed", [TEST_SEEDS.start, TEST_SEEDS.stop - 1, VALIDATION_SEEDS.start])
def test_training_refuses_held_out_seeds(seed):
    with pytest.raises(TestSeedError, match=rf"{seed}.*allowed: training seeds 0–999999"):
        require_training_seed(seed)


def test_training_takes_its_own_seeds():
    assert require_training_seed(TRAIN_SEEDS.stop - 1) == 999_999
    assert [split_of(s) for s in (5, 1_000_000, 2_099_999)] == ["train", "validation", "test"]


@pytest.mark.parametrize("seed", [-1, 1_500_000, 3_000_000])
def test_a_seed_of_no_range_is_refused(seed):
    with pytest.raises(ConfigError, match="allowed: train 0–999999"):
        make_world(seed, seconds=60)
