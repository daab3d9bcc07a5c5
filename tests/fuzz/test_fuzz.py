"""Whatever is sent, the answer is SCIM, in time, not our fault, and the rules still hold."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import requests
from tests.fuzz.conftest import BODIES, LONG, TARGETS, Target
from tests.fuzz.wire import Sent


@settings(
    max_examples=BODIES,
    deadline=None,
    derandomize=not LONG,
    database=None,
    # What a request finds there depends on those before it, so that no example can be shrunk.
    phases=[Phase.generate],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    number=st.integers(0, len(TARGETS) - 1),
    write=requests.with_bodies(),
    read=requests.without_bodies(),
)
async def test_nothing_that_is_sent_breaks_anything(
    targets: list[Target], number: int, write: Sent, read: Sent
):
    """J15: one request with a body and one without, each example, at every address."""
    await targets[number].try_(write)
    await targets[number].try_(read)
