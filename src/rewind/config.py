"""One frozen config holds the choices that shape a model; one dial, `size`, gives all widths and depths.

Tags as in docs/architecture.md: [P] the paper, [us] our choice, where it is silent or in place of what it says.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rewind.errors import ConfigError

Selector = Literal["density_peaks", "top_k", "uniform", "random"]
Detail = Literal["learned", "pool"]
SLOTS = 2
"""Things that one instruction may name: `which came first, the a or the b`."""
Perceives = Literal["deep", "deep+fine", "neck"]
_CHOICES = {"perceives": Perceives, "selector": Selector, "detail": Detail}
_PLAIN: dict[str, type] = {"int": int, "str": str, "bool": bool}
_MAY_BE_0 = frozenset({"moments", "reserve", "salient", "neck_blocks"})
_GONE = frozenset({"lora_rank", "lora_alpha"})
"""Fields that configs of earlier versions hold and no code ever read."""


@dataclass(frozen=True)
class ReWindConfig:
    """Shapes and choices of one ReWind model.

    Widths: `vision_width` C and `patches` P of the deep grid, `fine_width` and `fine_grid` of the fine grid,
    `text_width` of the frozen instruction encoder, `width` D of memory and perceiver, `decoder_width` H.
    """

    size: str = "nano"
    # what the frozen encoders give
    vision: str = "efficientnet-lite0"
    text: str = "all-minilm-l6-v2"
    vision_width: int = 320
    patches: int = 49
    fine_width: int = 272
    fine_grid: int = 14
    text_width: int = 384
    # read - perceive - write
    width: int = 128
    heads: int = 4
    layers: int = 2
    queries: int = 16  # 32 as published [P]
    clip_frames: int = 8  # F [us]
    write_tokens: int = 2  # [P]
    feed_forward: int = 2  # times the width
    perceives: Perceives = "neck"  # [us]: "deep+fine" folds the fine grid 2 x 2 into the deep one
    neck_blocks: int = 3
    salient: int = 24  # [us]: patches a frame that the neck hands on
    patch_place: bool = False  # [us]: the last two numbers of a patch are where it is, as far as its thing's middle
    aim: bool = True  # [us]: patches are matched against the things that the instruction names
    # [us]: the respects in which patches and words are compared, and how many values each has
    facets: tuple[int, ...] = (11, 9, 4, 3, 5, 9, 5, 6, 22, 22, 22, 22)
    # [us]: what a frame tells of a thing holds which value of each respect its patch shows, not the patch alone
    read_facets: bool = False
    own_perceive_queries: bool = False  # [us]: R itself starts the queries [P]; True adds learned ones
    instruct_patches: bool = True  # [us]: patches attend to the instruction
    instruct_queries: bool = True  # [us]: queries attend to the instruction before they attend to patches
    instruct_write: bool = True  # [us]: write queries start from the pooled instruction
    read_memory: bool = True  # False: R = Q_R always (the removal "without read")
    write_mean: bool = True  # [us]: add the mean of the frame's queries to what is written
    score_width: int = 64
    # [us]: a frame's score hears the frame after it: a clip's last frame is written before the next one is seen
    score_after: bool = False
    # rewind: selection and detail
    selector: Selector = "density_peaks"
    candidates: int = 64  # [P]
    key_frames: int = 8  # [P]
    neighbours: int = 5  # [us]
    reserve: int = 4  # [us]: slots kept for the plain best scores, since clustering can lose the needle
    detail: Detail = "learned"  # [us]; "pool" averages the fine grid
    detail_tokens: int = 16  # 32 as published [P]
    instruct_detail: bool = True  # [us]: detail queries start from the instruction
    # [us]: a detail token holds what one of the best patches reads, the best first, as memory holds what the best does
    read_detail: bool = False
    # language
    decoder: str = "bundled"  # or "hub:NAME_OR_FOLDER"
    decoder_width: int = 192
    decoder_layers: int = 3
    decoder_heads: int = 6
    vocabulary: int = 512
    budget: int = 1024
    instruction_limit: int = 128
    answer_reserve: int = 32
    score_in_prompt: bool = True  # [us]: a memory token tells the decoder its frame's relevance
    # [us]: a word tells the decoder which thing it is of: phrases of two things were mixed without
    words_in_prompt: bool = False
    moments: int = 16  # [us]: tokens for the moments that the scores found; 0 as published

    def __post_init__(self) -> None:
        self._check_fields()
        if self.width % self.heads:
            raise ConfigError(f"heads={self.heads} for width={self.width}", allowed="a divisor of the width")
        if self.decoder == "bundled" and self.decoder_width % self.decoder_heads:
            raise ConfigError(
                f"decoder_heads={self.decoder_heads} for decoder_width={self.decoder_width}", allowed="a divisor"
            )
        if self.candidates < self.key_frames or not 0 <= self.reserve <= self.key_frames:
            raise ConfigError(
                f"candidates={self.candidates}, key_frames={self.key_frames}, reserve={self.reserve}",
                allowed="reserve <= key_frames <= candidates",
            )
        if self.perceives == "neck" and not (0 < self.salient <= self.fine_grid**2 and self.neck_blocks >= 1):
            raise ConfigError(
                f"salient={self.salient}, neck_blocks={self.neck_blocks}",
                allowed=f"1 to {self.fine_grid**2} patches, 1 block or more",
            )
        if self.perceives == "neck":
            side = math.isqrt(self.patches)
            if side**2 != self.patches or self.fine_grid % side:
                raise ConfigError(
                    f"patches={self.patches} with fine_grid={self.fine_grid}",
                    allowed="a square number of patches, whose root divides the fine grid's side",
                )
        if self.words_in_prompt and not self.aim:
            raise ConfigError("words_in_prompt without aim", allowed="aim=True: it knows which thing a word is of")
        if self.read_facets and not self.aim:
            raise ConfigError("read_facets without aim", allowed="aim=True: it knows what a patch shows")
        if self.read_detail and not self.aim:
            raise ConfigError("read_detail without aim", allowed="aim=True: it reads what a patch shows")
        if self.aim and min(self.facets, default=0) < 2:
            raise ConfigError(f"facets={self.facets}", allowed="one or more, each of 2 values or more")
        if self.patch_place and self.perceives != "neck":
            raise ConfigError(
                f"patch_place with perceives={self.perceives!r}", allowed="perceives='neck': it knows where patches are"
            )
        if self.perceives == "deep+fine" and self.fine_grid**2 != 4 * self.patches:
            raise ConfigError(
                f"perceives='deep+fine' with {self.fine_grid}² fine and {self.patches} deep patches",
                allowed="a fine grid of twice the side",
                do="set perceives='deep'",
            )
        if self.memory_budget < 2 * self.write_tokens:
            raise ConfigError(
                f"budget={self.budget}",
                allowed=f"more than {self.budget - self.memory_budget} tokens for detail, instruction and answer",
                do="raise the budget or ask for fewer key frames",
            )

    def _check_fields(self) -> None:
        """Each field for itself: its type, its choices, its least value."""
        if isinstance(self.facets, list):  # JSON has no tuples
            object.__setattr__(self, "facets", tuple(self.facets))
        if not isinstance(self.facets, tuple) or any(type(values) is not int for values in self.facets):
            raise ConfigError(f"facets={self.facets!r}", allowed="a list of whole numbers")
        for field in fields(self):
            value = getattr(self, field.name)
            kind = _PLAIN.get(str(field.type))
            if kind is not None and type(value) is not kind:
                allowed = {int: "a whole number", str: "a text", bool: "true or false"}[kind]
                raise ConfigError(f"{field.name}={value!r}", allowed=allowed)
            least = 0 if field.name in _MAY_BE_0 else 1
            if kind is int and value < least:
                raise ConfigError(f"{field.name}={value}", allowed=f"{least} or more")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(f"{name}={getattr(self, name)!r}", allowed=", ".join(get_args(choices)))
        if self.decoder != "bundled" and not (self.decoder.startswith("hub:") and self.decoder != "hub:"):
            raise ConfigError(f"decoder={self.decoder!r}", allowed="bundled, or hub:NAME_OR_FOLDER")

    @property
    def memory_budget(self) -> int:
        """Language-model tokens left for memory: the budget less detail, separator, moments, instruction and answer."""
        told = self.moments + 1 if self.moments else 0  # the list of moments, and one token for it as a whole
        fixed = self.key_frames * self.detail_tokens + 1 + told + self.instruction_limit + self.answer_reserve
        return self.budget - fixed

    @property
    def tracks(self) -> int:
        """Things that one instruction may name, each with relevance of its own."""
        return SLOTS if self.aim else 1

    @staticmethod
    def of_size(size: str, **changes: Any) -> ReWindConfig:
        """The config of a size of `SIZES`.

        Raises:
            ConfigError: no such size.
        """
        if size not in SIZES:
            raise ConfigError(f"size {size!r}", allowed=", ".join(SIZES))
        return replace(SIZES[size], **changes)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({"model_type": "rewind", **asdict(self)}, indent=2) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> ReWindConfig:
        """Read a config file; a field that no version knows is refused, by name."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {error}", allowed="a config.json written by save_pretrained") from error
        if not isinstance(data, dict):
            raise ConfigError(f"{path}: not a JSON object", allowed="a config.json written by save_pretrained")
        known = {f.name for f in fields(ReWindConfig)}
        unknown = sorted(set(data) - known - _GONE - {"model_type", "architectures", "transformers_version"})
        if unknown:
            raise ConfigError(f"{path}: fields {', '.join(unknown)}", allowed="fields of this version's ReWindConfig")
        try:
            return ReWindConfig(**{k: v for k, v in data.items() if k in known})
        except ConfigError as error:
            raise ConfigError(f"{path}: {error.given}", allowed=error.allowed, do=error.do) from error


