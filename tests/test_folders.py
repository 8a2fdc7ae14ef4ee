"""Names of models and the folders that they stand for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import rewind
from rewind.cli.places import parse_path
from rewind.errors import StoreError
from rewind.evidence import write_evidence
from rewind.folders import BUNDLED, bundled_names, folder_of, from_home, named_models
from rewind.store import default_folder
from rewind.values import KeyFrame


def test_a_bundled_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nano").mkdir()
    monkeypatch.chdir(tmp_path)
    assert folder_of("nano") == BUNDLED / "nano"
    assert folder_of("./nano") == Path("nano")
    assert folder_of("other") == Path("other")


def test_a_blank_name_is_no_bundled_model() -> None:
    # It would be the folder of all of them.
    assert folder_of("") == Path()


def test_a_tilde_is_the_home_folder_wherever_a_folder_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REWIND_STORE", "~/kept")
    assert from_home("~/kept") == parse_path("~/kept") == default_folder() == folder_of("~/kept") == tmp_path / "kept"
    assert from_home("a/~") == Path("a/~")
    assert from_home("~no-such-user/kept") == Path("~no-such-user/kept")
    opened: dict[str, object] = {}
    monkeypatch.setattr("rewind.opening.check_source", lambda _: None)
    monkeypatch.setattr("rewind.video_handle.Video", lambda _, **options: opened.update(options))
    rewind.open("film.mp4", store="~/kept")
    assert opened["store"] == tmp_path / "kept"
    (sheet, _) = write_evidence([Image.new("RGB", (8, 8))], [KeyFrame(1.0, 0.5, 1)], "~/seen")
    assert sheet.parent == tmp_path / "seen"


def test_without_a_home_the_store_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: str) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("REWIND_STORE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    with pytest.raises(StoreError, match=r"no home folder; .*give --store DIR or set REWIND_STORE"):
        default_folder()


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
