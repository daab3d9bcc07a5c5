"""Who reports to whom, level by level."""

import pytest
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User

from core_service import deleted_users, org_chart, users
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

CHART = policy_pb2.PRESET_ORG_CHART


async def _chart(product: Product, **fields: object) -> list[tuple[int, str, str, int]]:
    entries: list[tuple[int, str, str, int]] = []
    request = api.GetOrgChartRequest(**fields)  # type: ignore[arg-type]
    while True:
        answer = await org_chart.get(product.core, product.caller, request)
        entries.extend(
            (entry.level, entry.user_id, entry.manager_id, entry.report_count)
            for entry in answer.entries
        )
        if not answer.next_page_token:
            return entries
        request.page_token = answer.next_page_token


@pytest.mark.rule("R-104", "R-138", "D-30")
async def test_the_chart_is_what_the_manager_references_say(directory: System):
    """Two levels below the one at the top, with the number of reports of each."""
    product = Product(directory.core, await new_place(directory.core, CHART))
    top = await product.create(person("top@a.example"), provisioning=True)
    middle = await product.create(person("mid@a.example", manager=top.id), provisioning=True)
    low = await product.create(person("low@a.example", manager=middle.id), provisioning=True)

    shallow = await _chart(product)
    deep = await _chart(product, depth=2)

    assert [(0, top.id, "", 1), (1, middle.id, top.id, 1)] == shallow
    assert [*shallow, (2, low.id, middle.id, 0)] == deep


@pytest.mark.rule("R-138")
async def test_the_chart_of_one_manager_in_small_pages(directory: System):
    """Pages of two show everybody below a manager once."""
    product = Product(directory.core, await new_place(directory.core, CHART))
    top = await product.create(person("top@a.example"), provisioning=True)
    reports = [
        (await product.create(person(f"r{n}@a.example", manager=top.id), provisioning=True)).id
        for n in range(5)
    ]

    entries = await _chart(product, user_id=top.id, page_size=2)

    assert [top.id, *sorted(reports)] == [user_id for _, user_id, _, _ in entries]


@pytest.mark.rule("D-30")
async def test_a_purged_manager_is_cleared_from_the_reports(directory: System):
    """The reference goes with the manager, and the report's version rises."""
    product = Product(directory.core, await new_place(directory.core, CHART))
    top = await product.create(person("top@a.example"), provisioning=True)
    report = await product.create(person("r@a.example", manager=top.id), provisioning=True)

    await deleted_users.purge(product.core, product.caller, api.PurgeUserRequest(id=top.id))

    after = await product.get(report.id)
    assert not after.enterprise.HasField("manager")
    assert report.etag != after.etag


@pytest.mark.rule("R-131", "R-142")
async def test_the_contact_address_and_the_phone_on_the_profile(directory: System):
    """The primary e-mail, else the first, else the user name; the first mobile number only."""
    product = Product(directory.core, await new_place(directory.core, CHART))
    bare = await product.create(person("bare@a.example"), provisioning=True)
    full = User(id=bare.id)
    full.emails.add(value="home@a.example", type="home")
    full.emails.add(value="work@a.example", type="work")
    full.phone_numbers.add(value="1", type="work")
    full.phone_numbers.add(value="2", type="Mobile")

    update = api.UpdateUserRequest(user=full)
    written = (await users.update(product.core, product.provisioning, update)).user

    assert ("bare@a.example", "") == (bare.contact_email, bare.profile_phone)
    assert ("work@a.example", "2") == (written.contact_email, written.profile_phone)
