"""`rewind store`: the features kept on disk: list, show, remove, prune."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rewind.cli import options, output, words
from rewind.cli.group import as_usage
from rewind.config import ReWindConfig

if TYPE_CHECKING:
    from rewind.store import StoredVideo

app = typer.Typer(
    help="List, show, remove or prune the features kept on disk.", no_args_is_help=True, rich_markup_mode=None
)
Key = Annotated[str, typer.Argument(metavar="KEY", help="The start of a key, or of a file's name.")]


@app.command("list")
def list_videos(store: options.Store = None, json: options.Json = False) -> None:
    """List the videos that were watched, the one used last first."""
    from rewind.store import list_store

    folder = _folder(store)
    videos = list_store(folder)
    total = sum(v.size_bytes for v in videos)
    if json:
        output.print_json({"store": str(folder), "size_bytes": total, "videos": [_plain(v) for v in videos]})
        return
    for video in videos:
        print(_line(video))
    print(f"{words.count(len(videos), 'video')} · {words.size(total)} · {words.plain(str(folder))}")


@app.command("show")
def show(key: Key, store: options.Store = None, json: options.Json = False) -> None:
    """Show one stored video: where it came from, and how it was read."""
    from rewind.store import Manifest, find_stored

    folder = _folder(store)
    with as_usage():
        video = find_stored(folder, key)
    recipe = {} if video.trouble else asdict(Manifest.load(folder / video.key).recipe)
    if json:
        output.print_json({**_plain(video), "recipe": recipe, "folder": str(folder / video.key)})
        return
    print(_line(video))
    print(f"   {words.plain(str(folder / video.key))}")
    print(f"   of {words.plain(video.source)}")
    for name, value in recipe.items():
        print(f"   {name} = {value}")


@app.command("remove")
def remove(key: Key, store: options.Store = None, json: options.Json = False) -> None:
    """Remove one stored video. The video file itself is not touched."""
    from rewind.store import remove_stored

    with as_usage():
        video = remove_stored(_folder(store), key)
    if json:
        output.print_json({"removed": [_plain(video)]})
    else:
        print(f"removed {_line(video)}")


@app.command("prune")
def prune(
    max_size: Annotated[
        int, typer.Option("--max-size", parser=options.parse_size, metavar="SIZE", help="What may stay: 500MB, 20GB.")
    ],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Remove what was used longest ago until the rest fits."""
    from rewind.store import list_store, prune_store

    folder = _folder(store)
    removed = prune_store(folder, max_bytes=max_size)
    rest = list_store(folder)
    left = sum(v.size_bytes for v in rest)
    busy = [v for v in rest if v.busy] if left > max_size else []
    if json:
        plain = {"removed": [_plain(v) for v in removed], "kept": [_plain(v) for v in busy], "size_bytes": left}
        output.print_json(plain)
        return
    for video in removed:
        print(f"removed {_line(video)}")
    for video in busy:
        print(f"kept {_line(video)}")
    print(f"{words.count(len(removed), 'video')} removed, {words.size(left)} left")


def _folder(given: Path | None) -> Path:
    from rewind.store import default_folder

    return given if given is not None else default_folder()


def _plain(video: StoredVideo) -> dict[str, Any]:
    return asdict(video)


def _line(video: StoredVideo) -> str:
    states = ((video.busy, "being watched"), (video.trouble, "damaged"), (video.finished, "watched"))
    state = next((said for holds, said in states if holds), "watched in part")
    day = time.strftime("%Y-%m-%d", time.localtime(video.used))
    name = words.plain(Path(video.source).name)
    frames, size = words.count(video.frames, "frame"), words.size(video.size_bytes)
    # exact, not rounded: 30000/1001 and 2997/100 are stored apart
    how = f"{video.fps} a second, {video.reading}, {video.dtype}" if video.fps else "?"
    if video.vision not in (None, ReWindConfig.vision):
        how += f", {words.plain(str(video.vision))}"
    return "   ".join([video.key[:12], name, frames, how, size, state, day])
