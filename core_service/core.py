"""What every use case works with: the storage, the clock, new ids, and who calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from core_service.context import Contexts
from core_service.measures import Measures
from core_service.news import News
from core_service.once import Once, perform
from core_service.owed import Owed
from core_service.ports import Ports
from core_service.storage.database import Storage, Transaction

if TYPE_CHECKING:
    from userdirectory.traces import Traces

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Core:
    """
    The parts that use cases are given, so that tests choose them.

    Attributes:
        storage: Where everything is kept.
        now: The time, in microseconds since 1970.
        new_id: Makes an id that was never used and cannot be guessed.
        page_key: The key that authenticates page tokens, at least 32 bytes.
        contexts: The workspaces as they were last read.
        ports: What the product around the directory does.
        measures: Takes note of what happens.
        traces: Records the spans of calls; None: nobody does.
        news: Wakes those who wait for writes.
        owed: The refusals on their way into the log.
    """

    storage: Storage
    now: Callable[[], int]
    new_id: Callable[[], str]
    page_key: bytes
    contexts: Contexts = field(default_factory=Contexts)
    ports: Ports = field(default_factory=Ports)
    measures: Measures = field(default_factory=Measures)
    traces: "Traces | None" = None
    news: News = field(default_factory=News)
    owed: Owed = field(default_factory=Owed)

    async def write(self, caller: "Caller", work: Callable[[Transaction], Awaitable[T]]) -> T:
        """
        Return what *work* makes in a write of the caller's workspace; as `Storage.write`.

        Args:
            work: Returns the answer of the RPC: if the caller named the write, it is kept, and
                given to whoever repeats it.

        Raises:
            DirectoryError: as `Storage.write`; FIELD_INVALID (`idempotency-key`).
        """
        named = caller.once
        workspace_id, credential_id = caller.workspace_id, caller.credential_id

        async def work_once(tx: Transaction) -> T:
            assert named is not None
            return await perform(tx, workspace_id, credential_id, named, self.now(), work)

        made = await self.storage.write(workspace_id, work if named is None else work_once)
        self.news.tell(workspace_id)
        return made


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who calls, as the credential says.

    Attributes:
        workspace_id: The workspace this call is about; empty when it is about none.
        integration_id: The integration whose credential it is; empty for a service credential.
        credential_id: The public id of the credential; of an access token that of the token it
            was made with.
        scopes: What the credential may do; `*` is everything.
        trace_id: Names the request in logs and answers: 32 hexadecimal digits.
        operation: What is asked for, the name of the RPC: `CreateUser`.
        subject: The user name of the person whose credential it is; empty for most.
        once: The name that the caller gave this write, so that it happens once; None for none.
        request: What is asked, for the log; None if the directory asks itself.
    """

    workspace_id: str
    integration_id: str
    credential_id: str
    scopes: frozenset[str]
    trace_id: str
    operation: str = ""
    subject: str = ""
    once: Once | None = None
    request: Message | None = field(default=None, compare=False, repr=False)

    @property
    def provisions(self) -> bool:
        """Whether this is an identity provider, for whom the limits of provisioning hold."""
        return self.integration_id != ""
