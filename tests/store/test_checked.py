"""Manifests that are not what was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_store import store

from rewind.errors import StoreError
from rewind.store import Manifest, list_store
from rewind.store.shards import MANIFEST

SHARD = {"file": "00000000.safetensors", "first": 0, "stop": 6, "rows": 6, "size_bytes": 1, "crc32": 1}


@pytest.mark.parametrize(
    "harm",
    [
        {"source": ["x"]},
        {"clock": [0, "1/0", "1"]},
        {"clock": [float("inf"), "1/1000", "1"]},
        {"clock": [0, "1/1000", "0"]},
        {"frames": None},
        {"frames": {"sampled": 6, "read": "6", "skipped": 0}},
        {"shards": "00000000.safetensors"},
        {"shards": [{**SHARD, "rows": "6"}]},
        {"shards": [{**SHARD, "file": "../00000000.safetensors"}]},
        {"shards": [{**SHARD, "stop": 0}]},
        {"shards": [{**SHARD, "rows": 7}]},
        {"shards": [SHARD, SHARD]},
        {"lost": None},
        {"lost": {"late": "1"}},
        {"degradations": [5]},
        {"finished": "yes"},
        {"end": "5"},
        {"read_s": None},
    ],
)
def test_a_damaged_manifest_is_refused_in_one_line_and_does_not_break_the_list(
    tmp_path: Path, harm: dict[str, object]
) -> None:
    for name in ("k", "whole"):
        store(tmp_path / name, [6])
    path = tmp_path / "k" / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **harm}))
    with pytest.raises(StoreError, match=r"is damaged .*rewind store remove k") as caught:
        Manifest.load(tmp_path / "k")
    assert "\n" not in str(caught.value)
    troubles = {video.key: video.trouble for video in list_store(tmp_path)}
    assert troubles == {"k": str(caught.value), "whole": None}
