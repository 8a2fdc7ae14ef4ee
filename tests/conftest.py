"""Fixtures that every room shares."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import settings
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from discs import disc_names, discs_clip, draw  # noqa: F401  (fixtures)
from rewind.video import produce

# A busy machine is no defect: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Fail = Callable[[pytest.MonkeyPatch, int, Exception], None]
"""Of `fail_at`: while the patch holds, reading raises the error in place of the packet of that number."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--corpus", default=None, help="folder of real files (videos/, annotations/, peers/)")


@pytest.fixture(autouse=True)
def _one_thread_and_seed() -> None:
    """Tests run side by side: one thread each, and the same numbers every time."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest) -> Path:
    """The folder given by --corpus; the test is skipped, saying so, where none is given."""
    given = request.config.getoption("--corpus") or os.environ.get("REWIND_CORPUS")
    if not given:
        pytest.skip("needs real files: pytest tests --corpus=DIR")
    folder = Path(given).resolve()
    if not (folder / "videos").is_dir():
        pytest.fail(f"--corpus {given}: no folder videos/ in it")
    return folder


@pytest.fixture
def growth() -> Callable[[Callable[[int], None], int], float]:
    """`growth(work, n)`: how many times the processor time of `work(n)` `work(8 * n)` takes, each the least of three.
    Other processes have no part in it; only a bound far from both 8 and 64 is no timing."""

    def least(work: Callable[[int], None], size: int) -> float:
        taken = []
        for _ in range(3):
            begun = time.process_time()
            work(size)
            taken.append(time.process_time() - begun)
        return min(taken)

    return lambda work, size: least(work, 8 * size) / least(work, size)


@pytest.fixture
def fail_at() -> Fail:
    """Reading raises an error in place of the packet of that number, as long as the patch holds."""

    def fail(patch: pytest.MonkeyPatch, at: int, error: Exception) -> None:
        plain = produce.demux

        def demux(opened: Any) -> Iterator[Any]:
            for number, packet in enumerate(plain(opened)):
                if number == at:
                    raise error
                yield packet

        patch.setattr(produce, "demux", demux)

    return fail


@pytest.fixture(scope="session")
def tiny_hub_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model with random weights and a tokenizer of its own, saved as any Hub model is. Its template writes the
    token that begins a text, and so does its tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("decoder")
    words = ["<unk>", "<s>", "</s>", "Question", "Answer", "what", "is", "there", ":", "?", "a", "dog", "yes"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    saved = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        chat_template="{{ bos_token }} Question {{ messages[0]['content'] }} Answer",
    )  # fmt: skip
    saved.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def gap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute, a clock that then jumps by two hours and a half, and half an hour more: a picture every 20 s."""
    path = tmp_path_factory.mktemp("gap") / "gap.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 10
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for k in range(95):
            pixels = np.full((64, 64, 3), 7 * k % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = 1000 * (20 * k + (9000 if k > 3 else 0)), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
