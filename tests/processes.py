"""Our programs as processes of their own: started, read, stopped, killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
"""How long a start may take on a machine that is busy with other tests."""

_SHOWN_LINES = 40
# Settings of whoever runs the tests must not reach the programs.
_KEPT = (
    "PATH",
    "PYTHONPATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "SYSTEMROOT",
)


class Program:
    """
    `python -m ...`, running.

    Args:
        arguments: What follows `python -m`: the module, then flags.
        settings: The environment, besides what every process needs.
    """

    def __init__(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        """Start it."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", *arguments],
            cwd=ROOT,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def output(self) -> str:
        """What it has printed so far, standard error included."""
        with self._news:
            return "".join(self._lines)

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Return the match of *pattern* as soon as the output has one."""
        ends = time.monotonic() + seconds
        with self._news:
            while True:
                found = re.search(pattern, "".join(self._lines))
                if found:
                    return found
                left = ends - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise AssertionError(f"no {pattern!r} in:\n{''.join(self._lines)}")
                self._news.wait(min(left, 0.2))

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self, seconds: float = START_SECONDS) -> int:
        """Return the exit status once it has ended; negative if a signal ended it."""
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self.ended()

    def __enter__(self) -> Self:
        """Return the program."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill it if it still runs; show what it printed if the test failed."""
        if self.runs:
            self.kill()
        else:
            self.ended()
        if error is not None:
            last = "".join(self._lines[-_SHOWN_LINES:])
            print(f"--- {' '.join(map(str, self._process.args))}\n{last}")


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
