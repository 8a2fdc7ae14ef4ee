"""Videos are found by name, whatever their container and however deep they lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import pytest

from rewind.errors import ConfigError
from rewind.evaluate.video_files import find_videos, stem_of


def remux(source: Path, target: Path, container: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as given, av.open(str(target), "w", format=container) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return target


def test_names_decide_and_text_is_no_video(film: Path, tmp_path: Path) -> None:
    one = Path(shutil.copy(film, tmp_path / "one_0.0_30.5.mp4"))
    two = remux(film, tmp_path / "deep" / "er" / "two.MKV", "matroska")
    odd = remux(film, tmp_path / "odd.dump", "matroska")
    (tmp_path / "two.txt").write_text("two 0 1##x\n" * 50)
    (tmp_path / "none.json").write_text("{}")
    (tmp_path / "broken.bin").write_bytes(b"not a video")
    found = find_videos(tmp_path, ["one_0.0_30.5", "two", "odd", "none", "broken", "gone", "two"])
    assert found.paths == {"one_0.0_30.5": one, "two": two, "odd": odd}
    assert found.missing == ("none", "broken", "gone")


def test_two_files_for_one_video_are_refused(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "one.mp4")
    (tmp_path / "one.avi").write_bytes(b"half a download")
    assert find_videos(tmp_path, ["one"]).paths == {"one": tmp_path / "one.mp4"}
    remux(film, tmp_path / "one.mkv", "matroska")
    with pytest.raises(ConfigError, match="two files for video one"):
        find_videos(tmp_path, ["one"])


def test_a_folder_without_any_of_them_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none of the 2 videos.*files named like them, such as a\.mp4"):
        find_videos(tmp_path, ["a", "b"])
    with pytest.raises(ConfigError, match="no such folder"):
        find_videos(tmp_path / "x", ["a"])


@pytest.mark.parametrize(
    ("video", "name"),
    [("a.mp4", "a"), ("clips/a.v2.MKV", "a.v2"), ("RoripwjYFp8_360.0_510.0", "RoripwjYFp8_360.0_510.0"), ("a", "a")],
)
def test_a_name_loses_folders_and_what_videos_end_in(video: str, name: str) -> None:
    assert stem_of(video) == name
