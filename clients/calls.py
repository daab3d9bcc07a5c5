"""How clients call: the channel, the deadline, which calls are tried again, what errors become."""

import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypedDict

import grpc
import tenacity
from google.protobuf.descriptor_pb2 import MethodOptions
from userdirectory.status import error_of_call
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2

from clients.steps import Call

SERVICES = (
    user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"],
    workspace_admin_pb2.DESCRIPTOR.services_by_name["WorkspaceAdmin"],
)
_READS = frozenset(
    method.name
    for service in SERVICES
    for method in service.methods
    if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
_ATTEMPTS = 3

OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    # A server that is gone without a word is noticed within 15 seconds.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # The next try finds a server that is back; gRPC would wait a second, longer than all tries.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Tries are ours: one layer retries.
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """
    How a channel is secured; all files are PEM.

    Attributes:
        authorities: Who vouches for the server; None: the authorities that gRPC brings.
        certificate: The client's own certificate chain, where the server asks for one.
        key: The private key of that certificate.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Return the credentials, read from the files."""
        return grpc.ssl_channel_credentials(
            *(
                file.read_bytes() if file else None
                for file in (self.authorities, self.key, self.certificate)
            )
        )


class Budget:
    """
    Keeps retries from adding to an outage: they cost, answers earn.

    A retry needs more than half of ten tokens. A failed try costs one, an answer earns a tenth, so
    that at most every eleventh try is a repeated one while the server is away. Source: gRPC
    proposal A6, retry throttling.
    """

    def __init__(self) -> None:
        """Begin with ten tokens."""
        self._tokens = 10.0

    def failed(self) -> bool:
        """Note that the server was not there; return whether another try is allowed."""
        self._tokens = max(0.0, self._tokens - 1)
        return self._tokens > 5

    def answered(self) -> None:
        """Note that the server answered."""
        self._tokens = min(10.0, self._tokens + 0.1)


class Terms(TypedDict):
    """What goes with a call of a stub."""

    timeout: float
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A call that can be made.

    Attributes:
        method: The name of the RPC.
        metadata: The same for each try, the key of a write included.
        repeatable: Whether it may be sent again if nobody knows what became of it.
        ends: When the time of all tries is over, on the monotonic clock.
    """

    method: str
    metadata: tuple[tuple[str, str], ...]
    repeatable: bool
    ends: float

    def terms(self) -> Terms:
        """Return what goes with the next try."""
        return {"timeout": max(0.0, self.ends - time.monotonic()), "metadata": self.metadata}


@dataclass(frozen=True, slots=True)
class Client:
    """
    What all calls of a client have in common.

    Args:
        token: The credential; ValueError if it cannot be sent.
        workspace_id: The workspace; empty means the credential's own.
        timeout_seconds: How long a call may take, further tries included.
    """

    token: str = field(repr=False)
    workspace_id: str
    timeout_seconds: float
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        """Refuse a token that no header can carry."""
        if not _TOKEN.fullmatch(self.token):
            raise ValueError("A token is visible ASCII without blanks. Copy it again.")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),)

    def name_workspace(self, request: Any) -> None:
        """Name the workspace in *request*, unless it names one, or is about none."""
        if self.workspace_id and not getattr(request, "workspace_id", self.workspace_id):
            request.workspace_id = self.workspace_id

    def prepare(self, call: Call) -> Prepared:
        """Name the workspace in the request of *call*; return how it is made."""
        request = call.request
        self.name_workspace(request)
        method = request.DESCRIPTOR.name.removesuffix("Request")
        metadata = list(self.metadata)
        reads = method in _READS
        if not reads and call.key is not None:
            metadata.append(("idempotency-key", call.key or str(uuid.uuid4())))
        return Prepared(
            method=method,
            metadata=tuple(metadata),
            repeatable=reads or call.key is not None,
            ends=time.monotonic() + self.timeout_seconds,
        )

    def tries(self, prepared: Prepared) -> dict[str, Any]:
        """
        Return when a call is tried again, as arguments of tenacity.

        Only what can be repeated, only UNAVAILABLE, at most three tries, at random intervals,
        within the time: that of all tries together.
        """
        return {
            "retry": tenacity.retry_if_exception(self._again),
            "stop": tenacity.stop_any(
                tenacity.stop_after_attempt(_ATTEMPTS if prepared.repeatable else 1),
                tenacity.stop_before_delay(self.timeout_seconds),
            ),
            "wait": tenacity.wait_random_exponential(multiplier=0.1, max=1),
            "reraise": True,
        }

    def refuse(self, error: grpc.RpcError) -> NoReturn:
        """Raise the DirectoryError that *error* carries, *error* itself if it carries none."""
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            self.budget.answered()
        refusal = error_of_call(error)
        if refusal is None:
            raise error
        raise refusal from None

    def _again(self, error: BaseException) -> bool:
        away = isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNAVAILABLE
        return away and self.budget.failed()