SIZES: dict[str, ReWindConfig] = {
    # 32 frames' memory or groups: more than so many that show nothing asked for put off a decoder this small.
    "nano": ReWindConfig(patch_place=True, read_facets=True, score_after=True, words_in_prompt=True, budget=370),
    "small": ReWindConfig(
        size="small", patch_place=True, read_facets=True, score_after=True, words_in_prompt=True, width=256, heads=8,
        layers=4, queries=32, detail_tokens=32, decoder_width=384, decoder_layers=8, budget=2048,
    ),
    "base": ReWindConfig(
        size="base", width=512, heads=8, layers=6, queries=32, detail_tokens=32, feed_forward=4, perceives="deep",
        aim=False,
        decoder_width=768, decoder_layers=12, decoder_heads=12, budget=3072,
    ),
    "7b": ReWindConfig(
        size="7b", vision="hub:EVA-CLIP-g", vision_width=1408, patches=256, fine_width=1408, fine_grid=16,
        text="hub:bert-base-uncased", text_width=768, width=768, heads=12, layers=8, queries=32, detail_tokens=32,
        feed_forward=4, perceives="deep", aim=False, instruct_queries=False, instruct_write=False,
        instruct_detail=False,
        score_in_prompt=False, moments=0, reserve=0, score_width=256, budget=4096,
        decoder="hub:meta-llama/Llama-2-7b-hf", decoder_width=4096, decoder_layers=32, decoder_heads=32,
        vocabulary=32000,
    ),
}  # fmt: skip
"""`nano` is bundled, and `small` can be trained too. `base` and `7b` give shapes only, `7b` the published ones [P]: no
training here makes them, and no weights of them are had."""
