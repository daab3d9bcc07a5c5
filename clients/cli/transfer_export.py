"""An export: users page by page, written as CSV or JSONL."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import typer
from google.protobuf.json_format import MessageToDict
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.filter_pb2 import Comparison, Filter, FilterList
from userdirectory.v1.user_pb2 import User

from clients.cli import transfer_csv
from clients.cli.transfer_columns import PASSWORD, Element, List
from clients.cli.transfer_plan import MOST, any_of
from clients.cli.transfer_table import (
    CSV,
    EXPORTED,
    JSON,
    MANAGER,
    MANAGER_ID,
    SET_BY_DIRECTORY,
    near,
    roots,
)
from clients.cli.transfer_waiting import Bar, patiently

Ask = Callable[[Any], Any]


def chosen(text: str, *, csv: bool) -> list[str]:
    """
    Return the columns of an export; none for JSONL means the whole user.

    Args:
        text: Names with commas between; empty for the usual ones.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if csv:
        known = [*CSV, MANAGER, *SET_BY_DIRECTORY]
    else:
        known = [*JSON, *roots(JSON), *(field.name for field in User.DESCRIPTOR.fields)]
    for name in names:
        if name == PASSWORD:
            raise typer.BadParameter("Nobody can read passwords.")
        if name not in known:
            raise typer.BadParameter(f"{name!r} is no column.{near(name, dict.fromkeys(known))}")
    return names or (list(EXPORTED) if csv else [])


def request(names: Sequence[str], role: str, *, inactive: bool) -> api.ListUsersRequest:
    """Return the request for the users of an export, in order of id, which nobody can change."""
    asked = api.ListUsersRequest(page_size=1000)
    if tuple(names) == EXPORTED:
        # The lists too, to tell what CSV has no column for.
        asked.read_mask.paths.extend(roots(JSON))
    else:
        asked.read_mask.paths.extend(_field(name) for name in names)
    tests = []
    if role:
        tests.append(Filter(equal=Comparison(field="workplace.user_role", text=role)))
    if inactive:
        tests.append(Filter(equal=Comparison(field="active", flag=False)))
    if tests:
        asked.filter.all_of.CopyFrom(FilterList(filters=tests))
    return asked


@contextmanager
def target(file: Path | None) -> Iterator[IO[str]]:
    """
    Give what to write to: standard output, or a file that takes the place of *file* at the end.

    Only its owner can read the file, for it is about people.
    """
    if file is None:
        yield sys.stdout
        return
    try:
        new = NamedTemporaryFile(  # noqa: SIM115 - it is renamed, not removed
            "w", encoding="utf-8", newline="", dir=file.parent, prefix=file.name, delete=False
        )
    except OSError as error:
        raise typer.BadParameter(f"Cannot write {file}: {error.strerror}.") from None
    try:
        with new:
            yield new
            new.flush()
            os.fsync(new.fileno())
        Path(new.name).replace(file)
    except BaseException:
        Path(new.name).unlink()
        raise


class Export:
    """
    An export under way.

    Args:
        ask: Returns the response to a request.
        bar: Shown how far it is.
        wait_seconds: How long to wait for a directory that is away.
    """

    def __init__(self, ask: Ask, bar: Bar, wait_seconds: float) -> None:
        """Know nobody yet."""
        self._ask = ask
        self._bar = bar
        self._wait_seconds = wait_seconds
        self._names: dict[str, str] = {}
        self._lost: Counter[str] = Counter()
        self._managers_unknown = 0

    def write(
        self, asked: api.ListUsersRequest, out: IO[str], names: Sequence[str], *, csv: bool
    ) -> list[str]:
        """
        Write the users that a request finds; return what people should know.

        Args:
            names: The columns.
        """
        if csv:
            out.write(transfer_csv.line(list(names), ","))
        done = 0
        for page in self._pages(asked):
            if csv and MANAGER in names:
                self._look_up(page.users)
            for user in page.users:
                out.write(self._row(user, names) if csv else _json(user))
            done += len(page.users)
            self._bar.move(done, page.total_size)
        return self._notes()

    def _pages(self, asked: api.ListUsersRequest) -> Iterator[api.ListUsersResponse]:
        while True:
            page = self._patiently(asked)
            yield page
            if not page.next_page_token:
                return
            asked.page_token = page.next_page_token

    def _patiently(self, asked: api.ListUsersRequest) -> api.ListUsersResponse:
        page: api.ListUsersResponse = patiently(
            partial(self._ask, asked), self._wait_seconds, self._wait
        )
        return page

    def _wait(self, _: BaseException) -> None:
        self._bar.wait()

    def _look_up(self, users: Iterable[User]) -> None:
        """Learn the user names of managers."""
        managers = dict.fromkeys(user.enterprise.manager.user_id for user in users)
        unknown = [id_ for id_ in managers if id_ and id_ not in self._names]
        for at in range(0, len(unknown), MOST):
            asked = api.ListUsersRequest(
                filter=any_of("id", unknown[at : at + MOST]), page_size=1000
            )
            asked.read_mask.paths.append("user_name")
            self._names.update((user.id, user.user_name) for user in self._patiently(asked).users)

    def _row(self, user: User, names: Sequence[str]) -> str:
        cells = []
        for name in names:
            if name == MANAGER:
                cells.append(self._manager(user))
            else:
                cells.append((CSV.get(name) or SET_BY_DIRECTORY[name]).text(user))
        if tuple(names) == EXPORTED:
            self._lost.update(_lost(user))
        return transfer_csv.line(cells, ",")

    def _manager(self, user: User) -> str:
        manager_id = user.enterprise.manager.user_id
        self._managers_unknown += bool(manager_id) and manager_id not in self._names
        return self._names.get(manager_id, "")

    def _notes(self) -> list[str]:
        notes = [
            f"{count:,} users have values in {field} that CSV has no column for. JSONL has them."
            for field, count in sorted(self._lost.items())
        ]
        if self._managers_unknown:
            notes.append(
                f"{self._managers_unknown:,} users have a manager who is not there; the column is "
                "empty for them."
            )
        return notes


def _field(name: str) -> str:
    if name == MANAGER:
        return MANAGER_ID
    return CSV[name].path if name in CSV else name


def _json(user: User) -> str:
    values = MessageToDict(user, preserving_proto_field_name=True)
    return json.dumps(values, ensure_ascii=False) + "\n"


def _lost(user: User) -> Iterator[str]:
    """Yield the lists of which CSV has not every value."""
    for path, column in JSON.items():
        if not isinstance(column, List):
            continue
        if path == "roles":
            # The role that the user has is there as a value too.
            kept = sum(1 for grant in user.roles if grant.value == user.workplace.user_role)
        else:
            flat = (each for each in CSV.values() if isinstance(each, Element))
            kept = sum(1 for each in flat if each.path == path and each.text(user))
        if kept < len(getattr(user, path)):
            yield path
