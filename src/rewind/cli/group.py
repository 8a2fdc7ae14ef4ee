"""The `rewind` command itself: `ask` when no command is named, and every failure as one line with its exit code.

Exit codes: 0 answered (absent is an answer), 1 not answerable, 2 wrong usage, 130 stopped by Ctrl-C, 143 by SIGTERM,
129 by SIGHUP, 141 nobody reads the output any more.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from rewind.cli.ending import exit_code
from rewind.cli.places import quiet_hub
from rewind.cli.refusals import os_refusal, usage_refusal
from rewind.errors import ConfigError, RewindError, TestSeedError

DEFAULT_COMMAND = "ask"
NOT_ANSWERABLE, USAGE, PIPE_CLOSED = 1, 2, 141
DEBUG = "REWIND_DEBUG"
_OWN = ("--help", "-h", "--version")
# typer's own base of usage errors: which module holds it differs between its versions
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def usage(line: str) -> Exception:
    """A usage error that says what to type: exit code 2."""
    return UsageError(line)


@contextlib.contextmanager
def as_usage() -> Iterator[None]:
    """What an option's value is refused for inside is wrong usage."""
    try:
        yield
    except (ConfigError, TestSeedError) as error:
        raise usage(str(error)) from None


def complain(line: str) -> None:
    """One line on stderr."""
    with contextlib.suppress(OSError):
        print(f"rewind: {' '.join(line.split())}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def resumable(what: str) -> Iterator[None]:
    """Ctrl-C inside says in one line what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        complain(f"stopped; {what}")
        raise typer.Exit(exit_code(stop)) from None


@contextlib.contextmanager
def _stopped() -> Iterator[None]:
    """Whoever is stopped inside says so in one line, and ends with the exit code of what stopped it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        complain("stopped")
        raise typer.Exit(exit_code(stop)) from None


class RewindGroup(TyperGroup):
    """A group whose unnamed command is `ask`: `rewind VIDEO "question"`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in _OWN:
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As typer's, but failures are one line; `standalone_mode=False` raises them instead."""

        def run() -> Any:
            return super(RewindGroup, self).main(
                args, prog_name or "rewind", complete_var, False, windows_expand_args, **extra
            )

        if not standalone_mode:
            return run()
        raise SystemExit(self._guarded(run, sys.argv[1:] if args is None else args))

    def make_context(self, *args: Any, **options: Any) -> Any:
        """As typer's, which would end with 130 whatever the signal."""
        with _stopped():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _stopped():
                result = super().invoke(ctx)
                sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
            raise typer.Exit(PIPE_CLOSED) from None
        return result

    def _guarded(self, run: Callable[[], Any], args: Sequence[str]) -> int:
        _open_standard_streams()
        quiet_hub()
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="replace")  # a terminal that lacks a character shows "?", and the answer
        try:
            code = run()
        except UsageError as error:
            return _usage(error, args, page=self._page(args))
        except typer.Abort as stop:
            complain("stopped")
            return exit_code(stop.__cause__)
        except RewindError as error:
            return _failed(str(error))
        except OSError as error:
            return _failed(os_refusal(error))
        except MemoryError:
            return _failed("not enough memory")
        except Exception as error:
            words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return _failed(f"unexpected {words} (a fault of rewind; {DEBUG}=1 shows where)")
        return code if isinstance(code, int) else 0

    def _page(self, args: Sequence[str]) -> str:
        """The command whose help page tells of `args`: some of typer's errors do not say where they arose."""
        path, commands = ["rewind"], dict(self.commands)
        for word in args:
            if word not in commands:
                break
            path.append(word)
            commands = getattr(commands[word], "commands", {})
        if len(path) == 1 and args and args[0] not in _OWN:
            path.append(DEFAULT_COMMAND)
        return " ".join(path)


def _failed(line: str) -> int:
    if os.environ.get(DEBUG):
        raise  # noqa: PLE0704  (called only while an exception is handled)
    complain(line)
    return NOT_ANSWERABLE


def _usage(error: Any, args: Sequence[str], *, page: str) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return USAGE
    context = getattr(error, "ctx", None)
    complain(f"{usage_refusal(error, args)}; see: {page if context is None else context.command_path} --help")
    return USAGE


def _open_standard_streams() -> None:
    """A stream that the caller closed (`>&-`) goes nowhere; a file opened later must not take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  (open until the end)


def _forget_stdout() -> None:
    """Whoever read the output is gone: what is still buffered goes nowhere, silently."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
