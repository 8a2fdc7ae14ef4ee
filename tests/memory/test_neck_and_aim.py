"""The neck hands on the most salient patches of each frame; aim matches them against what the words name."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rewind.config import SLOTS, ReWindConfig
from rewind.memory import Aim, Neck

CONFIG = replace(
    ReWindConfig(), width=16, heads=4, patches=4, fine_grid=4, vision_width=6, fine_width=5, text_width=12, salient=5,
    neck_blocks=1,
)  # fmt: skip


def frames(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(count)
    return torch.randn(count, 4, 6, generator=made), torch.randn(count, 16, 5, generator=made)


@pytest.fixture
def neck() -> Neck:
    torch.manual_seed(0)
    return Neck(CONFIG).eval()


@pytest.fixture
def aim() -> Aim:
    torch.manual_seed(1)
    return Aim(CONFIG).eval()


@torch.no_grad()
def test_the_most_salient_patches_are_kept_in_raster_order(neck: Neck) -> None:
    deep, fine = frames(3)
    kept = neck(deep, fine)
    patches, salience = neck.grid(deep, fine)
    for frame in range(3):
        best = sorted(sorted(range(16), key=lambda p: -float(salience[frame, p]))[:5])
        torch.testing.assert_close(kept[frame], patches[frame, best])


@torch.no_grad()
def test_a_frame_does_not_depend_on_those_beside_it(neck: Neck) -> None:
    deep, fine = frames(6)
    together = neck(deep.view(2, 3, 4, 6), fine.view(2, 3, 16, 5))
    assert together.shape == (2, 3, 5, 16)
    torch.testing.assert_close(together[1, 2], neck(deep[5:], fine[5:])[0])


def test_a_neck_needs_the_fine_grid(neck: Neck) -> None:
    with pytest.raises(ValueError, match="fine grid"):
        neck(frames(1)[0], None)


@torch.no_grad()
def test_padding_of_the_instruction_has_no_influence(aim: Aim) -> None:
    tokens, mean = torch.randn(1, 7, 12), torch.randn(1, 12)
    mask = torch.tensor([[True] * 4 + [False] * 3])
    noisy = torch.where(mask[..., None], tokens, torch.randn(1, 7, 12))
    torch.testing.assert_close(aim.thoughts(tokens, mask, mean), aim.thoughts(noisy, mask, mean))
    torch.testing.assert_close(aim.thoughts(tokens, mask, mean), aim.thoughts(tokens[:, :4], mask[:, :4], mean))


@torch.no_grad()
def test_logits_are_a_product_with_a_threshold(aim: Aim) -> None:
    patches = torch.randn(2, 3, 5, 16)
    _, slots = aim(torch.randn(2, SLOTS, 32))
    logits = aim.logits(patches, slots)
    assert logits.shape == (2, 3, 5, SLOTS)
    seen = aim.patch(patches[1, 2, 4])
    for slot in range(SLOTS):
        vector, threshold = slots[1, slot, :-1], slots[1, slot, -1]
        torch.testing.assert_close(logits[1, 2, 4, slot], seen @ vector / len(vector) ** 0.5 + threshold)


@torch.no_grad()
def test_what_a_frame_tells_follows_its_patches_and_the_words(aim: Aim) -> None:
    patches = torch.randn(1, 4, 5, 16)
    (pooled, slots), (other, others) = (aim(torch.randn(1, SLOTS, 32)) for _ in range(2))
    marked, told = aim.condition(patches, slots, pooled)
    assert marked.shape == patches.shape
    assert told.shape == (1, 4, 16)
    changed = patches.clone()
    changed[0, 2] = torch.randn(5, 16)
    again = aim.condition(changed, slots, pooled)[1]
    # The look along the frames starts as nothing: only the frame that changed tells something else.
    assert (again - told).abs().amax(-1)[0].gt(1e-6).tolist() == [False, False, True, False]
    assert (aim.condition(patches, others, other)[1] - told).abs().max() > 1e-4
