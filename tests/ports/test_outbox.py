"""The worker: each delivery once, whoever delivers, whatever breaks."""

import asyncio

import pytest

from core_service import outbox
from core_service.core import Core
from core_service.opening import delivering
from core_service.outbox import LEASE, Worker
from core_service.ports import Ports
from core_service.storage import store
from tests.ports.product import PostOffice

PEOPLE = 20


async def put_mails(house, place, count=1):
    """Put mails to the admin of a workspace into the outbox, due now."""

    async def work(tx):
        for number in range(count):
            row = store.OutboxRow(
                workspace_id=place.workspace_id,
                id=house.core.new_id(),
                port="mail",
                key=f"{place.admin_id}:{number}",
                payload=f'{{"user_id": "{place.admin_id}"}}',
                due_time=house.clock.micros,
                attempts=0,
                done_time=None,
                last_error="",
            )
            assert await store.put_into_outbox(tx, row)
            assert not await store.put_into_outbox(tx, row._replace(id=house.core.new_id()))

    await house.core.storage.write(place.workspace_id, work)


def another(core, **ports):
    """Return a core on the same storage that knows nothing of the first one."""
    return Core(core.storage, core.now, core.new_id, core.page_key, ports=Ports(**ports))


@pytest.mark.rule("R-050", "D-19")
async def test_many_workers_deliver_each_row_once(house):
    """Eight workers who see the same rows at the same time deliver every one, and none twice."""
    places = [await house.place() for _ in range(2)]
    for place in places:
        await put_mails(house, place, PEOPLE)
    workers = [Worker(another(house.core, mail=house.mail)) for _ in range(8)]
    await asyncio.gather(*(worker.deliver_due() for worker in workers))

    for place in places:
        assert len({mail["message_id"] for mail in house.mail.to(place)}) == PEOPLE
        assert len(house.mail.to(place)) == PEOPLE


class Stuck(PostOffice):
    """A post office that never answers."""

    def __init__(self):
        super().__init__()
        self.asked = asyncio.Event()

    async def send(self, **letter):
        """Wait for ever."""
        self.asked.set()
        await asyncio.Event().wait()


@pytest.mark.rule("D-19")
async def test_what_a_dead_worker_had_is_delivered_when_its_lease_ends(house):
    """A row that was claimed and never settled waits for the end of the lease, no longer."""
    place = await house.place()
    await put_mails(house, place)
    stuck = Stuck()
    dying = asyncio.create_task(Worker(another(house.core, mail=stuck)).deliver_due())
    await asyncio.wait_for(stuck.asked.wait(), 10)
    dying.cancel()
    await asyncio.wait([dying])
    house.clock.micros += LEASE - 1
    await house.deliver()
    assert house.mail.to(place) == []
    house.clock.micros += 1
    await house.deliver()

    assert len(house.mail.to(place)) == 1
    assert (await house.delivery(place)).attempts == 2


@pytest.mark.rule("D-19")
async def test_a_port_that_does_not_answer_is_given_up_until_later(house, monkeypatch):
    """After a while the attempt counts as failed and the row is tried again."""
    monkeypatch.setattr(outbox, "_DELIVERY_SECONDS", 0.01)
    place = await house.place()
    await put_mails(house, place)
    await Worker(another(house.core, mail=Stuck())).deliver_due()
    row = await house.delivery(place)

    assert (row.last_error, row.done_time) == ("TimeoutError", None)
    assert row.due_time > house.clock.micros


@pytest.mark.rule("D-19")
async def test_an_attempt_that_lost_its_lease_changes_nothing(house):
    """What a slow worker has to say of a row that another one has tried since is not kept."""
    place = await house.place()
    await put_mails(house, place)
    late = (await house.delivery(place))._replace(attempts=1)
    house.mail.failures[place.workspace_id] = [RuntimeError()] * 2
    await house.deliver()
    house.clock.micros = (await house.delivery(place)).due_time
    await house.deliver()
    kept = await house.delivery(place)

    async def work(tx):
        return await store.mark_done(tx, late, 1), await store.mark_failed(tx, late, 1, "late")

    assert await house.core.storage.write(place.workspace_id, work) == (False, False)
    assert await house.delivery(place) == kept


async def test_what_a_later_version_wrote_is_left_to_it(house):
    """A port that this version does not know neither breaks the worker nor loses the row."""
    place = await house.place()
    await put_mails(house, place)
    row = await house.delivery(place)

    async def work(tx):
        await store.put_into_outbox(tx, row._replace(id=house.core.new_id(), port="pigeon"))

    await house.core.storage.write(place.workspace_id, work)
    await house.deliver()

    assert len(house.mail.to(place)) == 1
    assert {each.port: each.attempts for each in await house.deliveries(place)} == {
        "mail": 1,
        "pigeon": 0,
    }


async def test_it_delivers_while_the_core_is_open_and_finishes_what_is_under_way(house):
    """The worker of a process delivers without being asked, and ends with it."""

    class Slow(PostOffice):
        asked, answered = asyncio.Event(), asyncio.Event()

        async def send(self, **letter):
            self.asked.set()
            await self.answered.wait()
            await super().send(**letter)

    slow = Slow()
    place = await house.place()
    await put_mails(house, place)
    async with delivering(another(house.core, mail=slow), 10):
        await asyncio.wait_for(slow.asked.wait(), 10)
        asyncio.get_running_loop().call_later(0.05, slow.answered.set)

    assert len(slow.to(place)) == 1
    assert (await house.delivery(place)).done_time == house.clock.micros


async def test_it_does_not_wait_longer_than_it_may(house):
    """A delivery that does not end is cancelled when the process must go."""
    stuck = Stuck()
    place = await house.place()
    await put_mails(house, place)
    async with delivering(another(house.core, mail=stuck), 0.05):
        await asyncio.wait_for(stuck.asked.wait(), 10)

    assert (await house.delivery(place)).done_time is None
