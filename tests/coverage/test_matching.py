"""Chapter 3: those who were there before, and how they are found."""

import pytest
from userdirectory.v1.user_pb2 import Email

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.coverage.product import Product
from tests.system import System


@pytest.mark.rule("R-032")
async def test_the_identity_provider_fetches_the_users(idp: Idp):
    """All of them, or by user name, external id and work mail."""
    user = await idp.create("g", externalId="e1")
    await idp.create("h", externalId="e2")

    assert 3 == len(await idp.find("Users"))
    for condition in (
        f'userName eq "{idp.mail("g")}"',
        'externalId eq "e1"',
        f'emails[type eq "work"].value eq "{idp.mail("g")}"',
    ):
        assert [user["id"]] == [found["id"] for found in await idp.find("Users", condition)]


@pytest.mark.rule("R-033", "R-036", "R-107", "D-07")
@pytest.mark.parametrize("spelling", ["{}", "  {} ", "upper"])
async def test_an_existing_user_is_matched_and_updated(directory: System, idp: Idp, spelling: str):
    """Whoever has the account's address is linked, not doubled; the profile is written."""
    product = Product(directory, idp.place)
    there = await product.create("emil", role="Manager", title="Before", nick_name="Milo")
    mail = idp.mail("emil")

    sent = mail.upper() if spelling == "upper" else spelling.format(mail)
    linked = await idp.create("emil", userName=sent, title="After")

    assert there.id == linked["id"]
    assert ("After", "Milo") == (linked["title"], linked["nickName"])
    assert 2 == len(await idp.find("Users"))
    assert (await product.get(there.id)).managed_by


@pytest.mark.rule("R-033", "D-07")
async def test_dots_and_tags_make_another_address(directory: System, idp: Idp):
    """`e.mil@` and `emil+x@` are not `emil@`."""
    await Product(directory, idp.place).create("emil")

    for name in ("e.mil", "emil+x"):
        await idp.create(name)

    assert 4 == len(await idp.find("Users"))


@pytest.mark.rule("R-034", "R-107", "D-06")
async def test_the_work_mail_is_not_what_people_are_matched_by(directory: System, idp: Idp):
    """A user with another work mail is found by the account's address alone."""
    emails = [Email(value=idp.mail("b"), type="work")]
    there = await Product(directory, idp.place).create("a", emails=emails)

    other = await idp.create("b")
    same = await idp.create("a", emails=[{"value": idp.mail("c"), "type": "work"}])

    assert there.id != other["id"]
    assert there.id == same["id"]


@pytest.mark.rule("R-037", "D-21")
async def test_who_is_there_is_never_made_twice(new_idp: NewIdp, directory: System):
    """Linked where the policy links; refused where it is strict; new only if nobody is there."""
    for preset, status in (("ORG_CHART", 201), ("STRICT_RFC", 409)):
        idp = await new_idp(preset)
        await Product(directory, idp.place).create("emil")

        assert status == (await idp.post("emil")).status
        assert 201 == (await idp.post("new")).status
        assert 3 == len(await idp.find("Users"))


@pytest.mark.rule("R-042")
async def test_users_made_by_hand_are_linked_by_their_principal_name(
    directory: System, new_idp: NewIdp
):
    """The id, the groups' data and what provisioning does not map are kept."""
    idp = await new_idp("GROUP_MIRROR")
    product = Product(directory, idp.place)
    there = await product.create("emil", nick_name="Milo", emails=[Email(value="x@home.example")])

    linked = await idp.create("emil", emails=None)

    assert (there.id, "Milo") == (linked["id"], linked["nickName"])
    assert ["x@home.example"] == [email["value"] for email in linked["emails"]]


@pytest.mark.rule("R-036", "R-153")
async def test_a_match_keeps_the_role(directory: System, idp: Idp):
    """Linking, updating and coming back change no role that the request does not name."""
    product = Product(directory, idp.place)
    there = await product.create("emil", role="Manager")

    await idp.create("emil", externalId="e", title="After")
    await idp.set(there.id, title="Later")
    await idp.set(there.id, active=False)
    await idp.set(there.id, active=True)
    await idp.send("DELETE", f"/Users/{there.id}")
    await idp.create("emil", externalId="e")

    assert ["Manager"] == await idp.role_names(there.id)
