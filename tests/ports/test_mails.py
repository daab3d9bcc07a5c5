"""Who gets a mail, and who gets none."""

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_pb2

from tests.scim import person

ACTIVE = {"op": "replace", "path": "active", "value": True}


@pytest.mark.rule("R-040", "D-19")
async def test_who_is_created_by_scim_gets_no_mail(house):
    """No invitation, whether the user is new or linked."""
    place = await house.place()
    scim = house.scim(place)
    await house.door(place).create("linked@example.com")
    for name in ("new", "linked"):
        assert (await scim.request("POST", "/Users", person(f"{name}@example.com"))).status < 300
    await house.deliver()

    assert house.mail.to(place) == []
    assert await house.deliveries(place) == []


@pytest.mark.rule("R-050", "D-19")
async def test_who_is_reactivated_by_scim_gets_no_mail(house):
    """The identity provider tells its people itself."""
    place = await house.place()
    scim = house.scim(place)
    path = f"/Users/{(await away(house, place)).id}"
    await scim.patch(path, ACTIVE)
    await scim.request("DELETE", path)
    back = await scim.request("POST", "/Users", person("grace@example.com"))
    await house.deliver()

    assert back.body["active"]
    assert house.mail.to(place) == []


@pytest.mark.rule("R-050", "D-19")
@pytest.mark.parametrize(
    ("sent", "language", "subject"),
    [
        ("de-DE", "de", "Ihr Zugang zu Analytical Engines ist wieder aktiv"),
        ("en-GB", "en", "Your access to Analytical Engines is active again"),
        ("", "en", "Your access to Analytical Engines is active again"),
    ],
)
async def test_who_is_reactivated_by_an_admin_gets_one_mail(house, sent, language, subject):
    """It goes to the primary e-mail, in the person's language, once."""
    place = await house.place()
    await house.change(
        place,
        workspace_pb2.Workspace(display_name="Analytical\nEngines", link="https://w.example"),
    )
    user = await away(house, place, preferredLanguage=sent or None)
    await reactivate(house, place, user)
    await reactivate(house, place, user)
    await house.deliver()
    await house.deliver()

    (mail,) = house.mail.to(place)
    assert (mail["to"], mail["language"]) == ("contact@example.com", language)
    assert mail["subject"] == subject
    assert "Grace Hopper" in mail["text"]
    assert "https://w.example" in mail["text"]


@pytest.mark.rule("R-050")
async def test_every_return_is_a_mail_of_its_own(house):
    """Who is deactivated and reactivated twice gets two mails."""
    place = await house.place()
    user = await away(house, place)
    await reactivate(house, place, user)
    await house.door(place).deactivate(user.id)
    await reactivate(house, place, user)
    await house.deliver()

    assert len({mail["message_id"] for mail in house.mail.to(place)}) == 2


@pytest.mark.rule("R-050")
async def test_a_mail_belongs_to_its_write(house):
    """A reactivation that is refused leaves no mail; other changes of a user leave none either."""
    place = await house.place(seats=2)
    user = await away(house, place)
    door = house.door(place)
    other = await door.create("alan@example.com")
    with pytest.raises(DirectoryError, match="seats are taken"):
        await reactivate(house, place, user)
    await door.set_role(other.user.id, "Manager")
    await house.deliver()

    assert await house.deliveries(place) == []


@pytest.mark.rule("R-050")
async def test_nobody_is_written_to_who_is_gone(house):
    """A person who is away again before the mail goes out gets none, and it stays that way."""
    place = await house.place()
    user = await away(house, place)
    await reactivate(house, place, user)
    await house.door(place).deactivate(user.id)
    await house.deliver()

    assert house.mail.to(place) == []
    assert (await house.delivery(place)).done_time is not None


@pytest.mark.rule("R-050", "R-171")
async def test_the_outbox_keeps_no_address(house):
    """What waits or was delivered names a user by id alone."""
    place = await house.place()
    user = await away(house, place)
    await reactivate(house, place, user)
    house.mail.failures[place.workspace_id] = [
        RuntimeError("contact@example.com does not exist")
    ] * 50
    await house.deliver()
    row = await house.delivery(place)

    assert row.last_error == "RuntimeError"
    assert "@" not in "".join(map(str, row))


async def away(house, place, **attributes):
    """Return a user who was created by SCIM and deactivated."""
    scim = house.scim(place)
    emails = [
        {"value": "home@example.com", "type": "home"},
        {"value": "contact@example.com", "type": "work", "primary": True},
    ]
    sent = {name: value for name, value in attributes.items() if value}
    body = person("grace@example.com", **sent) | {"emails": emails}
    made = await scim.request("POST", "/Users", body)
    assert made.status == 201
    await scim.deactivate(made.body["id"])
    return await house.door(place).user(made.body["id"])


async def reactivate(house, place, user):
    """Activate a user as an admin in the product does."""
    await house.door(place).activate(user.id)
