"""Read, perceive, write and the state, each against a reference written the plainest way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rewind.config import ReWindConfig
from rewind.memory import MemoryState, Perceiver, Read, Write
from rewind.memory.attention import Attention
from rewind.memory.perceiver import PatchProjection, fold
from rewind.memory.state import CHUNK_FRAMES

CONFIG = replace(
    ReWindConfig(), width=16, heads=4, layers=2, queries=3, clip_frames=4, patches=4, fine_grid=4, vision_width=6,
    fine_width=5, salient=6, neck_blocks=1,
)  # fmt: skip


def plain_attention(module: Attention, query: Tensor, source: Tensor, seen: list[int] | None = None) -> Tensor:
    """One sequence (L, D) attending to another (Lk, Dk), head by head and row by row."""
    kv = module.key_value(source)
    width = query.shape[1]
    keys, values = kv[:, :width], kv[:, width:]
    q = module.query(query)
    size = width // module.heads
    rows = []
    for i in range(len(query)):
        heads = []
        for h in range(module.heads):
            part = slice(h * size, (h + 1) * size)
            logits = torch.stack([q[i, part] @ keys[j, part] / size**0.5 for j in range(len(source))])
            if seen is not None:
                logits = torch.tensor([x if j in seen else -1e30 for j, x in enumerate(logits.tolist())])
            weights = torch.exp(logits - logits.max())
            weights = weights / weights.sum()
            heads.append(sum(weights[j] * values[j, part] for j in range(len(source))))
        rows.append(torch.cat(heads))
    return module.out(torch.stack(rows))


def empty(config: ReWindConfig = CONFIG, *, batch: int = 1) -> MemoryState:
    text = torch.randn(batch, 5, config.width)
    mask = torch.ones(batch, 5, dtype=torch.bool)
    mask[:, 4] = False
    return MemoryState(text, mask, torch.randn(batch, config.width))


@torch.no_grad()
def test_attention_equals_the_plain_reference() -> None:
    module = Attention(16, heads=4, key_width=7)
    query, source = torch.randn(2, 3, 16), torch.randn(2, 5, 7)
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 0, 1, 0, 1]], dtype=torch.bool)
    got = module(query, source, mask=mask[:, None, None])
    want = torch.stack(
        [plain_attention(module, query[b], source[b], mask[b].nonzero().flatten().tolist()) for b in range(2)]
    )
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_read_of_an_empty_memory_is_the_read_queries() -> None:
    read = Read(CONFIG)
    torch.testing.assert_close(read(empty())[0], read.queries)


@torch.no_grad()
def test_read_attends_to_every_remembered_token() -> None:
    read = Read(CONFIG)
    state = empty()
    tokens = torch.randn(1, 6, 2, 16)
    for part in tokens.split((4, 2), dim=1):
        state = state.append(part, *read.project(part))
    want = read.queries + plain_attention(
        read.attention, read.query_norm(read.queries), read.memory_norm(tokens[0].flatten(0, 1))
    )
    torch.testing.assert_close(read(state)[0], want, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_read_switched_off_ignores_memory() -> None:
    read = Read(replace(CONFIG, read_memory=False))
    tokens = torch.randn(1, 2, 2, 16)
    state = empty().append(tokens, *read.project(tokens))
    torch.testing.assert_close(read(state)[0], read.queries)


@torch.no_grad()
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("instructed", [True, False])
def test_write_equals_the_plain_reference(mean: bool, instructed: bool) -> None:
    write = Write(replace(CONFIG, write_mean=mean, instruct_write=instructed))
    perceived, pooled = torch.randn(1, 3, 3, 16), torch.randn(1, 16)
    want = []
    for j in range(3):
        queries = write.queries + write.instruct(pooled[0]) if instructed else write.queries
        tokens = plain_attention(write.attention, queries, perceived[0, j])
        want.append(tokens + perceived[0, j].mean(0) if mean else tokens)
    torch.testing.assert_close(write(perceived, pooled)[0], torch.stack(want), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_perceive_equals_the_plain_reference() -> None:
    perceiver = Perceiver(CONFIG)
    frames, summary = 3, torch.randn(3, 16)
    patches, text = torch.randn(frames, 4, 16), torch.randn(5, 16)
    mask = torch.tensor([[1, 1, 0, 1, 0]], dtype=torch.bool)
    seen = [0, 1, 3]
    queries = torch.stack([summary + perceiver.frame_position[j] for j in range(frames)])
    x = patches
    for layer in perceiver.layers:
        norm = layer.norms
        x = torch.stack([x[j] + plain_attention(layer.patch_text, norm["patch"](x[j]), text, seen) for j in range(3)])
        steps = []
        for j in range(frames):
            q = queries[j] + plain_attention(layer.query_text, norm["text"](queries[j]), text, seen)
            q = q + plain_attention(layer.query_patch, norm["read"](q), norm["source"](x[j]))
            steps.append(q + layer.feed_forward(norm["inner"](q)))
        queries = torch.stack(steps)
        look = norm["frames"](queries)
        along = [plain_attention(layer.along_frames, look[:, r], look[:, r]) for r in range(3)]
        queries = queries + torch.stack(along, dim=1)
    want = perceiver.norm(queries)
    got = perceiver(summary[None], patches[None], text[None], mask)[0]
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_perceive_hears_the_instruction() -> None:
    perceiver = Perceiver(CONFIG)
    summary, patches, mask = torch.randn(1, 3, 16), torch.randn(1, 4, 4, 16), torch.ones(1, 5, dtype=torch.bool)
    one, two = (perceiver(summary, patches, torch.randn(1, 5, 16), mask) for _ in range(2))
    assert (one - two).abs().max() > 1e-3


def test_fold_lays_the_four_fine_patches_under_each_deep_one() -> None:
    fine = torch.arange(16).view(16, 1)  # a 4 × 4 grid of its own numbers
    assert fold(fine, side=4).tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]


@torch.no_grad()
def test_patch_projection_reads_the_fine_grid_only_where_asked() -> None:
    deep, fine = torch.randn(2, 4, 6), torch.randn(2, 16, 5)
    both = PatchProjection(replace(CONFIG, perceives="deep+fine"))
    assert (both(deep, fine) - both(deep, torch.randn(2, 16, 5))).abs().max() > 1e-3
    alone = PatchProjection(replace(CONFIG, perceives="deep"))
    torch.testing.assert_close(alone(deep, fine), alone(deep, None))


@torch.no_grad()
def test_states_that_share_chunks_never_clash() -> None:
    read = Read(CONFIG)
    clips = torch.randn(3, 1, 4, 2, 16)
    root = empty().append(clips[0], *read.project(clips[0]))
    asked = root.append(clips[1][:, :2], *read.project(clips[1][:, :2]))  # a question's partial clip
    before = asked.tokens().clone()
    went_on = root.append(clips[2], *read.project(clips[2]))
    torch.testing.assert_close(asked.tokens(), before)
    torch.testing.assert_close(root.tokens(), clips[0])
    torch.testing.assert_close(went_on.tokens(), torch.cat([clips[0], clips[2]], dim=1))
    assert (root.frames, asked.frames, went_on.frames) == (4, 6, 8)


@torch.no_grad()
@pytest.mark.parametrize("clip", [1, 7, 1024, 1500])
def test_state_keeps_order_over_chunk_borders(clip: int) -> None:
    total = 2 * CHUNK_FRAMES + 37
    tokens = torch.randn(1, total, 2, 16)
    key, value = (torch.randn(1, 4, total * 2, 4) for _ in range(2))
    state = empty()
    for a in range(0, total, clip):
        b = min(a + clip, total)
        state = state.append(tokens[:, a:b], key[:, :, 2 * a : 2 * b], value[:, :, 2 * a : 2 * b])
    assert state.frames == total
    torch.testing.assert_close(state.tokens(), tokens)
    keys, values = zip(*state.keys_values(), strict=True)
    torch.testing.assert_close(torch.cat(keys, dim=2), key)
    torch.testing.assert_close(torch.cat(values, dim=2), value)


def test_clips_with_a_gradient_follow_clips_without() -> None:
    """Training on the last clips of a long memory: what lies before them stays as it was written."""
    read = Read(CONFIG)
    clips = [torch.randn(1, n, 2, 16) for n in (4, 5, 3, 2)]
    state = empty()
    for number, clip in enumerate(clips):
        with torch.set_grad_enabled(number in (1, 2)):
            written = clip * torch.ones(1, requires_grad=True)
            state = state.append(written, *read.project(written))
    torch.testing.assert_close(state.tokens(), torch.cat(clips, dim=1))
    key, value = read.project(torch.cat(clips, dim=1))
    for got, want in zip(zip(*state.keys_values(), strict=True), (key, value), strict=True):
        torch.testing.assert_close(torch.cat(got, dim=2), want)


@torch.no_grad()
def test_a_closed_memory_keeps_its_tokens_alone() -> None:
    read, tokens = Read(CONFIG), torch.randn(1, 9, 2, 16)
    state = empty().append(tokens, *read.project(tokens))
    closed = state.closed()
    assert closed.frames == 9
    torch.testing.assert_close(closed.tokens(), tokens)
    with pytest.raises(ValueError, match="closed"):
        read(closed)
    torch.testing.assert_close(read(state), read(empty().append(tokens, *read.project(tokens))))


def test_gradients_flow_through_earlier_clips() -> None:
    read, write = Read(CONFIG), Write(CONFIG)
    first = torch.randn(1, 4, 3, 16, requires_grad=True)
    tokens = write(first, torch.randn(1, 16))
    state = empty().append(tokens, *read.project(tokens))
    read(state).sum().backward()
    assert first.grad is not None
    assert first.grad.abs().sum() > 0
