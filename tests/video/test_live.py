"""Playlists that grow while they are read, over HTTP and on disk, and what a handle keeps of them."""

from __future__ import annotations

import functools
import http.server
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import rewind
from rewind.video import open_frames, probe

RATE, SECONDS, WINDOW = 25, 9, 3
LEVEL = 3
"""How much brighter each picture is than the one before it, after compression to be told within one."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished playlist `all.m3u8` of segments of one second."""
    folder = tmp_path_factory.mktemp("parts")
    options = {"hls_time": "1", "hls_list_size": "0", "hls_segment_filename": str(folder / "part%d.ts")}
    with av.open(str(folder / "all.m3u8"), "w", format="hls", options=options) as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", RATE
        for number in range(SECONDS * RATE):
            grey = np.full((48, 64, 3), 20 + LEVEL * (number // (RATE // 5)), np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts = number
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return folder


def listed(folder: Path, count: int) -> str:
    """The playlist as it stands when `count` segments are there; it ends with the last."""
    lines = (folder / "all.m3u8").read_text().splitlines()
    head = [line for line in lines if line.startswith("#") and not line.startswith(("#EXTINF", "#EXT-X-ENDLIST"))]
    at = [i for i, line in enumerate(lines) if line.startswith("#EXTINF")]
    body = [line for i in at[:count] for line in lines[i : i + 2]]
    return "\n".join([*head, *body, *(["#EXT-X-ENDLIST"] if count >= len(at) else [])]) + "\n"


class Broadcast(http.server.SimpleHTTPRequestHandler):
    """Serves `live.m3u8`, a segment more at each request from the `WINDOW`th on, and the folder's files."""

    asked = 0

    def do_GET(self) -> None:
        if not self.path.endswith("live.m3u8"):
            super().do_GET()
            return
        text = listed(Path(self.directory), WINDOW + Broadcast.asked).encode()
        Broadcast.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.apple.mpegurl")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Requests are nobody's business."""


@pytest.fixture
def address(parts: Path) -> Iterator[str]:
    Broadcast.asked = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Broadcast, directory=str(parts)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def levels(source: str | Path) -> tuple[list[int], list[int], bool]:
    with open_frames(source, fps=Fraction(5), size=(48, 64)) as frames:
        got = list(frames)
        assert frames.report().degradations == ()
        return [f.index for f in got], [round((float(f.pixels.mean()) - 20) / LEVEL) for f in got], frames.info.live


def test_a_live_playlist_is_read_from_where_it_was_opened_to_its_end(address: str) -> None:
    index, level, live = levels(f"{address}/live.m3u8")
    assert live
    assert index == list(range(len(index)))
    assert level == list(range(level[0], SECONDS * 5))
    assert len(index) >= WINDOW * 5
    assert Broadcast.asked > WINDOW


def test_a_finished_playlist_over_http_is_a_video_like_any_other(address: str) -> None:
    index, level, live = levels(f"{address}/all.m3u8")
    assert not live
    assert index == level == list(range(SECONDS * 5))
    assert probe(f"{address}/all.m3u8").duration_s == pytest.approx(SECONDS, abs=0.2)


def test_a_playlist_on_disk_may_grow_too(parts: Path) -> None:
    growing = parts / "growing.m3u8"
    growing.write_text(listed(parts, WINDOW))

    def grow() -> None:
        for count in range(WINDOW + 1, SECONDS + 1):
            time.sleep(0.3)
            new = parts / "new"
            new.write_text(listed(parts, count))
            new.replace(growing)

    writer = threading.Thread(target=grow)
    writer.start()
    index, level, live = levels(growing)
    writer.join()
    assert live
    assert index == level == list(range(SECONDS * 5))


def test_nothing_is_kept_of_a_playlist_since_its_bytes_are_not_the_videos(parts: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    video = rewind.open(parts / "all.m3u8", store=store)
    assert not video.kept
    assert video.watch().frames.read == SECONDS
    assert not store.exists()


def test_a_live_stream_is_watched_to_its_end_and_asked(address: str, tmp_path: Path) -> None:
    video = rewind.open(f"{address}/live.m3u8", store=tmp_path / "store")
    assert (video.info.live, video.kept) == (True, False)
    answer = video.ask("Where is a red star?")
    assert answer.frames.read == round(answer.video.duration_s or 0)
    assert WINDOW <= answer.frames.read <= SECONDS
