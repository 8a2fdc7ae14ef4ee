"""Names of models and the folders that they stand for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rewind.folders import BUNDLED, bundled_names, folder_of, named_models


def test_a_bundled_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nano").mkdir()
    monkeypatch.chdir(tmp_path)
    assert folder_of("nano") == BUNDLED / "nano"
    assert folder_of("./nano") == Path("nano")
    assert folder_of("other") == Path("other")


def test_a_blank_name_is_no_bundled_model() -> None:
    # It would be the folder of all of them.
    assert folder_of("") == Path()


def test_those_without_weights_are_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, files in (("b", ("config.json", "model.safetensors")), ("a", ("config.json",)), ("c", ())):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    monkeypatch.setattr("rewind.folders.BUNDLED", tmp_path)
    assert bundled_names() == ["b"]
    assert named_models() == "b, a folder with config.json, or hub:NAME"


def test_names_are_known_without_loading_torch() -> None:
    code = "import sys, rewind.folders; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
