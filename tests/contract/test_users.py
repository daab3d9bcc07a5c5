"""Every RPC of users as a caller sees it, over both channels and on both databases."""

import pytest
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import Removal, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.user_pb2 import Email, Name, User, UserRef

from tests.contract.conftest import refusal


def person(place, name, **values):
    """Return a user of *place* who is called *name*."""
    return User(
        user_name=f"{name}@{place.workspace_id}.example",
        name=Name(given_name=name.title(), family_name="Tester"),
        **values,
    )


async def created(world, place, name, **values):
    """Return a new user."""
    request = api.CreateUserRequest(user=person(place, name, **values))
    return (await world.ask(place.token, request)).user


def by_id(user):
    return UserRef(id=user.id)


def starts_with(text):
    return Filter(starts_with=Comparison(field="user_name", text=text))


async def test_a_user_is_created_and_read_back(world):
    """What was created is what is read, by id and by name in other letters."""
    place = await world.place()
    made = await created(world, place, "grace", title="Admiral", external_id="e1")
    one = await world.ask(place.token, api.GetUserRequest(user=by_id(made)))
    named = UserRef(user_name=made.user_name.upper())
    other = await world.ask(place.token, api.GetUserRequest(user=named))

    assert one.user == other.user == made
    assert (made.title, made.external_id, made.display_name) == ("Admiral", "e1", "Grace Tester")
    assert made.active
    assert made.etag == 'W/"1"'
    assert made.create_time.ToMicroseconds() == world.clock.micros
    assert made.managed_by
    assert made.role_id == place.roles["Member"]


async def test_a_read_mask_selects_fields(world):
    """Only the fields asked for, and the id."""
    place = await world.place()
    made = await created(world, place, "grace", title="Admiral")
    request = api.GetUserRequest(user=by_id(made), read_mask={"paths": ["title"]})
    answer = await world.ask(place.token, request)

    assert answer.user.title == "Admiral"
    assert not answer.user.user_name


async def test_several_users_come_in_the_order_of_their_ids(world):
    """BatchGetUsers answers in the order asked for."""
    place = await world.place()
    users = [await created(world, place, name) for name in ("b", "a", "c")]
    answer = await world.ask(place.token, api.BatchGetUsersRequest(ids=[u.id for u in users]))

    assert list(answer.users) == users


async def test_users_are_listed_page_by_page(world):
    """Filter, order, pages and total agree; CountUsers gives the same number."""
    place = await world.place()
    for name in ("x1", "x3", "x2", "y1"):
        await created(world, place, name)
    request = api.ListUsersRequest(filter=starts_with("x"), order_by="user_name", page_size=2)
    first = await world.ask(place.token, request)
    request.page_token = first.next_page_token
    second = await world.ask(place.token, request)
    count = await world.ask(place.token, api.CountUsersRequest(filter=starts_with("X")))

    names = [user.user_name[:2] for user in (*first.users, *second.users)]
    assert names == ["x1", "x2", "x3"]
    assert first.total_size == second.total_size == count.count == 3
    assert not second.next_page_token


async def test_an_update_sets_the_fields_of_its_mask(world):
    """Fields in the mask are set, those without a value removed, others stay."""
    place = await world.place()
    made = await created(world, place, "grace", title="Admiral", nick_name="G")
    changes = User(id=made.id, name=Name(given_name="Amazing"), etag=made.etag)
    mask = {"paths": ["name.given_name", "title"]}
    answer = await world.ask(place.token, api.UpdateUserRequest(user=changes, update_mask=mask))

    assert answer.user.name == Name(given_name="Amazing", family_name="Tester")
    assert not answer.user.HasField("title")
    assert answer.user.nick_name == "G"
    assert answer.user.etag == 'W/"2"'


async def test_a_patch_applies_its_changes_in_order(world):
    """Add, set and remove, one after another; the same again writes nothing."""
    place = await world.place()
    made = await created(world, place, "grace", title="Admiral")
    email = User(emails=[Email(value="g@example.com", type="home")])
    changes = [
        UserChange(add=UserValue(field="emails", value=email)),
        UserChange(set=UserValue(field="nick_name", value=User(nick_name="G"))),
        UserChange(remove=Removal(field="title")),
    ]
    request = api.PatchUserRequest(user=by_id(made), changes=changes)
    first = await world.ask(place.token, request)
    again = await world.ask(place.token, request)

    assert first.user.emails[0].value == "g@example.com"
    assert first.user.nick_name == "G"
    assert not first.user.HasField("title")
    assert again.user == first.user


async def test_a_patch_happens_as_a_whole_or_not_at_all(world):
    """One change that cannot be made undoes those before it."""
    place = await world.place()
    made = await created(world, place, "grace")
    changes = [
        UserChange(set=UserValue(field="title", value=User(title="Admiral"))),
        UserChange(remove=Removal(field="no_such_field")),
    ]
    error = await refusal(
        world.ask(place.token, api.PatchUserRequest(user=by_id(made), changes=changes))
    )
    kept = await world.ask(place.token, api.GetUserRequest(user=by_id(made)))

    assert error.reason == "FIELD_UNKNOWN"
    assert kept.user == made


@pytest.mark.rule("D-20", "D-21")
@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "STRICT_RFC"])
async def test_a_deleted_user_is_gone_and_may_come_back(world, preset):
    """Unlinked or purged, a deleted user is not found; only the unlinked comes back the same."""
    place = await world.place(preset)
    made = await created(world, place, "grace")
    await world.ask(place.token, api.DeleteUserRequest(user=by_id(made), etag=made.etag))
    error = await refusal(world.ask(place.token, api.GetUserRequest(user=by_id(made))))
    request = api.CreateUserRequest(user=person(place, "grace"))
    back = await world.ask(place.token, request)

    assert error.reason == "USER_NOT_FOUND"
    assert error.metadata["value"] == made.id
    assert (back.user.id == made.id) == (preset == "SINGLE_ROLE")
    assert back.existed == (preset == "SINGLE_ROLE")


@pytest.mark.rule("D-21")
async def test_a_user_made_in_the_product_is_linked(world):
    """Creating a user whom the product made takes that user up, and says so."""
    place = await world.place()
    service = await world.service()
    request = api.CreateUserRequest(user=person(place, "grace"), workspace_id=place.workspace_id)
    by_hand = (await world.ask(service, request)).user
    answer = await world.ask(place.token, api.CreateUserRequest(user=person(place, "grace")))

    assert not by_hand.managed_by
    assert answer.existed
    assert answer.user.id == by_hand.id
    assert answer.user.managed_by
    assert [notice.code for notice in answer.notices]


async def test_products_and_identity_providers_see_the_same_user(world):
    """A service credential reads what provisioning wrote (G09)."""
    place = await world.place()
    made = await created(world, place, "grace")
    service = await world.service("users.read")
    request = api.GetUserRequest(user=by_id(made), workspace_id=place.workspace_id)

    assert (await world.ask(service, request)).user == made
