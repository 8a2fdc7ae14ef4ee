"""Fixtures that every room shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rewind.video import produce

Fail = Callable[[pytest.MonkeyPatch, int, Exception], None]
"""Of `fail_at`: while the patch holds, reading raises the error in place of the packet of that number."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--corpus", default=None, help="folder of real files (videos/, annotations/, peers/)")


@pytest.fixture(autouse=True)
def _one_thread_and_seed() -> None:
    """Tests run side by side: one thread each, and the same numbers every time."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest) -> Path:
    """The folder given by --corpus; the test is skipped, saying so, where none is given."""
    given = request.config.getoption("--corpus") or os.environ.get("REWIND_CORPUS")
    if not given:
        pytest.skip("needs real files: pytest tests --corpus=DIR")
    folder = Path(given).resolve()
    if not (folder / "videos").is_dir():
        pytest.fail(f"--corpus {given}: no folder videos/ in it")
    return folder


@pytest.fixture
def fail_at() -> Fail:
    """Reading raises an error in place of the packet of that number, as long as the patch holds."""

    def fail(patch: pytest.MonkeyPatch, at: int, error: Exception) -> None:
        plain = produce.demux

        def demux(opened: Any) -> Iterator[Any]:
            for number, packet in enumerate(plain(opened)):
                if number == at:
                    raise error
                yield packet

        patch.setattr(produce, "demux", demux)

    return fail
