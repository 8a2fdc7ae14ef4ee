"""`rewind worlds`: long videos made from a seed, with questions whose answers are known exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rewind.cli import options, output, words
from rewind.cli.group import as_usage
from rewind.cli.places import parse_path, try_folder
from rewind.cli.progress import bar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

app = typer.Typer(
    help="Make long videos whose truth is known exactly.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip

Seed = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Fixes everything in the world.")]
Minutes = Annotated[float, typer.Option("--minutes", min=0.5, max=1440.0, metavar="N", help="Length of the video.")]
PerKind = Annotated[int, typer.Option("--questions", min=0, metavar="N", help="Questions of each kind.")]


@app.command("make")
def make(
    folder: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="DIR", help="Where to write; made if it is not there.")
    ],
    *,
    seed: Seed = 2_000_000,
    minutes: Minutes = 10.0,
    count: PerKind = 2,
    rate: Annotated[int, typer.Option("--rate", min=1, max=60, help="Frames a second of the file.")] = 8,
    background: Annotated[
        list[Path] | None,
        typer.Option(
            "--background", metavar="FILE", show_default=False, help="Real video behind the objects. May be repeated."
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one world: the video, its truth, and questions in the formats of MovieChat-1K and Charades-STA."""
    import numpy as np

    from rewind.worlds import make_world, questions, save, split_of

    with as_usage():
        split_of(seed)
    try_folder(folder)
    behind = [_frames(path) for path in background or ()]
    world = make_world(seed, seconds=round(minutes * 60), backgrounds=behind or None)
    asked = questions(world, np.random.default_rng(seed), per_kind=count)
    with bar("drawing", quiet=quiet) as progress:
        files = save(world, asked, folder, name=f"world-{seed}", fps=rate, progress=progress)
    paths = {name: str(getattr(files, name)) for name in ("video", "truth", "moviechat", "charades")}
    if json:
        output.print_json({**paths, "seed": seed, "duration_s": world.duration_s, "questions": len(asked)})
        return
    print(f"{paths['video']} · {words.clock(world.duration_s)} · {words.count(len(asked), 'question')}")
    if not quiet:
        for name in ("truth", "moviechat", "charades"):
            print(f"   {paths[name]}")


@app.command("show")
def show(
    *,
    seed: Seed = 2_000_000,
    minutes: Minutes = 10.0,
    count: PerKind = 2,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            parser=parse_path,
            metavar="FILE",
            show_default=False,
            help="Write a contact sheet there (PNG or JPEG).",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Print a world's questions and their answers; nothing is drawn but the sheet."""
    import numpy as np

    from rewind.worlds import contact_sheet, make_world, questions, split_of

    with as_usage():
        split = split_of(seed)
    world = make_world(seed, seconds=round(minutes * 60))
    asked = questions(world, np.random.default_rng(seed), per_kind=count)
    if sheet is not None:
        if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise typer.BadParameter(f"{sheet.name}; allowed: a name that ends in .png or .jpg", param_hint="'--sheet'")
        contact_sheet(world).save(sheet)
    if json:
        found = [question.to_json() for question in asked]
        output.print_json({"seed": seed, "split": split, "duration_s": world.duration_s, "questions": found})
        return
    scenes = words.count(len(world.placed), "scene")
    print(f"world {seed} ({split}) · {words.clock(world.duration_s)} · {scenes}")
    for question in asked:
        at = "" if question.at_s is None else f" (asked at {words.clock(question.at_s)})"
        print(f"{question.kind}: {question.text}{at}")
        print(f"   {question.answer or 'nowhere'}")


def _frames(path: Path) -> npt.NDArray[np.uint8]:
    """The first frames of a video at one a second, (T, 224, 224, 3)."""
    import itertools

    import numpy as np

    from rewind.errors import VideoError
    from rewind.video import open_frames

    with open_frames(path) as stream:
        pictures = [frame.pixels for frame in itertools.islice(stream, _LONGEST_S)]
    if not pictures:
        raise VideoError(f"{path} gave no frame", allowed="a video that can be decoded")
    return np.stack(pictures)


_LONGEST_S = 120
