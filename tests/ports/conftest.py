"""A directory with a clock that a test moves, and a product around it that remembers."""

from collections.abc import AsyncIterator

import pytest

from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.credentials import issue_service_token
from core_service.identity import Identity
from core_service.opening import new_id
from core_service.ports import Ports
from core_service.service import add_services
from core_service.storage.database import Storage, open_storage
from tests.contract.conftest import Clock
from tests.ports.product import Accounting, Gate, House, PostOffice
from tests.system import gateway


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def storage(request, new_database) -> AsyncIterator[Storage]:
    """Give one database of each kind to all these tests, each of which makes its own workspaces."""
    opened = await open_storage(await new_database(request.param))
    yield opened
    await opened.close()


@pytest.fixture
async def house(storage: Storage) -> AsyncIterator[House]:
    """A directory whose ports are a product that remembers what it was told."""
    clock, billing, mail, gate = Clock(), Accounting(), PostOffice(), Gate()
    core = Core(
        storage=storage,
        now=clock,
        new_id=new_id,
        page_key=b"k" * 32,
        ports=Ports(billing=billing, mail=mail, entitlement=gate, sign_on=gate),
    )
    async with InProcessChannel() as channel:
        add_services(core, Identity(core, cache_seconds=0), channel)
        async with gateway(channel) as base_url:
            token = await issue_service_token(core, "Tests", "*")
            yield House(core, clock, billing, mail, gate, channel, base_url, token)
