"""How much a caller may ask in a time, over a real socket and within the process."""

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1.user_directory_pb2 import CountUsersRequest

from core_service import settings, tokens
from core_service.identity import Identity
from core_service.rate_limits import (
    FAILURES_OF_CLIENT,
    FAILURES_OF_PEER,
    Buckets,
    Limits,
    Rate,
    limits_of,
)
from core_service.storage import store
from tests.contract.conftest import bearer, refusal
from tests.contract.test_access import UNKNOWN
from tests.contract.test_identity import Ticks

RATE = Rate(per_second=2, burst=5)
ADA, BOB = "ipv4:192.0.2.1:40000", "ipv4:192.0.2.2:40000"


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def identity(core, ticks):
    return Identity(core, cache_seconds=0, limits=Limits(RATE, clock=ticks))


async def count(world, token, client_address=""):
    """Return the reason for which a request is refused; None if it is answered."""
    named = (("client-address", client_address),) if client_address else ()
    metadata = (*(bearer(token) if token else ()), *named)
    try:
        await world.stub("UserDirectory", "CountUsers")(CountUsersRequest(), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return (await refusal(_raised(error))).reason
    return None


async def _raised(error):
    raise error


async def test_over_its_limit_a_credential_waits(world, ticks):
    """X07: RATE_LIMITED with whole seconds; others are served; after the wait it is too."""
    place, other = await world.place(), await world.place()
    served = [await count(world, place.token) for _ in range(RATE.burst)]
    error = await refusal(world.ask(place.token, CountUsersRequest()))
    elsewhere = await count(world, other.token)
    ticks.now += int(error.metadata["retry_after_seconds"])

    assert served == [None] * RATE.burst
    assert error.reason == "RATE_LIMITED"
    assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.metadata == {"retry_after_seconds": "1"}
    assert elsewhere is None
    assert await count(world, place.token) is None


async def test_a_steady_caller_is_never_refused(world, ticks):
    """At the rate itself, for as long as it likes."""
    place = await world.place()
    for _ in range(3 * RATE.burst):
        ticks.now += 1 / RATE.per_second

        assert await count(world, place.token) is None


async def test_an_access_token_asks_on_its_parents_account(world):
    """Making tokens gains no requests."""
    place = await world.place()
    parent_id = tokens.parse(place.token)[0]
    public_id, token, digest = tokens.new_token()

    async def work(tx):
        row = await store.credential(tx, parent_id)
        await store.insert_credential(
            tx, row._replace(id=public_id, digest=digest, parent_id=parent_id)
        )

    await world.core.storage.write(place.workspace_id, work)
    for _ in range(RATE.burst):
        assert await count(world, token) is None

    assert await count(world, place.token) == "RATE_LIMITED"


async def test_who_guesses_tokens_waits(world, ticks):
    """A10: unknown, wrong and missing tokens alike; one that is good is served all along."""
    place = await world.place()
    wrong = place.token[:-1] + ("A" if place.token[-1] != "A" else "B")
    burst = FAILURES_OF_CLIENT.burst
    seen = {await count(world, UNKNOWN) for _ in range(burst - 1)} | {await count(world, wrong)}
    limited = [await refusal(world.ask(token, CountUsersRequest())) for token in (UNKNOWN, wrong)]
    missing = await count(world, "")
    good = await count(world, place.token)
    ticks.now += 1

    assert seen == {"CREDENTIAL_INVALID"}
    assert {(error.reason, error.message) for error in limited} == {
        ("RATE_LIMITED", limited[0].message)
    }
    assert [error.metadata for error in limited] == [{"retry_after_seconds": "1"}] * 2
    assert (missing, good) == ("RATE_LIMITED", None)
    assert await count(world, wrong) == "CREDENTIAL_INVALID"


async def test_behind_a_gateway_each_client_is_counted(world):
    """Who guesses through a gateway takes nothing from its other clients."""
    for _ in range(FAILURES_OF_CLIENT.burst + 1):
        last = await count(world, UNKNOWN, "192.0.2.1")

    assert last == "RATE_LIMITED"
    assert await count(world, UNKNOWN, "192.0.2.2") == "CREDENTIAL_INVALID"


async def test_inventing_addresses_does_not_help(world):
    """All that one peer names count together."""
    for number in range(FAILURES_OF_PEER.burst):
        reason = await count(world, UNKNOWN, f"10.1.{number // 200}.{number % 200}")
        assert reason == "CREDENTIAL_INVALID"

    assert await count(world, UNKNOWN, "192.0.2.9") == "RATE_LIMITED"


def attempts(limits, peer, *named):
    """Return how many attempts are counted before one is refused."""
    metadata = [("client-address", each) for each in named]
    for number in range(FAILURES_OF_PEER.burst + 1):
        try:
            limits.failed(peer, metadata)
        except DirectoryError:
            return number
    return None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("ipv4:192.0.2.1:1",), ("ipv4:192.0.2.1:2",)),  # another port
        (("ipv6:%5B2001:db8::1%5D:1",), ("ipv6:[2001:db8::ffff]:1",)),  # another of its /64
        (("ipv6:[::ffff:192.0.2.1]:1",), ("ipv4:192.0.2.1:1",)),
        ((ADA, "2001:db8::1"), (ADA, "2001:DB8:0::2")),
        ((ADA, "x" * 64), (ADA, "x" * 9000)),
    ],
)
def test_the_same_client_has_one_bucket(first, second):
    """However its address is written."""
    limits = Limits(None, clock=lambda: 0.0)

    assert attempts(limits, *first) == FAILURES_OF_CLIENT.burst
    assert attempts(limits, *second) == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((ADA,), (BOB,)),
        ((ADA, "198.51.100.7"), (BOB, "198.51.100.7")),  # nobody empties another peer's buckets
        ((ADA, "198.51.100.7"), (ADA,)),
        (("ipv6:[2001:db8::1]:1",), ("ipv6:[2001:db8:0:1::1]:1",)),
        (("process", "198.51.100.7"), ("process", "198.51.100.8")),
    ],
)
def test_other_clients_have_other_buckets(first, second):
    """Of another peer, another address or another network."""
    limits = Limits(None, clock=lambda: 0.0)
    attempts(limits, *first)

    assert attempts(limits, *second) == FAILURES_OF_CLIENT.burst


def test_no_limit_is_no_limit():
    """RATE_LIMIT=0 lets every credential ask as much as it likes; guessing is limited still."""
    limits = limits_of(settings.read({}, {"RATE_LIMIT": "0", "RATE_BURST": "1"}))
    for _ in range(1000):
        limits.admit("c1")

    assert attempts(limits, ADA) is not None


def test_a_synchronisation_of_many_is_not_slowed_down():
    """By default 50,000 requests go at once."""
    limits = limits_of(settings.read({}, {}))
    for _ in range(50_000):
        limits.admit("c1")


def test_buckets_take_bounded_room():
    """Full ones are forgotten, and of the others those not used for the longest time go."""
    ticks = Ticks()
    buckets = Buckets(Rate(per_second=1, burst=2), ticks, most=3)
    for key in ("a", "b", "c", "a", "d"):
        assert buckets.take(key) == 0
    sizes = [len(buckets)]
    waits = [buckets.take("a"), buckets.take("b")]
    ticks.now += 2
    buckets.take("e")
    sizes.append(len(buckets))

    assert waits == [1, 0]
    assert sizes == [3, 1]
