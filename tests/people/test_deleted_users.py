"""Users who are away are listed, come back with all they had, and can be removed for good."""

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api

from core_service import deleted_users, groups, users
from core_service.storage import store
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

MIRROR = policy_pb2.PRESET_GROUP_MIRROR
SINGLE = policy_pb2.PRESET_SINGLE_ROLE


async def _listed(product: Product) -> list[str]:
    request = api.ListDeletedUsersRequest()
    answer = await deleted_users.list_(product.core, product.caller, request)
    return [user.id for user in answer.users]


@pytest.mark.rule("R-168", "D-20")
async def test_a_user_out_of_scope_is_among_the_deleted_users(directory: System):
    """Deactivated by provisioning, a user is listed as deleted and still readable."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))
    user = await product.create(person("g@a.example"), provisioning=True)

    await product.deactivate(user.id)

    assert await _listed(product) == [user.id]
    assert (await product.get(user.id)).HasField("delete_time")


@pytest.mark.rule("R-168", "D-20")
async def test_deactivating_does_not_delete_where_the_policy_says_so(directory: System):
    """With on_deactivate = DEACTIVATE nobody is listed as deleted."""
    product = Product(directory.core, await new_place(directory.core, SINGLE))
    user = await product.create(person("g@a.example"), provisioning=True)

    await product.deactivate(user.id)

    assert await _listed(product) == []


@pytest.mark.rule("R-169")
async def test_a_deleted_user_is_restored_with_groups_and_data(directory: System):
    """RestoreUser brings back the same id, the title and the groups."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))
    user = await product.create(person("g@a.example", title="Captain"), provisioning=True)
    group = api.CreateGroupRequest()
    group.group.display_name = "Crew"
    group.group.members.add(member_id=user.id)
    made = await groups.create(product.core, product.provisioning, group)
    await product.deactivate(user.id)

    request = api.RestoreUserRequest(id=user.id)
    restored = (await deleted_users.restore(product.core, product.caller, request)).user

    assert (user.id, True, "Captain") == (restored.id, restored.active, restored.title)
    assert [made.group.id] == [membership.group_id for membership in restored.groups]
    assert await _listed(product) == []


@pytest.mark.rule("R-169", "D-20")
async def test_an_unlinked_user_is_restored_and_seen_by_provisioning_again(directory: System):
    """A user that provisioning deleted is hidden from it until a product restores it."""
    product = Product(directory.core, await new_place(directory.core, SINGLE))
    user = await product.create(person("g@a.example"), provisioning=True)
    await product.remove(user.id)
    hidden = await users.count(product.core, product.provisioning, api.CountUsersRequest())

    request = api.RestoreUserRequest(id=user.id)
    await deleted_users.restore(product.core, product.caller, request)
    shown = await users.count(product.core, product.provisioning, api.CountUsersRequest())

    assert (1, 2) == (hidden.count, shown.count)


@pytest.mark.rule("R-044", "R-169")
async def test_restoring_needs_a_free_seat(directory: System):
    """With all seats taken nobody is restored, and nothing changes."""
    product = Product(directory.core, await new_place(directory.core, SINGLE, seats=2))
    user = await product.create(person("g@a.example"), provisioning=True)
    await product.remove(user.id)
    await product.create(person("h@a.example"), provisioning=True)
    before = await product.get(user.id)

    with pytest.raises(DirectoryError) as refusal:
        request = api.RestoreUserRequest(id=user.id)
        await deleted_users.restore(product.core, product.caller, request)

    assert "NO_SEAT" == refusal.value.reason
    assert before == await product.get(user.id)


@pytest.mark.rule("R-171", "R-106", "D-20")
async def test_a_purged_user_leaves_a_tombstone_only(directory: System):
    """Purged is gone: not found, not listed; id, time and trace id are kept."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))
    user = await product.create(person("g@a.example"), provisioning=True)

    await deleted_users.purge(product.core, product.caller, api.PurgeUserRequest(id=user.id))

    with pytest.raises(DirectoryError) as refusal:
        await product.get(user.id)
    assert "USER_NOT_FOUND" == refusal.value.reason
    kept = await product.core.storage.read(
        lambda tx: store.tombstone(tx, product.place.workspace_id, user.id)
    )
    assert kept is not None
    assert "1" * 32 == kept.trace_id


@pytest.mark.rule("R-163")
async def test_purging_the_last_user_of_an_account_frees_the_address(directory: System):
    """The account goes with its last user, and another person can have the address."""
    product = Product(directory.core, await new_place(directory.core, SINGLE))
    user = await product.create(person("free@a.example"), provisioning=True)
    await deleted_users.purge(product.core, product.caller, api.PurgeUserRequest(id=user.id))

    account = await product.core.storage.read(lambda tx: store.account_by_id(tx, user.account_id))
    again = await product.create(person("free@a.example"), provisioning=True)

    assert account is None
    assert user.id != again.id


@pytest.mark.rule("R-150", "D-16")
async def test_the_last_admin_is_not_purged(directory: System):
    """Purging is a door like any other to the last-admin guard."""
    product = Product(directory.core, await new_place(directory.core, SINGLE))

    with pytest.raises(DirectoryError) as refusal:
        request = api.PurgeUserRequest(id=product.place.admin_id)
        await deleted_users.purge(product.core, product.caller, request)

    assert "LAST_ADMIN" == refusal.value.reason
    assert (await product.get(product.place.admin_id)).active


async def test_deleted_users_are_paged_in_order(directory: System):
    """Pages of two show each of five once, in order of id."""
    product = Product(directory.core, await new_place(directory.core, SINGLE))
    gone = []
    for number in range(5):
        user = await product.create(person(f"u{number}@a.example"), provisioning=True)
        await product.remove(user.id)
        gone.append(user.id)

    seen: list[str] = []
    request = api.ListDeletedUsersRequest(page_size=2)
    for _ in range(3):
        answer = await deleted_users.list_(product.core, product.caller, request)
        seen.extend(user.id for user in answer.users)
        request.page_token = answer.next_page_token

    assert sorted(gone) == seen
    assert "" == request.page_token
