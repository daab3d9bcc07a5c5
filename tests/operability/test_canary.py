"""What must never be told: a whole conversation with canaries, and where they did not end up."""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
from userdirectory.v1 import integration_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin_api
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User, UserRef
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.operability.collector import Collector
from tests.operability.watched import Watched
from tests.scim import PATCH_OP, Scim, person

PASSWORD = "canary-Pass-7f3a!"
OTHER_PASSWORD = "canary-Word-91c0!"
EMAIL = "canary.person@example.com"
NAME = "Canarina"
SAID = "canary-said-in-passing"


class Conversation:
    """
    What an identity provider and a product say to a deployment, right and wrong.

    Attributes:
        secrets: Passwords and tokens that were used, the wrong ones too.
        traces: The trace ids of what was answered over SCIM.
    """

    def __init__(self, deployment: Watched) -> None:
        """Say nothing yet."""
        self._deployment = deployment
        self.secrets = [PASSWORD, OTHER_PASSWORD]
        self.traces: list[str] = []
        self._keep(deployment.place.token)
        self._keep(deployment.service_token)

    def _keep(self, token: str) -> str:
        self.secrets.append(token.split("_", 2)[-1])
        return token

    def hold(self) -> None:
        """Say everything."""
        with self._deployment.client() as client:
            self._provision(client)
            self._get_wrong(client)
        self._with_wrong_tokens()
        self._over_grpc()

    def _ask(self, client: Scim, method: str, path: str, body: Any = None) -> Any:
        answer = client.request(method, path, body)
        self.traces.append(str(answer.headers["trace-id"]))
        return answer

    def _provision(self, client: Scim) -> None:
        wanted = person(EMAIL, password=PASSWORD) | {"name": {"givenName": NAME, "familyName": "X"}}
        made = self._ask(client, "POST", "/Users", wanted)
        assert made.status == 201, made
        user = f"/Users/{made.body['id']}"
        operations = [{"op": "replace", "path": "password", "value": OTHER_PASSWORD}]
        for method, path, body, status in (
            ("POST", "/Users", wanted, 409),
            ("GET", f'/Users?filter=userName%20eq%20"{EMAIL}"', None, 200),
            ("GET", f'/Users?filter=password%20eq%20"{PASSWORD}"', None, 400),
            ("PATCH", user, {"schemas": [PATCH_OP], "Operations": operations}, 200),
            ("PUT", user, wanted, 200),
            ("GET", user, None, 200),
        ):
            assert self._ask(client, method, path, body).status == status, (method, path)

    def _get_wrong(self, client: Scim) -> None:
        for method, path, body in (
            ("GET", f"/Users/{EMAIL}", None),
            ("GET", f"/{SAID}/{EMAIL}?x={PASSWORD}", None),
            ("GET", f"/w/{SAID}/Users", None),
            ("POST", "/Users", {"userName": EMAIL, SAID: PASSWORD, "active": SAID}),
            ("POST", "/Groups", {"displayName": NAME, "members": [{"value": EMAIL}]}),
            ("POST", "/Bulk", {"Operations": [{"method": "POST", "path": "/Users", "data": SAID}]}),
        ):
            assert self._ask(client, method, path, body).status < 500, (method, path)

    def _with_wrong_tokens(self) -> None:
        prefix, public_id, _ = self._deployment.place.token.split("_", 2)
        for token in (
            self._keep(f"{prefix}_{public_id}_{secrets.token_urlsafe(32)}"),
            self._keep(f"canary{secrets.token_hex(20)}"),
        ):
            with Scim(self._deployment.base_url, token) as client:
                assert self._ask(client, "GET", "/Users").status == 401

    def _over_grpc(self) -> None:
        workspace_id = self._deployment.place.workspace_id
        bearer = (("authorization", f"Bearer {self._deployment.service_token}"),)
        with grpc.insecure_channel(self._deployment.grpc_address) as channel:
            people, admin = UserDirectoryStub(channel), WorkspaceAdminStub(channel)
            wanted = User(user_name=f"grpc.{EMAIL}", password=PASSWORD)
            request = api.CreateUserRequest(workspace_id=workspace_id, user=wanted)
            people.CreateUser(request, metadata=bearer)
            asked = api.GetUserRequest(
                workspace_id=workspace_id, user=UserRef(user_name=f"grpc.{EMAIL}")
            )
            people.GetUser(asked, metadata=bearer)
            wrong = self._keep(f"{self._deployment.service_token[:-4]}zzzz")
            for metadata in ((("authorization", f"Bearer {wrong}"),), (("authorization", SAID),)):
                with pytest.raises(grpc.RpcError):
                    people.GetUser(asked, metadata=metadata)
            made = admin.CreateIntegration(
                admin_api.CreateIntegrationRequest(
                    workspace_id=workspace_id,
                    provider=integration_pb2.PROVIDER_GENERIC,
                    label=SAID,
                ),
                metadata=bearer,
            )
            self._keep(made.token)


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    """The form of log lines."""
    return str(request.param)


