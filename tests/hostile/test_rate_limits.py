"""Who asks too much over SCIM: a core with limits, a gateway, sockets of several addresses."""

import asyncio
from collections.abc import Callable

import pytest
from userdirectory.v1.user_directory_pb2 import CountUsersRequest

from core_service.core import Core
from core_service.identity import Identity
from core_service.rate_limits import FAILURES_OF_CLIENT, Limits, Rate
from tests.admin.conftest import Admin, admin, clock, core, storage, world
from tests.contract.test_access import UNKNOWN
from tests.contract.test_identity import Ticks
from tests.hostile.conftest import assert_refused
from tests.scim import Answer, Scim

__all__ = ["admin", "clock", "core", "storage", "world"]

RATE = Rate(per_second=1, burst=5)
SPELLINGS = [
    ("/Users", 429),
    ("/Users/", 429),
    ("/%55sers", 429),
    ("/Users?count=1", 429),
    ("/Users?x=1#y", 429),
    ("/w/WORKSPACE/Users", 429),
    ("/Groups", 429),
    ("/Me", 429),
    ("/ServiceProviderConfig", 429),
    ("/users", 404),
    ("/USERS", 404),
    ("//Users", 404),
    ("/./Users", 404),
    ("/Groups/../Users", 404),
]


@pytest.fixture
def ticks() -> Ticks:
    """The time, which stands."""
    return Ticks()


@pytest.fixture
def identity(core: Core, ticks: Ticks) -> Identity:
    """Give what lets nobody ask much."""
    return Identity(core, cache_seconds=0, limits=Limits(RATE, clock=ticks))


async def ask(
    base_url: str,
    token: str,
    *,
    times: int = 1,
    source: str = "",
    headers: Callable[[int], dict[str, str]] = lambda _: {},
    path: str = "/Users",
) -> list[Answer]:
    """Return the answers to one request after another."""

    def send() -> list[Answer]:
        with Scim(base_url, token, source=source) as client:
            return [client.request("GET", path, None, headers(n)) for n in range(times)]

    return await asyncio.to_thread(send)


async def test_over_the_limit_is_429(admin: Admin, ticks: Ticks):
    """X07: `Retry-After` in whole seconds, a SCIM error; others are served; then it is again."""
    place, other = await admin.world.place(), await admin.world.place()
    *served, refused = await ask(admin.base_url, place.token, times=RATE.burst + 1)
    (elsewhere,) = await ask(admin.base_url, other.token)
    ticks.now += int(refused.headers["Retry-After"])
    (later,) = await ask(admin.base_url, place.token)

    assert {answer.status for answer in served} == {200}
    assert_refused(refused, 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"].startswith("application/scim+json")
    assert (elsewhere.status, later.status) == (200, 200)


async def test_a_refused_write_did_not_happen(admin: Admin, ticks: Ticks):
    """429 changes nothing, and the same request succeeds later."""
    place = await admin.world.place()
    await ask(admin.base_url, place.token, times=RATE.burst)
    user = {"userName": f"g@{place.workspace_id}.example", "name": {"givenName": "G"}}
    refused = await admin.scim(place.token, "POST", "/Users", user)
    before = (await admin.ask(place, CountUsersRequest())).count
    ticks.now += 1
    made = await admin.scim(place.token, "POST", "/Users", user)

    assert (refused.status, before, made.status) == (429, 1, 201)


@pytest.mark.parametrize(("path", "status"), SPELLINGS)
async def test_no_spelling_dodges_the_limit(admin: Admin, path: str, status: int):
    """X08: however path, header and scheme are written, the credential has one bucket."""
    place = await admin.world.place()
    await ask(admin.base_url, place.token, times=RATE.burst)
    path = path.replace("WORKSPACE", place.workspace_id)
    answers = []
    for authorization in ("Bearer {}", "bEARER {}", "{}"):
        sent = {
            "Authorization": authorization.format(place.token),
            "X-Forwarded-For": "198.51.100.1",
        }
        answers += await ask(admin.base_url, "", path=path, headers=lambda _, sent=sent: sent)

    assert {answer.status for answer in answers} == {status}


async def test_who_guesses_tokens_is_slowed_down(admin: Admin, ticks: Ticks):
    """A10: 401, then 429 whatever X-Forwarded-For says; other addresses and good tokens are not."""
    place = await admin.world.place()
    burst = FAILURES_OF_CLIENT.burst

    def forwarded(number: int) -> dict[str, str]:
        return {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=203.0.113.{number}"}

    *wrong, refused = await ask(
        admin.base_url, UNKNOWN, times=burst + 1, source="127.0.0.2", headers=forwarded
    )
    (good,) = await ask(admin.base_url, place.token, source="127.0.0.2")
    (elsewhere,) = await ask(admin.base_url, UNKNOWN, source="127.0.0.3")
    ticks.now += int(refused.headers["Retry-After"])
    (later,) = await ask(admin.base_url, UNKNOWN, source="127.0.0.2")

    assert {answer.status for answer in wrong} == {401}
    assert_refused(refused, 429)
    assert good.status == 200
    assert (elsewhere.status, later.status) == (401, 401)
