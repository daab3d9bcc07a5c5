"""The server: where it listens, what it says of itself, how it stops."""

import asyncio
import contextlib
import socket

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from clients.directory import AsyncDirectory, Tls
from core_service import settings
from core_service.server import PortError, check_port, start_server
from core_service.service.access import SERVICES
from tests.workspaces import new_place

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@contextlib.asynccontextmanager
async def started(core, identity, **flags):
    """Give a server with these settings."""
    server = await start_server(core, identity, settings.read({"grpc_port": "0"} | flags, {}))
    try:
        yield server
    finally:
        await server.stop(0)


def connected(server):
    """Return a channel to a server."""
    return grpc.aio.insecure_channel(server.address)


async def services(channel):
    """Return the services that reflection lists."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = await anext(aiter(stub.ServerReflectionInfo(iter([request]))))
    return {each.name for each in answer.list_services_response.service}


async def test_reflection_lists_every_service(core, identity):
    """grpcurl and buf curl find the contract (G08)."""
    async with started(core, identity) as server, connected(server) as channel:
        assert await services(channel) >= set(SERVICES)


async def test_reflection_can_be_switched_off(core, identity):
    """One setting turns it off (G08)."""
    async with started(core, identity, reflection="off") as server, connected(server) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await services(channel)

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_health_says_when_the_server_stops(core, identity):
    """Who watches is told NOT_SERVING before the connection ends (R07)."""
    async with started(core, identity) as server, connected(server) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        first = await watch.read()
        stopping = asyncio.create_task(server.stop(5))
        second = await watch.read()
        watch.cancel()
        await stopping

    assert (first.status, second.status) == (SERVING, NOT_SERVING)


def test_a_taken_port_is_told_with_the_setting():
    """The message names the port and what to change."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortError, match=rf"Port {port} is taken\..*another GRPC_PORT\."):
            check_port("127.0.0.1", port, "GRPC_PORT")


def test_a_host_elsewhere_cannot_be_listened_at():
    """An address that is not this machine's is told apart from a taken port."""
    with pytest.raises(PortError, match=r"Cannot listen at 192\.0\.2\.1:1"):
        check_port("192.0.2.1", 1, "GRPC_PORT")


async def test_two_servers_do_not_share_a_port(core, identity):
    """A second server at the same port is refused, not given half of the calls."""
    async with started(core, identity) as server:
        with pytest.raises(PortError):
            async with started(core, identity, grpc_port=str(server.port)):
                pass


def test_help_is_no_start():
    """The parser of the command line knows every setting and sets none by itself."""
    assert set(vars(settings.parser().parse_args([])).values()) == {None}


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Give a folder with two authorities, `ca` and `other`, and what `ca` signed."""
    folder = tmp_path_factory.mktemp("pki")
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other.pem")
    for name, signer in (("server", ca), ("client", ca), ("stranger", other)):
        issued = signer.issue_cert("localhost")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        for part in issued.cert_chain_pems:
            part.write_to_path(folder / f"{name}.pem", append=True)
    return folder


@contextlib.asynccontextmanager
async def secured(core, identity, pki):
    """Give the address of a server that speaks TLS and asks clients for a certificate."""
    flags = {
        "grpc_tls_cert": str(pki / "server.pem"),
        "grpc_tls_key": str(pki / "server.key"),
        "grpc_tls_client_ca": str(pki / "ca.pem"),
    }
    async with started(core, identity, **flags) as server:
        yield f"localhost:{server.port}"


async def test_who_has_the_right_certificate_is_answered(core, identity, pki):
    """TLS in both directions (G04)."""
    place = await new_place(core)
    tls = Tls(pki / "ca.pem", pki / "client.pem", pki / "client.key")
    async with (
        secured(core, identity, pki) as address,
        AsyncDirectory(address, place.token, tls=tls) as directory,
    ):
        roles = await directory.list_roles()

    assert len(roles) == 3


@pytest.mark.parametrize("kind", ["none", "stranger", "wrong authority", "plaintext"])
async def test_who_has_not_is_refused(core, identity, pki, kind):
    """No certificate, one of another authority, distrust of the server, no TLS at all (G04)."""
    place = await new_place(core)
    tls = {
        "none": Tls(pki / "ca.pem"),
        "stranger": Tls(pki / "ca.pem", pki / "stranger.pem", pki / "stranger.key"),
        "wrong authority": Tls(pki / "other.pem", pki / "client.pem", pki / "client.key"),
        "plaintext": None,
    }[kind]
    async with secured(core, identity, pki) as address:
        client = AsyncDirectory(address, place.token, tls=tls, timeout_seconds=5)
        async with client as directory:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await directory.list_roles()

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
