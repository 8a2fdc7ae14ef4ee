"""What an option names, looked at before any work starts: paths, folders to write to, videos, models."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, url2pathname

import typer

from rewind.folders import CONFIG, folder_of, from_home, named_models

_HUB_MARK = "hub:"
_HUB = "https://huggingface.co"
_HUB_WAIT_S = 5.0


def parse_path(text: str | Path) -> Path:
    """A path that says something: an empty one, as of a shell's unset variable, would be the current folder."""
    if not str(text).strip():
        raise typer.BadParameter(f"{str(text)!r}; allowed: a path, such as ./ for the current folder")
    return from_home(text)


def parse_video(text: str) -> str:
    """A source; of a file's URL its path, so that it is known as that file and what is watched of it is kept."""
    url = urlsplit(text) if text.startswith("file://") else None
    return text if url is None or url.netloc not in ("", "localhost") else url2pathname(url.path)


def parse_model(name: str) -> str:
    """A model that is there, or a name that the Hub may know."""
    if name.startswith(_HUB_MARK):
        _check_hub(name)
    elif not name.strip() or not (folder_of(name) / CONFIG).is_file():
        raise typer.BadParameter(f"{name!r}; allowed: {named_models()}")
    return name


def parse_image_text(name: str) -> str | None:
    """A model of pictures and texts, which the Hub or a folder may hold; none where a shell's variable is empty."""
    if not name.strip():
        return None
    if not name.startswith(_HUB_MARK):
        raise typer.BadParameter(f"{name!r}; allowed: hub:OWNER/MODEL or hub:FOLDER of CLIP, SigLIP or their like")
    _check_hub(name)
    return name


def _check_hub(name: str) -> None:
    source = name.removeprefix(_HUB_MARK)
    if not source.strip():
        raise typer.BadParameter(f"{name!r}; allowed: a name after hub:, such as hub:OWNER/MODEL, or a folder")
    if not os.path.exists(source):
        _stay_offline_without_hub()


def quiet_hub() -> None:
    """What the Hub's libraries say of their retries is not for a user; what fails is said in one line."""
    for name in ("HF_HUB_VERBOSITY", "TRANSFORMERS_VERBOSITY"):
        os.environ.setdefault(name, "error")


def _stay_offline_without_hub() -> None:
    """Where the Hub does not answer, its libraries try for over a minute what they do not have; offline they use what
    was downloaded before, at once. Through a proxy nothing can be told."""
    if "HF_HUB_OFFLINE" in os.environ or getproxies():
        return
    hub = urlsplit(os.environ.get("HF_ENDPOINT") or _HUB)
    port = hub.port or (80 if hub.scheme == "http" else 443)
    try:
        socket.create_connection((hub.hostname or "", port), timeout=_HUB_WAIT_S).close()
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"


def try_folder(folder: Path) -> None:
    """Makes it, writes a file there and takes all of it away again: a folder without a file would say nothing.

    Raises: OSError that names it.
    """
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        if os.path.lexists(folder) and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".rewind-") as file:
            file.write(b"?")
            file.flush()
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(folder)) from None
    finally:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
