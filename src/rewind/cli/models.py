"""`rewind models`: which models there are, and what one is made of."""

from __future__ import annotations

from typing import Annotated

import typer

from rewind.cli import options, output, words
from rewind.cli.places import parse_model

app = typer.Typer(help="List the bundled models, or show one.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models(json: options.Json = False) -> None:
    """List the models that came with the install."""
    from rewind.models import available

    cards = available()
    if json:
        output.print_json(
            {
                "models": [
                    {"name": c.name, "folder": str(c.folder), "parameters": c.parameters, "size_bytes": c.size_bytes}
                    for c in cards
                ]
            }
        )
        return
    for card in cards:
        print(f"{card.name}   {card.parameters / 1e6:.1f} million parameters   {words.size(card.size_bytes)}")
    if not cards:
        print("none bundled; a folder or hub:NAME can be given to --model")


@app.command("show")
def show(
    name: Annotated[
        str, typer.Argument(parser=parse_model, metavar="NAME|PATH", help="A bundled model, a folder, or hub:NAME.")
    ],
    json: options.Json = False,
) -> None:
    """Load one model and print every choice of its config."""
    from dataclasses import asdict

    from rewind.models import load, parameter_count

    model = load(name)
    count = parameter_count(model)
    config = asdict(model.config)
    if json:
        output.print_json({"name": name, "parameters": count, "config": config})
        return
    print(f"{name} · {count / 1e6:.1f} million parameters")
    for key, value in config.items():
        print(f"   {key} = {value}")
