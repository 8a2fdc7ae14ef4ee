"""Opening refuses before it loads what is heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REFUSED = [
    ("'no.mp4'", "VideoError: no.mp4 does not exist"),
    ("'.'", "VideoError: . is a folder"),
    ("'empty.mp4'", "VideoError: empty.mp4 is empty (0 bytes)"),
    ("'empty.mp4', fps=0", "ConfigError: fps 0; allowed: a rate above 0"),
    ("'empty.mp4', fps='1e30000000'", "ConfigError: fps '1e30000000'; allowed: a rate above 0"),
    ("'empty.mp4', reading='swift'", "ConfigError: reading 'swift'; allowed: exact"),
    ("'empty.mp4', dtype='fp8'", "ConfigError: dtype 'fp8'; allowed: fp16, int8"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_opened_is_refused_without_torch(tmp_path: Path, arguments: str, message: str) -> None:
    (tmp_path / "empty.mp4").touch()
    code = (
        "import sys, rewind\n"
        f"try: rewind.open({arguments})\n"
        "except Exception as error: print(f'{type(error).__name__}: {error}')\n"
        "raise SystemExit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(message)


def test_what_lies_in_the_package_is_named() -> None:
    import rewind

    assert rewind.open.__module__ == "rewind.opening"
    assert rewind.Video.__module__ == "rewind.video_handle"
    assert rewind.VideoInfo.__module__ == "rewind.values"
    assert rewind.WatchReport.__module__ == "rewind.outcome"
    assert all(getattr(rewind, name).__name__ in (name, "open_video") for name in rewind.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'close'"):
        rewind.close  # noqa: B018


def test_every_error_is_named() -> None:
    import rewind
    from rewind import errors

    raised = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert raised <= set(rewind.__all__)
    with pytest.raises(rewind.RewindError, match=r"no\.mp4 does not exist"):
        rewind.open("no.mp4")


def test_names_are_listed_before_they_are_used() -> None:
    code = (
        "import sys, rewind; print(*set(rewind.__all__) - set(dir(rewind))); raise SystemExit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "\n")