def test_no_canary_is_told(tmp_path: Path, database_url: str, form: str):
    """
    At DEBUG no log, metric or span holds a password, a token or a person; the database no secret.

    That is X01: the conversation goes right and wrong, over SCIM and gRPC.
    """
    settings = {
        f"{of}LOG_{what}": value
        for of in ("", "SCIM_")
        for what, value in (("LEVEL", "DEBUG"), ("FORMAT", form))
    }
    with Collector() as collector:
        deployment = Watched(tmp_path, database_url, settings | collector.settings)
        with deployment:
            deployment.wait_until_ready()
            conversation = Conversation(deployment)
            conversation.hold()
            told = {of: deployment.page(of, "/metrics")[1] for of in ("core", "gateway")}
            for program in (deployment.gateway, deployment.core):
                program.signal()
                assert program.ended() == 0
            told |= {
                "core's log": deployment.core.output,
                "gateway's log": deployment.gateway.output,
                "spans": collector.raw.decode(errors="replace"),
            }

    _assert_all_is_there(told, conversation, form)
    personal = [*conversation.secrets, EMAIL, "canary.person", NAME, SAID]
    assert [] == [
        (where, word) for where, text in told.items() for word in personal if word in text
    ]
    dumped = asyncio.run(_dump(database_url))
    assert EMAIL.encode() in dumped
    assert [] == [word for word in conversation.secrets if word.encode() in dumped]


def _assert_all_is_there(told: dict[str, str], conversation: Conversation, form: str) -> None:
    """The canaries are looked for where everything else is."""
    assert all(trace_id in told["gateway's log"] for trace_id in conversation.traces)
    assert "reason=CREDENTIAL_INVALID" in told["core's log"]
    assert "UserDirectory/CreateUser" in told["core"]
    assert 'resource="OTHER"' in told["gateway"]
    assert all(name in told["spans"] for name in ("POST /Users", "GET OTHER", "INSERT users"))
    if form == "json":
        lines = [
            json.loads(line)
            for of in ("core", "gateway")
            for line in told[f"{of}'s log"].splitlines()
        ]
        assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
        assert {line["trace_id"] for line in lines if "resource" in line} >= set(
            conversation.traces
        )


async def _dump(database_url: str) -> bytes:
    """Return every value in every table, and for SQLite what its files keep beside."""
    if database_url.startswith("sqlite"):
        file = Path(database_url.removeprefix("sqlite:///"))
        values = b"\n".join(_sqlite_values(file))
        return values + b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    connection = await asyncpg.connect(database_url)
    try:
        named = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        rows = [
            row for (name,) in named for row in await connection.fetch(f'SELECT * FROM "{name}"')
        ]
    finally:
        await connection.close()
    return b"\n".join(_raw(value) for row in rows for value in row.values())


def _sqlite_values(file: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(file)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            for row in database.execute(f'SELECT * FROM "{name}"'):
                yield from map(_raw, row)


def _raw(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
