"""
An import under way: batches of writes, what became of each line, and how to go on after a stop.

Every line is carried out at least once, which is enough: before each batch, also one that is sent
again, its lines are compared with the directory. An update that was carried out finds nothing to
change, and a create that was carried out finds the user by the name. So progress is kept after a
batch was answered, and a kill between the two costs one batch of comparisons.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import TypeVar

import grpc
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.error_reason_pb2 import ErrorReason

from clients.cli.transfer_files import LARGEST
from clients.cli.transfer_lines import Line, Source
from clients.cli.transfer_plan import MOST, REFUSED, Planner, Refusal, Step, nobody
from clients.cli.transfer_progress import Progress, Rejected, file_of
from clients.cli.transfer_report import End, Report
from clients.cli.transfer_waiting import PASSING_REASONS, Bar, Interrupt, patiently
from clients.connection import Connection

_MOST_WITH_PASSWORDS = 20
"""Each password takes the directory about 50 ms, and a call may take ten seconds."""

T = TypeVar("T")
Plan = Callable[[Sequence[Line]], list[Step]]


class Import:
    """
    An import of one file.

    Args:
        connection: To the directory.
        source: The file.
        planner: Knows what its lines lead to.
        report: Told what becomes of each line.
        bar: Shown how far it is.
        wait_seconds: How long to wait for a directory that is away.
    """

    def __init__(
        self,
        connection: Connection,
        source: Source,
        planner: Planner,
        report: Report,
        bar: Bar,
        *,
        wait_seconds: float,
    ) -> None:
        """Do nothing yet."""
        self._connection = connection
        self._source = source
        self._planner = planner
        self._report = report
        self._bar = bar
        self._wait_seconds = wait_seconds
        self._interrupt = Interrupt()
        self._size = _MOST_WITH_PASSWORDS if source.has_passwords else MOST

    def preview(self, counts: dict[str, int]) -> None:
        """
        Tell what would become of each line, and count it; nothing is written.

        What the directory would refuse by its rules cannot be known, but for managers whom nobody
        knows.
        """
        for end in self._previewed():
            counts[end.outcome] += 1
            self._report.end(end)

    def run(self, progress: Progress) -> None:
        """Carry out what is not done yet; *progress* is kept up to date, and on disk."""
        with self._interrupt, Rejected(self._source, progress) as rejected:
            self._write_lines(progress, rejected)
            self._write_managers(progress, rejected)

    def _previewed(self) -> Iterator[End]:
        deferred, refused = [], set()
        for at in range(0, len(self._source.lines), MOST):
            lines = self._source.lines[at : at + MOST]
            for step in self._patiently(partial(self._planner.plan, lines)):
                if step.deferred:
                    deferred.append(step)
                    continue
                if step.refusal is not None:
                    refused.add(step.line.key)
                yield End(step, step.outcome, step.user_id, step.refusal)
            self._bar.move(at + len(lines), len(self._source.lines))
        yield from (_once_all_are_there(step, refused) for step in deferred)

    def _write_lines(self, progress: Progress, rejected: Rejected) -> None:
        lines = self._source.lines
        while progress.lines_done < len(lines):
            ends = self._settle(lines[progress.lines_done :][:MOST], self._planner.plan)
            for index, end in enumerate(ends, progress.lines_done):
                if end.step.deferred and end.refusal is None:
                    progress.deferred.append((index, end.outcome))
                else:
                    self._count(end, progress, rejected)
            progress.lines_done += len(ends)
            self._keep(progress, rejected)

    def _write_managers(self, progress: Progress, rejected: Rejected) -> None:
        """Give those their managers who were there before them."""
        while progress.managers_done < len(progress.deferred):
            owed = progress.deferred[progress.managers_done :][:MOST]
            lines = [self._source.lines[index] for index, _ in owed]
            ends = self._settle(lines, self._planner.plan_manager)
            for (_, outcome), end in zip(owed, ends, strict=False):
                whole = end if end.refusal else End(end.step, outcome, end.user_id)
                self._count(whole, progress, rejected)
            progress.managers_done += len(ends)
            self._keep(progress, rejected)

    def _settle(self, lines: Sequence[Line], plan: Plan) -> list[End]:
        """
        Return what became of the first of the lines, of as many as go into a batch.

        What a line was found to need first is what is told of it: what was carried out without an
        answer needs nothing any more when it is looked at again.
        """
        first: dict[int, Step] = {}

        def work() -> list[End]:
            steps = plan(_fitting(lines[: self._size]))
            for step in steps:
                if step.refusal is None:
                    first.setdefault(step.line.number, step)
            return [_as_first(end, first) for end in self._send(steps)]

        return self._patiently(work)

    def _send(self, steps: Sequence[Step]) -> list[End]:
        writing = [step for step in steps if step.write is not None]
        request = api.BatchWriteRequest(operations=[step.write for step in writing if step.write])
        results, trace_id = [], ""
        if writing:
            response, trace_id = self._connection.traced(request)
            results = response.results
        answers = {step.line.number: result for step, result in zip(writing, results, strict=True)}
        return [_end(step, answers.get(step.line.number), trace_id) for step in steps]

    def _count(self, end: End, progress: Progress, rejected: Rejected) -> None:
        progress.counts[end.outcome] += 1
        if end.refusal is not None:
            rejected.add(end.step.line, end.refusal)
        self._report.end(end)

    def _keep(self, progress: Progress, rejected: Rejected) -> None:
        rejected.flush()
        progress.save(file_of(self._source.path))
        total = len(self._source.lines) + len(progress.deferred)
        self._bar.move(progress.lines_done + progress.managers_done, total)
        self._interrupt.check()

    def _patiently(self, work: Callable[[], T]) -> T:
        return patiently(work, self._wait_seconds, self._wait)

    def _wait(self, error: BaseException) -> None:
        self._bar.wait()
        if isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            # Too much for the time of a call; less of it may not be.
            self._size = max(1, self._size // 2)


def _fitting(lines: Sequence[Line]) -> Sequence[Line]:
    """Return as many of the lines as one request can have."""
    sizes = accumulate(line.size for line in lines)
    return lines[: max(1, sum(1 for size in sizes if size <= LARGEST))]


def _end(step: Step, result: api.WriteResult | None, trace_id: str) -> End:
    if result is None:
        return End(step, step.outcome, step.user_id, step.refusal)
    if not result.HasField("error"):
        return End(step, step.outcome, result.user.id)
    named = ErrorReason.DESCRIPTOR.values_by_number.get(result.error.reason)
    reason = named.name.removeprefix("ERROR_REASON_") if named else str(result.error.reason)
    if reason in PASSING_REASONS:
        raise DirectoryError(reason, result.error.message, **result.error.metadata)
    refusal = Refusal(reason, result.error.message, trace_id)
    return End(step, REFUSED, step.user_id, refusal)


def _as_first(end: End, first: dict[int, Step]) -> End:
    step = first.get(end.step.line.number, end.step)
    return End(step, REFUSED if end.refusal else step.outcome, end.user_id, end.refusal)


def _once_all_are_there(step: Step, refused: set[str]) -> End:
    """Return what would become of a line whose manager is in the file, if that one is taken."""
    if fold(step.line.manager) in refused:
        return End(step, REFUSED, step.user_id, nobody(step.line.manager))
    return End(step, step.outcome, step.user_id)
