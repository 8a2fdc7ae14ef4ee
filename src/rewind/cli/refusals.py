"""How refusals of typer's and of the operating system's are worded: what was given, what is allowed, what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any

_FREE = "a folder, or a name that nothing has yet; give another path"
_MAY = "what you may read and write; check its permissions, or give another path"
_ROOM = "a disk with room; free some, or give a path on another one"
_NEXT = {
    errno.EEXIST: _FREE,
    errno.ENOTDIR: _FREE,
    errno.EISDIR: "a file; give one",
    errno.ENOENT: "what is there, or can be made there; check the path",
    errno.EACCES: _MAY,
    errno.EPERM: _MAY,
    errno.EROFS: "a place that can be written to; give another path",
    errno.ENOSPC: _ROOM,
    getattr(errno, "EDQUOT", errno.ENOSPC): _ROOM,
    errno.ENAMETOOLONG: "a shorter name; give another path",
}


def explain_os_error(error: OSError) -> str:
    """An operating system's refusal in words: what, and on which file."""
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    names = [str(n) for n in (error.filename, error.filename2) if n is not None]
    return ": ".join([*names[:1], reason])


def os_refusal(error: OSError) -> str:
    """The same, with what is allowed and what to do next where its number tells that."""
    allowed = _NEXT.get(error.errno or 0)
    return explain_os_error(error) + (f"; allowed: {allowed}" if allowed else "")


def usage_refusal(error: Any, args: Sequence[str]) -> str:
    """A usage error of typer's in one line: of numbers its versions say different things, and not what was given."""
    line: str = error.format_message().rstrip(".").replace("Value error, ", "").removeprefix("Invalid value: ")
    allowed = _number(getattr(error, "param", None))
    given = _given(error.param.opts, args) if allowed else None
    if given is not None:
        line = f"Invalid value for '{error.param.opts[0]}': {given!r}; allowed: {allowed}"
    option = getattr(error, "option_name", None)
    file = next((a for a in args if option and a.startswith("-") and os.path.exists(a)), None)
    return line if file is None else f"{line}; a file whose name begins with '-' is written ./{file}"


def _number(param: Any) -> str | None:
    """Which numbers an option takes, in words; None for one that takes none."""
    # typer's earlier versions give an option a type of click's, "integer range"; later ones describe it themselves.
    described, kind = getattr(param, "type_descriptor", None), getattr(param, "type", None)
    if described is not None and described.parameter_info.parser is None:
        named, bounds = getattr(described.annotation, "__name__", ""), param
    else:
        named, bounds = str(getattr(kind, "name", "")).partition(" ")[0], kind
    if named not in ("int", "integer", "float"):
        return None
    noun = "a number" if named == "float" else "a whole number"
    low, high = (getattr(bounds, end, None) for end in ("min", "max"))
    if low is not None and high is not None:
        return f"{noun} from {low:g} to {high:g}"
    return noun if low is None else f"{noun}, {low:g} or more"


def _given(options: Sequence[str], args: Sequence[str]) -> str | None:
    """What the command line says for an option, the last time that it says something."""
    for place in range(len(args) - 1, -1, -1):
        name, equals, value = args[place].partition("=")
        if name in options and equals:
            return value
        if name in options and place + 1 < len(args):
            return args[place + 1]
    return None
