"""The way to a core on the network: TLS, keep-alive, balancing, repeated reads."""

import json
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from scim_gateway.context import Stubs
from scim_gateway.settings import Settings

_SERVICES = (
    *user_directory_pb2.DESCRIPTOR.services_by_name.values(),
    *workspace_admin_pb2.DESCRIPTOR.services_by_name.values(),
)
_READ = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS


def connect(settings: Settings) -> tuple[grpc.aio.Channel, Stubs]:
    """
    Return a channel to the core that *settings* name, and stubs on it; nothing is sent yet.

    Reads that fail because the core is away are repeated up to twice, within their deadline and a
    budget, by the channel and by nobody else. Writes are never repeated.
    """
    options = _options()
    if settings.core_authority:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=Path(settings.core_authority).read_bytes(),
            private_key=_content(settings.core_key),
            certificate_chain=_content(settings.core_certificate),
        )
        channel = grpc.aio.secure_channel(settings.core, credentials, options)
    else:
        channel = grpc.aio.insecure_channel(settings.core, options)
    return channel, Stubs(
        directory=UserDirectoryStub(channel),  # type: ignore[no-untyped-call]
        workspaces=WorkspaceAdminStub(channel),  # type: ignore[no-untyped-call]
        health=HealthStub(channel),
    )


def service_config() -> str:
    """Return gRPC's service config: several cores take turns, reads are repeated."""
    reads = [
        {"service": method.containing_service.full_name, "method": method.name}
        for service in _SERVICES
        for method in service.methods
        if method.GetOptions().idempotency_level == _READ
    ]
    policy = {
        "maxAttempts": 3,
        "initialBackoff": "0.05s",
        "maxBackoff": "0.5s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": [{"name": reads, "retryPolicy": policy}],
            # At most one repetition for ten calls once calls fail.
            "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
        }
    )


def _options() -> list[tuple[str, object]]:
    return [
        ("grpc.service_config", service_config()),
        # A page of 1,000 users may be larger than the default of 4 MiB.
        ("grpc.max_receive_message_length", 64 * 1024 * 1024),
        # A core that stopped answering is noticed within 15 seconds.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        # gRPC measures with pings too, and waits a minute for those unless it is told otherwise;
        # meanwhile it sends no others.
        ("grpc.http2.ping_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
    ]


def _content(file: str) -> bytes | None:
    return Path(file).read_bytes() if file else None
