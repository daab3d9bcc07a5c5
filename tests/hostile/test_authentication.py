"""Who is let in: the cases of authentication, over sockets and on both databases."""

import ast
import contextlib
import inspect
import statistics
import time

import pytest
import sqlalchemy as sa
from userdirectory.errors import DirectoryError
from userdirectory.v1.workspace_admin_pb2 import (
    ListIntegrationsRequest,
    RevokeTokenRequest,
    RotateTokenRequest,
)

from core_service import credentials, identity, tokens
from core_service.identity import Identity
from core_service.storage import store
from core_service.storage.columns import METADATA
from core_service.storage.database import Transaction
from core_service.storage.plans import SCAN
from tests.contract.conftest import bearer
from tests.coverage.idp import Idp
from tests.fuzz.conftest import served
from tests.fuzz.wire import Reply, Sent, Wire
from tests.hostile.conftest import Caller, assert_refused, until
from tests.system import System, running
from tests.workspaces import connect, new_place, switch


async def _get(wire: Wire, authorization: str) -> Reply:
    headers = (("Authorization", authorization.encode("latin-1")),) if authorization else ()
    return await wire.send(Sent("GET", b"/scim/v2/Users", headers))


async def test_no_and_a_wrong_token_look_the_same(directory: System, wire: Wire):
    """A01: 401, `WWW-Authenticate: Bearer`, a SCIM error, alike but for the trace id."""
    bodies = []
    for authorization in ("", f"Bearer {'0123456789' * 4}"):
        reply = await _get(wire, authorization)
        assert (401, "Bearer") == (reply.status, reply.headers["www-authenticate"])
        bodies.append(reply.body.decode().replace(reply.headers["trace-id"], "TRACE"))

    assert bodies[0] == bodies[1]


async def test_an_expired_token_and_one_switched_off(directory: System, idp: Idp):
    """A02: 401 for an expired token, 403 while the integration is off; no data in either."""
    core, workspace_id = directory.core, idp.place.workspace_id
    integration_id, token = await connect(core, workspace_id)
    public_id, expired, digest = tokens.new_token()
    row = credentials.credential(public_id, digest, "Old", workspace_id, integration_id, core.now())

    async def work(tx: Transaction) -> None:
        await store.insert_credential(tx, row._replace(expire_time=core.now() - 1))

    await core.storage.write(workspace_id, work)
    await switch(core, workspace_id, integration_id, enabled=False)
    old, off = (
        Idp(directory.base_url, idp.place, expired),
        Idp(directory.base_url, idp.place, token),
    )

    with contextlib.closing(old), contextlib.closing(off):
        assert_refused(await old.send("GET", "/Users"), 401)
        assert_refused(await off.send("GET", "/Users"), 403)


async def test_a_revoked_token_on_open_connections(directory: System, caller: Caller, idp: Idp):
    """A03: another core and gateway notice within five seconds, on connections that are open."""
    place = idp.place
    listed = await caller.ask(
        directory.service_token, ListIntegrationsRequest(workspace_id=place.workspace_id)
    )
    integration = listed.integrations[0]
    async with (
        running(directory.database_url) as other,
        served(directory, by_socket=True) as near,
        served(other, by_socket=True) as far,
    ):
        bearer_ = f"Bearer {place.token}"
        assert [200, 200] == [(await _get(wire, bearer_)).status for wire in (near, far)]
        request = RevokeTokenRequest(
            workspace_id=place.workspace_id,
            integration_id=integration.id,
            token_id=integration.tokens[0].id,
        )
        await caller.ask(directory.service_token, request)

        async def refused() -> bool:
            return [401, 401] == [(await _get(wire, bearer_)).status for wire in (near, far)]

        await until(5, refused)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_in_any_case(wire: Wire, idp: Idp, scheme: str):
    """A07: 200."""
    assert 200 == (await _get(wire, f"{scheme} {idp.place.token}")).status


async def test_a_dump_has_no_secret(directory: System, idp: Idp):
    """A13: prefix, public id and 256 bits; the database has the public id and a digest."""
    prefix, public_id, secret = idp.place.token.split("_", 2)

    async def work(tx: Transaction) -> str:
        selects = (sa.select(t).execution_options(**{SCAN: True}) for t in METADATA.sorted_tables)
        return repr([await tx.all(select) for select in selects])

    dump = await directory.core.storage.read(work)

    assert ("ud", 16, 43) == (prefix, len(public_id), len(secret))
    assert public_id in dump
    assert secret not in dump


def test_secrets_are_compared_in_constant_time():
    """A15: no `==` and no `!=` on a digest, and a digest to compare with when nobody has the id."""
    tree = ast.parse(inspect.getsource(identity))
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]

    assert [] == [text for text in compared if "digest" in text or "secret" in text]
    assert "hmac.compare_digest" in ast.unparse(tree)


async def test_wrong_secrets_take_the_same_time(directory: System):
    """A15: 2 x 2,000 tokens, wrong in the first byte or in the last: the medians agree."""
    place = await new_place(directory.core)
    start = place.token.rindex("_", 0, 21) + 1
    first, last = list(place.token), list(place.token)
    first[start] = "A" if first[start] != "A" else "B"
    last[-2] = "A" if last[-2] != "A" else "B"
    asked = Identity(directory.core)
    times: dict[str, list[float]] = {"".join(first): [], "".join(last): []}
    for _ in range(2000):
        for token, taken in times.items():
            began = time.perf_counter()
            with pytest.raises(DirectoryError):
                await asked.authenticate(bearer(token), "", "users.read", "0" * 32)
            taken.append(time.perf_counter() - began)

    one, other = (statistics.median(taken) for taken in times.values())
    assert abs(one - other) < max(one, other) / 4


async def test_one_of_two_tokens_is_revoked(directory: System, caller: Caller, idp: Idp):
    """A16: the other keeps working."""
    place = idp.place
    named = {"workspace_id": place.workspace_id}
    listed = await caller.ask(directory.service_token, ListIntegrationsRequest(**named))
    named["integration_id"] = listed.integrations[0].id
    new = await caller.ask(directory.service_token, RotateTokenRequest(**named))
    old = listed.integrations[0].tokens[0].id
    await caller.ask(directory.service_token, RevokeTokenRequest(token_id=old, **named))

    with contextlib.closing(Idp(directory.base_url, place, new.secret)) as rotated:
        assert 200 == (await rotated.send("GET", "/Users")).status
    assert_refused(await idp.send("GET", "/Users"), 401)
