"""The neck hands on the most salient patches of each frame; aim matches them against what the words name."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch

from rewind.config import SLOTS, ReWindConfig
from rewind.errors import ConfigError
from rewind.memory import Aim, Neck
from rewind.memory.trail import MOVING

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


Asked = tuple[Aim, torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def placed() -> Asked:
    """An aim that knows places, patches of four frames, and what it makes of an instruction: Ī and slots."""
    torch.manual_seed(1)
    with torch.no_grad():
        made = Aim(replace(CONFIG, patch_place=True))  # still learning: what it is asked names nothing yet
        patches = torch.randn(1, 4, 5, 16)
        return made, patches, *made(torch.randn(1, SLOTS, 32))


@torch.no_grad()
def test_the_most_salient_patches_are_kept_in_raster_order(neck: Neck) -> None:
    deep, fine = frames(3)
    kept = neck(deep, fine)
    grid = neck.grid(deep, fine)
    for frame in range(3):
        best = sorted(sorted(range(16), key=lambda p: -float(grid.salience[frame, p]))[:5])
        read = neck.read(grid, torch.full((5,), frame), torch.tensor(best))
        torch.testing.assert_close(kept[frame], read)


@torch.no_grad()
def test_a_frame_does_not_depend_on_those_beside_it(neck: Neck) -> None:
    deep, fine = frames(6)
    together = neck(deep.view(2, 3, 4, 6), fine.view(2, 3, 16, 5))
    assert together.shape == (2, 3, 5, 16)
    torch.testing.assert_close(together[1, 2], neck(deep[5:], fine[5:])[0])


@torch.no_grad()
def test_each_fine_patch_is_joined_with_the_deep_patch_over_it(neck: Neck) -> None:
    """Without blocks, patch (row, column) of the 4 × 4 grid is its own plus deep patch (row // 2, column // 2)."""
    neck.blocks = torch.nn.ModuleList()
    deep, fine = frames(2)
    grid = neck.grid(deep, fine)
    for row in range(4):
        for column in range(4):
            here = neck.fine(neck.fine_norm(fine[1, 4 * row + column]))
            over = neck.deep(neck.deep_norm(deep[1, 2 * (row // 2) + column // 2]))
            want = here + over + neck.position[row, column]
            torch.testing.assert_close(grid.patches[1, 4 * row + column], want, atol=1e-5, rtol=1e-5)
            said = neck.salience(want)[0]
            torch.testing.assert_close(grid.salience[1, 4 * row + column], said, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_patch_reads_those_around_it_place_by_place(neck: Neck) -> None:
    """Against a loop over 3 rows and 7 columns; what lies outside the frame is zero."""
    grid = neck.grid(*frames(2))
    places = torch.tensor([0, 6, 15])
    read = neck.read(grid, torch.tensor([1, 0, 1]), places)
    channels = grid.around.shape[-1]
    for number, (frame, place) in enumerate(zip((1, 0, 1), places.tolist(), strict=True)):
        seen = []
        for row in range(place // 4 - 1, place // 4 + 2):
            for column in range(place % 4 - 3, place % 4 + 4):
                inside = 0 <= row < 4 and 0 <= column < 4
                seen.append(grid.around[frame, 4 * row + column] if inside else torch.zeros(channels))
        want = neck.norm(grid.patches[frame, place] + neck.gather(torch.cat(seen)))
        torch.testing.assert_close(read[number], want, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_block_looks_at_patches_around(neck: Neck) -> None:
    deep, fine = frames(1)
    changed = fine.clone()
    changed[0, 5] *= -1
    differs = (neck.grid(deep, changed).patches - neck.grid(deep, fine).patches)[0].abs().amax(-1) > 1e-6
    assert differs.sum() > 8


def test_a_neck_needs_the_fine_grid(neck: Neck) -> None:
    with pytest.raises(ValueError, match="fine grid"):
        neck(frames(1)[0], None)


@torch.no_grad()
def test_padding_of_the_instruction_has_no_influence(aim: Aim) -> None:
    tokens, mean = torch.randn(1, 7, 12), torch.randn(1, 12)
    mask = torch.tensor([[True] * 4 + [False] * 3])
    noisy = torch.where(mask[..., None], tokens, torch.randn(1, 7, 12))
    torch.testing.assert_close(aim.thoughts(tokens, mask, mean)[0], aim.thoughts(noisy, mask, mean)[0])
    torch.testing.assert_close(aim.thoughts(tokens, mask, mean)[0], aim.thoughts(tokens[:, :4], mask[:, :4], mean)[0])


@torch.no_grad()
def test_each_word_is_of_the_slot_that_attends_to_it(aim: Aim) -> None:
    tokens = torch.randn(2, 7, 12)
    mask = torch.tensor([[True] * 7, [True] * 5 + [False] * 2])
    words = aim.thoughts(tokens, mask, torch.randn(2, 12))[1]
    attended = aim.look(aim.norm(tokens[1, :5])).softmax(0).view(5, SLOTS, -1).sum(-1)
    torch.testing.assert_close(words[1, :5], attended / attended.sum(1, keepdim=True))
    assert not words[1, 5:].any()


@torch.no_grad()
def test_logits_are_those_of_facets_patch_by_patch(aim: Aim) -> None:
    patches = torch.randn(2, 3, 5, 16)
    _, slots = aim(torch.randn(2, SLOTS, 32))
    logits = aim.logits(patches, slots)
    assert logits.shape == (2, 3, 5, SLOTS)
    alone = aim.facets(aim.facets.values(patches[1, 2, 4])[None, None], slots[1:])
    torch.testing.assert_close(logits[1, 2, 4], alone[0, 0])
    # Patches that all instructions share need not be repeated.
    torch.testing.assert_close(aim.logits(patches[:1], slots)[1], aim.logits(patches[:1], slots[1:])[0])


@torch.no_grad()
def test_what_a_frame_tells_follows_its_patches_and_the_words(aim: Aim) -> None:
    patches = torch.randn(1, 4, 5, 16)
    (pooled, slots), (other, others) = (aim(torch.randn(1, SLOTS, 32)) for _ in range(2))
    marked, told, _ = aim.condition(patches, slots, pooled)
    assert marked.shape == patches.shape
    assert told.shape == (1, 4, 16)
    changed = patches.clone()
    changed[0, 2] = torch.randn(5, 16)
    again = aim.condition(changed, slots, pooled)[1]
    # The look along the frames starts as nothing: only the frame that changed tells something else.
    assert (again - told).abs().amax(-1)[0].gt(1e-6).tolist() == [False, False, True, False]
    assert (aim.condition(patches, others, other)[1] - told).abs().max() > 1e-4


@torch.no_grad()
def test_condition_equals_the_plain_reference(aim: Aim) -> None:
    torch.nn.init.normal_(aim.change.weight, std=0.3)
    frames_, width = 3, 16
    patches = torch.randn(1, frames_, 5, width)
    pooled, slots = aim(torch.randn(1, SLOTS, 32))
    marked, told, _ = aim.condition(patches, slots, pooled)
    said = []
    for f in range(frames_):
        fit = aim.logits(patches, slots)[0, f]
        for p in range(5):
            torch.testing.assert_close(marked[0, f, p], patches[0, f, p] + aim.mark(torch.sigmoid(fit[p])))
        surely = [torch.tanh(max(fit[:, k]) / 4) for k in range(SLOTS)]
        often = [sum(torch.sigmoid(fit[p, k]) for p in range(5)) / 2 for k in range(SLOTS)]
        best = [sum(fit[:, k].softmax(0)[p] * patches[0, f, p] for p in range(5)) for k in range(SLOTS)]
        held = aim.say(aim.content(torch.cat(best)) * (1 + aim.asked(pooled[0])))
        said.append(aim.tell(torch.stack(surely + often)) + held)
    looks = [torch.zeros(width), *(aim.along_norm(one) for one in said), torch.zeros(width)]
    for f in range(frames_):
        beside = aim.along(torch.cat(looks[f : f + 3]))
        want = said[f] + aim.change(torch.nn.functional.gelu(beside))
        torch.testing.assert_close(told[0, f], want, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_clip_hears_the_last_frame_of_the_one_before(aim: Aim) -> None:
    """Cut in two, frames tell what they tell in one clip, but for the one whose next frame is not seen yet."""
    torch.nn.init.normal_(aim.change.weight, std=0.3)
    patches = torch.randn(2, 6, 5, 16)
    pooled, slots = aim(torch.randn(2, SLOTS, 32))
    whole = aim.condition(patches, slots, pooled)[1]
    _, first, handed = aim.condition(patches[:, :3], slots, pooled)
    second = aim.condition(patches[:, 3:], slots, pooled, handed)[1]
    torch.testing.assert_close(first[:, :2], whole[:, :2])
    torch.testing.assert_close(second, whole[:, 3:])
    assert (first[:, 2] - whole[:, 2]).abs().amax() > 1e-3
    assert (aim.condition(patches[:, 3:], slots, pooled)[1][:, 0] - whole[:, 3]).abs().amax() > 1e-3
    for row in range(2):
        one = slice(row, row + 1)
        alone = aim.condition(patches[one, 3:], slots[one], pooled[one], handed.row(row))[1]
        torch.testing.assert_close(alone, second[one], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_patches_that_say_where_they_are_lie_within_a_patch_and_a_half_of_their_own(neck: Neck) -> None:
    torch.manual_seed(0)
    placed = Neck(replace(CONFIG, patch_place=True)).eval()
    placed.load_state_dict(neck.state_dict(), strict=False)
    deep, fine = frames(2)
    grid = placed.grid(deep, fine)
    frame, place = torch.zeros(16, dtype=torch.long), torch.arange(16)
    plain, told = neck.read(grid, frame, place), placed.read(grid, frame, place)
    torch.testing.assert_close(told[:, :-2], plain[:, :-2])
    own = torch.tensor([[(p % 4 + 0.5) / 2 - 1, (p // 4 + 0.5) / 2 - 1] for p in range(16)])
    apart = (told[:, -2:] - own) * 2
    assert apart.abs().max() < 1.5
    torch.testing.assert_close(apart, 1.5 * torch.tanh(placed.middle(plain)), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_frame_reads_the_patch_that_another_thing_gave_way_to(placed: Asked) -> None:
    aim, patches, pooled, slots = placed
    plain = aim.condition(patches, slots, pooled)[1]
    assert aim.trail is not None
    aim.trail.follow.bias += 5.0
    followed = aim.condition(patches, slots, pooled)[1]
    assert (followed - plain).abs().max() > 1e-4
    # A single frame has none beside it to follow.
    alone = aim.condition(patches[:, :1], slots, pooled)[1]
    aim.trail.follow.bias.zero_()
    torch.testing.assert_close(aim.condition(patches[:, :1], slots, pooled)[1], alone)


@torch.no_grad()
def test_a_thing_counts_as_there_where_looks_and_motion_both_fit(placed: Asked) -> None:
    aim, patches, pooled, slots = placed
    assert aim.trail is not None
    told: list[torch.Tensor] = []
    aim.tell.register_forward_hook(lambda _module, given, _out: told.append(given[0][0, :, :SLOTS]))
    looks = aim.logits(patches, slots).amax(2)[0]
    for threshold in (30.0, -30.0, 0.5):
        slots[..., -MOVING:] = 0.0
        slots[..., -1] = threshold
        aim.condition(patches, slots, pooled)
    torch.testing.assert_close(told[0], torch.tanh(looks / 4))
    assert float(told[1].max()) < -0.99
    joint = -torch.log(torch.exp(-looks) + math.exp(-0.5))
    torch.testing.assert_close(told[2], torch.tanh(joint / 4))


@torch.no_grad()
def test_each_slot_marks_what_fits_it_and_leaves_the_other_slot_alone(aim: Aim) -> None:
    patches = torch.randn(1, 2, 5, 16)
    _, slots = aim(torch.randn(1, SLOTS, 32))
    logits = aim.logits(patches, slots)
    slots[0, 1] = torch.randn(slots.shape[-1])
    again = aim.logits(patches, slots)
    torch.testing.assert_close(again[..., 0], logits[..., 0])
    assert (again[..., 1] - logits[..., 1]).abs().max() > 1e-2


def test_what_is_read_holds_which_values_are_shown(aim: Aim) -> None:
    named = Aim(replace(CONFIG, read_facets=True)).eval()
    assert named.named is not None
    named.load_state_dict({**aim.state_dict(), "named.weight": named.named.weight})
    best, pooled = torch.randn(3, SLOTS, 16), torch.randn(3, 16)
    torch.testing.assert_close(named.read(best, pooled), aim.read(best, pooled))  # nothing is learnt of it yet
    torch.nn.init.normal_(named.named.weight)
    shares = named.facets.shares(best).detach().flatten(-2)
    content = named.content(best.flatten(-2)) + shares @ named.named.weight.T
    got = named.read(best, pooled)
    torch.testing.assert_close(got, named.say(content * (1 + named.asked(pooled))))
    got.sum().backward()
    assert named.named.weight.grad is not None
    assert named.facets.shown.weight.grad is None  # what the match knows is not taught by what is read


@pytest.mark.parametrize("name", ["read_facets", "read_detail"])
def test_what_aim_reads_is_read_only_where_there_is_one(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} without aim"):
        replace(CONFIG, aim=False, patch_place=False, **{name: True})


@torch.no_grad()
def test_each_patch_that_fits_is_read_by_itself_the_best_first(aim: Aim) -> None:
    patches, pooled, logits = torch.randn(2, 3, 5, 16), torch.randn(2, 16), torch.randn(2, 3, 5, SLOTS)
    each = aim.read_each(patches, logits, pooled, most=4)
    assert each.shape == (2, 3, 4, 16)
    for b, f, n in itertools.product(range(2), range(3), range(4)):
        best = torch.stack([patches[b, f, logits[b, f, :, s].argsort(descending=True)[n]] for s in range(SLOTS)])
        torch.testing.assert_close(each[b, f, n], aim.read(best, pooled[b]))
    assert aim.read_each(patches, logits, pooled, most=9).shape == (2, 3, 5, 16)  # no more than there are
