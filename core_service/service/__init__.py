"""The services of the contract: each RPC is one use case behind one door."""

import grpc
from userdirectory.v1.user_directory_pb2_grpc import add_UserDirectoryServicer_to_server
from userdirectory.v1.workspace_admin_pb2_grpc import add_WorkspaceAdminServicer_to_server

from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.service.traffic import Traffic
from core_service.service.user_directory import UserDirectory
from core_service.service.workspace_admin import WorkspaceAdmin


def add_services(
    core: Core, identity: Identity, server: grpc.aio.Server | InProcessChannel
) -> Traffic:
    """
    Offer every service of the contract at *server*, or at a channel within the process.

    Returns:
        The calls under way there.
    """
    traffic = Traffic()
    for add, service in (
        (add_UserDirectoryServicer_to_server, UserDirectory),
        (add_WorkspaceAdminServicer_to_server, WorkspaceAdmin),
    ):
        add(service(core, identity, traffic), server)  # type: ignore[no-untyped-call]
    return traffic
