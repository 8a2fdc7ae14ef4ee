"""Freed blocks come back without fresh pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from rewind.allocator import keep_freed_memory
if not keep_freed_memory():
    sys.exit("no switch")
def faults(megabytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(megabytes << 18).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(200)
print(faults(150))
"""


def test_a_large_block_is_had_again_without_fresh_pages() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=False)
    if "no switch" in done.stderr:
        pytest.skip("this C library has no such switch")
    assert int(done.stdout) < 1000, done.stderr  # of the 38,400 pages of 150 MB
