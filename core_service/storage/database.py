"""The narrow way to the database: transactions, and the two storages that run them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy.sql.base import Executable

from core_service.measures import Measures
from core_service.storage.rows import WorkspaceRow

T = TypeVar("T")
NO_VALUES: Mapping[str, Any] = {}


class Connections(NamedTuple):
    """How many connections to the database may be open, are open, and work just now."""

    max: int
    open: int
    in_use: int


class Transaction(Protocol):
    """
    A transaction in progress.

    Statements are SQLAlchemy Core expressions over `tables`, with a `bindparam` for every value.
    They are compiled once and kept by identity: make them at module level, or keep them.

    Attributes:
        log_entries: How many entries of the provisioning log it has written.
    """

    log_entries: int

    @property
    def workspace(self) -> WorkspaceRow | None:
        """The workspace that the write has locked; None in a read or if there is none."""

    async def one(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none."""

    async def all(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> list[tuple[Any, ...]]:
        """Return every row."""

    async def run(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> int:
        """Run a write and return how many rows it touched."""

    async def run_many(self, statement: Executable, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a write once for each of *values*."""


class Storage(Protocol):
    """A database with our tables."""

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """
        Return what *work* makes of one consistent snapshot.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE, and what *work* raises.
        """

    async def write(self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """
        Return what *work* makes in a transaction, after it is on disk.

        Writes of one workspace happen one after another: the workspace is locked before *work*
        begins. What *work* raises rolls back all it did. Conflicts repeat *work* as a whole, so
        it must do nothing outside the transaction.

        Args:
            workspace_id: The workspace to lock; empty for a write that is about none.

        Raises:
            DirectoryError: WRITE_CONFLICT after five attempts or five seconds;
                STORAGE_UNAVAILABLE; VALUE_TAKEN (`field`, `value`) for a value that must be
                unique; and what *work* raises.
        """

    async def ping(self) -> None:
        """
        Return if the database can be read and takes writes.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE.
        """

    def connections(self) -> Connections:
        """Return how many connections there are, besides the one that writes to SQLite."""

    async def close(self) -> None:
        """Finish the writes that wait and let go of every connection."""


async def open_storage(
    url: str, *, pool_size: int = 10, measures: Measures | None = None
) -> Storage:
    """
    Return the storage at *url*, with its tables brought up to date.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://...`, which may
            name several hosts and `target_session_attrs=read-write`.
        pool_size: The most connections to PostgreSQL.
        measures: Takes note of reads, writes and waits; None: nobody does.

    Raises:
        ValueError: *url* is neither; the text names no password.
        DirectoryError: STORAGE_UNAVAILABLE if the database does not answer.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from core_service.storage.sqlite import SqliteStorage

        return await SqliteStorage.open(_path(url), measures or Measures())
    if scheme in ("postgresql", "postgres"):
        from core_service.storage.postgresql import PostgresStorage

        return await PostgresStorage.open(url, pool_size, measures or Measures())
    raise ValueError("The database URL must begin with sqlite:/// or postgresql://.")


def _path(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or len(path) < 2:
        raise ValueError("A SQLite URL is sqlite:///relative.db or sqlite:////absolute.db.")
    return Path(path[1:])
