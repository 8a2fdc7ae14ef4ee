"""Image-text models of the Hugging Face Hub, or of a folder: pictures and sentences as points of one space.

CLIP (Radford et al., ICML 2021), SigLIP (Zhai et al., ICCV 2023) and their like: any AutoModel with
`get_image_features`, `get_text_features` and a scale. They have seen pictures with words, which nothing that comes with
the install has; what they cost is said in docs/concepts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from rewind.errors import WeightsError
from rewind.precision import bf16_is_fast
from rewind.vision.encoder import check_device
from rewind.vision.hub import normalisation
from rewind.weights import config_text, load_tokenizer, loading_from_hub, recipe_hash, state_sha256

BATCH = 8
ALLOWED = "a folder or a Hub id of CLIP, SigLIP or another model of pictures and texts"


class ImageText:
    """A frozen image-text model, its image tower in bf16 where the hardware has it, else all in fp32. `width` W of its
    space; `scale`: how many natural logarithms of odds a cosine of 1 is worth, as the model was trained; `work`: the
    multiplications of a picture."""

    def __init__(self, source: str, *, device: str = "cpu") -> None:
        """
        Raises:
            WeightsError: nothing there, or no model of pictures and texts.
        """
        self.name = f"hub:{source}"
        self.device = check_device(device)
        self._model, self._tokenizer = _load(source, self.name)
        self._dtype = torch.bfloat16 if bf16_is_fast(self.device) else torch.float32
        state = state_sha256(self._model.state_dict())
        self._model = self._model.to(self.device)
        tower = [part.to(self._dtype) for name, part in self._model.named_children() if "text" not in name]
        config = self._model.config
        side = getattr(getattr(config, "vision_config", None), "image_size", None)
        if not isinstance(side, int):
            raise WeightsError(f"{self.name}: a model of {type(config).__name__}", allowed=ALLOWED)
        self.side = side
        self.scale = float(self._model.logit_scale.exp())
        self._longest = int(getattr(config.text_config, "max_position_embeddings", 64))
        # SigLIP was trained on full lines of tokens and reads the padding too; CLIP is told where a text ends.
        self._fills_lines = "siglip" in str(config.model_type)
        mean, std, known = normalisation(source)
        self._mean, self._std = (torch.tensor(v).view(1, 3, 1, 1).to(self.device) * 255 for v in (mean, std))
        self.degradations: tuple[str, ...] = ()
        if not known:
            self.degradations = (f"{self.name} does not say how its pixels are normalised: mean and std 0.5 taken",)
        vocabulary = str(sorted(self._tokenizer.get_vocab().items()))
        self.weights_hash = recipe_hash(state, config_text(config), vocabulary, str((mean, std)), str(self._dtype))
        patch = getattr(config.vision_config, "patch_size", 16)
        self.work = sum(p.numel() for part in tower for p in part.parameters()) * (side // patch) ** 2
        with loading_from_hub(self.name, allowed=ALLOWED):
            self.width = self.texts(["a picture"]).shape[1]
            self.pictures(torch.zeros(1, side, side, 3, dtype=torch.uint8))

    @torch.no_grad()
    def pictures(self, pixels: Tensor) -> Tensor:
        """Pixels (n, H, W, 3) uint8 RGB of any size → unit features (n, W). A picture's do not depend on its
        neighbours: all go through in batches of one shape."""
        return torch.cat([self._picture(chunk) for chunk in pixels.split(BATCH)])

    def _picture(self, chunk: Tensor) -> Tensor:
        x = chunk.to(self.device).permute(0, 3, 1, 2).float()
        if len(x) < BATCH:
            x = torch.cat([x, x.new_zeros(BATCH - len(x), *x.shape[1:])])
        if x.shape[2:] != (self.side, self.side):
            x = interpolate(x, (self.side, self.side), mode="bilinear", antialias=True, align_corners=False)
        found = _pooled(self._model.get_image_features(pixel_values=((x - self._mean) / self._std).to(self._dtype)))
        return normalize(found[: len(chunk)].float(), dim=-1).cpu()

    def cut(self, text: str) -> str | None:
        """Says so where a text is longer than the model's limit."""
        tokens = len(self._tokenizer(text, verbose=False)["input_ids"])
        return None if tokens <= self._longest else f"{self.name} read the first {self._longest} of {tokens} tokens"

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """n texts → unit features (n, W); longer ones are cut to the model's limit."""
        parts = []
        for start in range(0, len(texts), BATCH):
            read = self._tokenizer(
                list(texts[start : start + BATCH]), padding="max_length" if self._fills_lines else True,
                truncation=True, max_length=self._longest, return_tensors="pt",
            )  # fmt: skip
            wanted = ("input_ids",) if self._fills_lines else ("input_ids", "attention_mask")
            read = {k: read[k].to(self.device) for k in wanted}
            parts.append(normalize(_pooled(self._model.get_text_features(**read)).float(), dim=-1).cpu())
        return torch.cat(parts)


def _load(source: str, name: str) -> tuple[Any, Any]:
    from transformers import AutoModel

    with loading_from_hub(name, allowed=ALLOWED):
        model = AutoModel.from_pretrained(source, dtype=torch.float32)
    if not all(hasattr(model, part) for part in ("get_image_features", "get_text_features", "logit_scale")):
        raise WeightsError(f"{name} is {type(model).__name__}", allowed=ALLOWED)
    return model.eval().requires_grad_(False), load_tokenizer(source, what=name, allowed=ALLOWED)


def _pooled(output: Any) -> Tensor:
    """What transformers 4 gives as a tensor, 5 as the pooled part of an output."""
    found: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return found
