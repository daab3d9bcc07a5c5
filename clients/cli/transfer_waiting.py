"""Waiting: a bar that tells how far it is, and a directory that is away for a while."""

import random
import signal
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import grpc
import tenacity
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from userdirectory.errors import DirectoryError

# What the same request, sent again a little later, may get over.
_PASSING_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
PASSING_REASONS = frozenset({"STORAGE_UNAVAILABLE", "WRITE_CONFLICT", "RATE_LIMITED"})
_LONGEST_PAUSE_SECONDS = 5.0

T = TypeVar("T")


class Bar:
    """
    A progress bar on standard error; only for people, who have a terminal.

    Args:
        what: What is done: `Importing`.
        quiet: Whether to show none.
        prints: Whether there are lines on standard output, which on a terminal tell enough.
    """

    def __init__(self, what: str, *, quiet: bool, prints: bool) -> None:
        """Make the bar; it is there within a `with`."""
        self._console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        crowded = prints and sys.stdout.isatty()
        self._shown = not quiet and self._console.is_terminal and not crowded
        self._what = what
        self._waits = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._shown,
            # What is printed is for whom standard output goes to.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> Self:
        """Show it."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave it as it is."""
        self._bar.stop()

    def move(self, done: int, total: int) -> None:
        """Show that so many are done, of so many; nothing is waited for now."""
        self._waits = False
        self._bar.update(self._task, completed=done, total=total, description=self._what)

    def wait(self) -> None:
        """Show that the directory is waited for; where there is no bar, in a line, once."""
        if not self._shown and not self._quiet and not self._waits:
            self._console.print("The directory is away or busy; trying again for a while.")
        self._waits = True
        self._bar.update(self._task, description="Waiting for the directory")


class Interrupt:
    """
    Ctrl-C, which is heard in any case.

    It interrupts at once, as always. But what a handler raises while Python runs a finalizer or a
    callback of a library is dropped; so it is remembered too, and `check` raises it again.
    """

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._heard = False
        self._before: object = None

    def __enter__(self) -> Self:
        """Listen; signals reach the main thread alone."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was heard."""
        if self._heard:
            raise KeyboardInterrupt

    def _hear(self, *_: object) -> None:
        self._heard = True
        raise KeyboardInterrupt


def patiently(work: Callable[[], T], seconds: float, on_wait: Callable[[BaseException], None]) -> T:
    """
    Return what *work* returns, done again while the directory is away, busy or slow.

    Args:
        work: Must bear being done twice, for a call without an answer may have been carried out.
        seconds: For how long; then what it failed with is raised.
        on_wait: Told what it failed with before each pause.
    """

    def tell(state: tenacity.RetryCallState) -> None:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert error is not None
        on_wait(error)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_passes),
        stop=tenacity.stop_after_delay(seconds),
        wait=_pause,
        before_sleep=tell,
        reraise=True,
    )
    return retrying(work)


def _passes(error: BaseException) -> bool:
    if isinstance(error, DirectoryError):
        return error.reason in PASSING_REASONS
    return isinstance(error, grpc.RpcError) and error.code() in _PASSING_CODES


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, DirectoryError):
        asked = error.metadata.get("retry_after_seconds", "")
        if asked.isdecimal():
            return float(asked)
    # Jittered, so that a directory that comes back does not meet all imports at once.
    longest = min(_LONGEST_PAUSE_SECONDS, 0.2 * 2.0**state.attempt_number)
    return random.uniform(longest / 2, longest)  # noqa: S311
