"""The config refuses what no model could be made of, by the field's name, before anything is made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewind.config import SIZES, ReWindConfig
from rewind.errors import ConfigError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selector": "topk"}, "selector='topk'; allowed: density_peaks, top_k, uniform, random"),
        ({"detail": "learnt"}, "detail='learnt'; allowed: learned, pool"),
        ({"perceives": "fine"}, "perceives='fine'; allowed: deep, deep[+]fine, neck"),
        ({"decoder": "Bundled"}, "decoder='Bundled'; allowed: bundled, or hub:NAME"),
        ({"decoder": "hub:"}, "decoder='hub:'; allowed"),
        ({"neighbours": 0}, "neighbours=0; allowed: 1 or more"),
        ({"moments": -1}, "moments=-1; allowed: 0 or more"),
        ({"heads": 0}, "heads=0; allowed: 1 or more"),
        ({"layers": "2"}, "layers='2'; allowed: a whole number"),
        ({"layers": True}, "layers=True; allowed: a whole number"),
        ({"layers": 2.0}, "layers=2.0; allowed: a whole number"),
        ({"aim": 1}, "aim=1; allowed: true or false"),
        ({"vision": None}, "vision=None; allowed: a text"),
        ({"facets": 5}, "facets=5; allowed: a list of whole numbers"),
        ({"facets": "abc"}, "facets='abc'; allowed: a list of whole numbers"),
        ({"facets": (3, 1)}, "each of 2 values or more"),
        ({"patches": 50}, "patches=50 with fine_grid=14; allowed: a square number"),
        ({"patches": 36}, "patches=36 with fine_grid=14; allowed: a square number"),
        ({"fine_grid": 16}, "patches=49 with fine_grid=16; allowed: a square number"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        replace(ReWindConfig(), **changes)
    assert "\n" not in str(caught.value)
    ReWindConfig().save(tmp_path / "config.json")
    said = {**json.loads((tmp_path / "config.json").read_text()), **changes}
    (tmp_path / "config.json").write_text(json.dumps(said))
    with pytest.raises(ConfigError, match=f"config.json: .*{message}"):
        ReWindConfig.load(tmp_path / "config.json")


def test_grids_need_to_fit_only_where_a_neck_reads_both() -> None:
    assert replace(ReWindConfig(), perceives="deep", patches=50, moments=0).patches == 50


@pytest.mark.parametrize("size", sorted(SIZES))
def test_every_size_survives_a_file(size: str, tmp_path: Path) -> None:
    SIZES[size].save(tmp_path / "config.json")
    assert ReWindConfig.load(tmp_path / "config.json") == SIZES[size]


def test_a_config_with_fields_that_are_gone_is_read(tmp_path: Path) -> None:
    ReWindConfig().save(tmp_path / "config.json")
    old = {**json.loads((tmp_path / "config.json").read_text()), "lora_rank": 64, "lora_alpha": 32}
    (tmp_path / "config.json").write_text(json.dumps(old))
    assert ReWindConfig.load(tmp_path / "config.json") == ReWindConfig()
    (tmp_path / "config.json").write_text(json.dumps({**old, "lora": 1}))
    with pytest.raises(ConfigError, match=r"config\.json: fields lora; allowed"):
        ReWindConfig.load(tmp_path / "config.json")
