"""Chapter 10: which attribute is which field, and how its value is read."""

from typing import Any

import pytest
from userdirectory.v1.user_pb2 import User

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import ENTERPRISE, Idp
from tests.coverage.product import Product
from tests.scim import WORKPLACE
from tests.system import System


@pytest.mark.rule("R-106")
async def test_the_id_is_the_directorys_for_life(new_idp: NewIdp):
    """A client cannot choose or change it, and the next user gets another."""
    idp = await new_idp("GROUP_MIRROR")
    user = await idp.create("g", id="mine")
    put = await idp.send("PUT", f"/Users/{user['id']}", {**user, "id": "mine"})
    await idp.send("DELETE", f"/Users/{user['id']}")
    again = await idp.create("g")

    assert "mine" != user["id"] == put.body["id"]
    assert user["id"] != again["id"]


PLAIN: list[tuple[dict[str, Any], Any]] = [
    ({"name": {"familyName": "Byron"}}, lambda user: user.name.family_name == "Byron"),
    ({"name": {"givenName": "Ada"}}, lambda user: user.name.given_name == "Ada"),
    ({"title": "Captain"}, lambda user: user.title == "Captain"),
    ({"userType": "Lead"}, lambda user: user.position == "Lead"),
    ({"displayName": "The G"}, lambda user: user.display_name == "The G"),
    ({"nickname": "Gracie"}, lambda user: user.nick_name == "Gracie"),
    (
        {ENTERPRISE: {"department": "Research"}},
        lambda user: user.enterprise.department == "Research",
    ),
    (
        {"phoneNumbers": [{"value": "+49 1", "type": "work"}]},
        lambda user: [("+49 1", "work")] == [(p.value, p.type) for p in user.phone_numbers],
    ),
    (
        {"addresses": [{"locality": "Berlin", "type": "work"}]},
        lambda user: [("Berlin", "work")] == [(a.locality, a.type) for a in user.addresses],
    ),
]


@pytest.mark.rule("R-108", "R-109", "R-110", "R-111", "R-117", "R-118")
@pytest.mark.rule("R-132", "R-133", "R-134", "R-135", "R-136", "R-137", "D-29", "D-40")
@pytest.mark.parametrize(("sent", "holds"), PLAIN)
async def test_an_attribute_is_its_field(
    directory: System, new_idp: NewIdp, sent: dict[str, Any], holds: Any
):
    """What provisioning writes, by POST and by PATCH, the product reads in its field."""
    idp = await new_idp("ORG_CHART")
    product = Product(directory, idp.place)
    created = await idp.create("g", **sent)
    patched = await idp.create("h")
    answer = await idp.set(patched["id"], **sent)

    assert 200 == answer.status
    for user in (created, patched):
        assert holds(await product.get(user["id"]))
    assert not holds(User())


@pytest.mark.rule("R-110", "R-111", "D-29")
async def test_title_and_position_are_two_fields(directory: System, idp: Idp):
    """`title` and `userType` do not overwrite each other."""
    user = await idp.create("g", title="Captain", userType="Lead")
    await idp.set(user["id"], userType="Head")
    kept = await Product(directory, idp.place).get(user["id"])

    assert ("Captain", "Head") == (kept.title, kept.position)


@pytest.mark.rule("R-112", "R-113", "D-01", "D-02", "D-03")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("de-DE", "de-DE"),
        ("DE_de", "de-DE"),
        ("en-US", "en-GB"),
        ("de-AT", "de-DE"),
        ("en", "en-GB"),
        ("de-AT, en;q=0.8", "de-DE"),
        ("fr-FR", "en-GB"),
    ],
)
async def test_languages_of_new_users(idp: Idp, sent: str, kept: str):
    """A supported tag stays, others become the tag of their language or the default."""
    assert kept == (await idp.create("g", preferredLanguage=sent))["preferredLanguage"]


@pytest.mark.rule("R-112", "D-02")
async def test_a_language_nobody_speaks_changes_nothing(idp: Idp):
    """An update keeps the language there is; what is no tag is refused."""
    user = await idp.create("g", preferredLanguage="de-DE")

    kept = await idp.set(user["id"], preferredLanguage="fr-FR")
    refused = await idp.set(user["id"], preferredLanguage="no language")

    assert "de-DE" == kept.body["preferredLanguage"]
    assert (400, "invalidValue") == (refused.status, refused.body["scimType"])


@pytest.mark.rule("R-114")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Calcutta"),  # a link of the tz database
        ("W. Europe Standard Time", "Europe/Berlin"),  # Windows
    ],
)
async def test_time_zones(idp: Idp, sent: str, kept: str):
    """IANA names and those of Windows; anything else is refused."""
    user = await idp.create("g", timezone=sent)
    refused = await idp.set(user["id"], timezone="Mars/Olympus")

    assert kept == user["timezone"]
    assert (400, "invalidValue") == (refused.status, refused.body["scimType"])


@pytest.mark.rule("R-116", "R-131")
async def test_the_first_work_mail_is_primary(directory: System, idp: Idp):
    """Whatever was marked; without one for work the mark counts, without a mail the user name."""
    home = {"value": "g@home.example", "type": "home", "primary": True}
    work = [{"value": f"g{n}@work.example", "type": "work"} for n in (1, 2)]
    product = Product(directory, idp.place)
    both = await idp.create("a", emails=[home, *work])
    one = await idp.create("b", emails=[home])
    none = await idp.create("c", emails=None)

    def primary(user: dict[str, Any]) -> list[str]:
        return [mail["value"] for mail in user["emails"] if mail.get("primary")]

    assert ["g1@work.example"] == primary(both)
    assert ["g@home.example"] == primary(one)
    assert ["g1@work.example", "g@home.example", idp.mail("c")] == [
        (await product.get(user["id"])).contact_email for user in (both, one, none)
    ]


@pytest.mark.rule("R-116")
async def test_the_strict_preset_leaves_it_to_the_client(new_idp: NewIdp):
    """What is sent is what is kept, an address for work that is marked as not primary too."""
    idp = await new_idp("STRICT_RFC")
    sent = [
        {"value": "g@work.example", "type": "work", "primary": False},
        {"value": "g@home.example", "type": "home", "primary": True},
    ]
    made = await idp.create("a", emails=sent)

    assert sent == made["emails"]


@pytest.mark.rule("R-124", "R-125", "D-12")
@pytest.mark.parametrize(
    ("attribute", "value", "near"),
    [
        ("teams", "design", "Design"),
        ("absenceRegion", "bayern", "Bayern"),
        ("userRole", "MANAGER", "Manager"),
        ("teams", "Design, Suport", "Support"),
    ],
)
async def test_names_match_exactly(idp: Idp, attribute: str, value: str, near: str):
    """With case; the refusal names the attribute's value and the name that was meant."""
    user = await idp.create("g", title="Before")
    answer = await idp.set(user["id"], **{"title": "After", WORKPLACE: {attribute: value}})
    created = await idp.post("h", **{WORKPLACE: {attribute: value}})

    for refused in (answer, created):
        assert (400, "invalidValue") == (refused.status, refused.body["scimType"])
        assert f"Did you mean {near}?" in refused.body["detail"]
    assert user == await idp.get(user["id"])
    assert 2 == len(await idp.find("Users"))


@pytest.mark.rule("R-124", "D-12")
async def test_blanks_around_names_do_not_count(idp: Idp):
    """Names are trimmed, and nothing else."""
    sent = {"teams": " Design ", "absenceRegion": " Bayern", "userRole": "Manager "}
    user = await idp.create("g", **{WORKPLACE: sent})

    assert {"teams": "Design", "absenceRegion": "Bayern", "userRole": "Manager"} == user[WORKPLACE]


@pytest.mark.rule("R-126", "R-149")
async def test_a_groups_id_is_the_roles(directory: System, idp: Idp):
    """The id is what maps a role, not its name."""
    user = await idp.create("g")
    await Product(directory, idp.place).set_role(user["id"], "Manager")
    group = (await idp.get(user["id"]))["groups"][0]

    assert idp.place.roles["Manager"] == group["value"]
    assert "Manager" == (await idp.send("GET", f"/Groups/{group['value']}")).body["displayName"]


@pytest.mark.rule("R-134")
async def test_a_display_name_is_made_of_the_names(idp: Idp):
    """Given and family name where none is sent; as given where one is, whatever the names."""
    plain, given = await idp.create("a"), await idp.create("b", displayName="The G")
    for user in (plain, given):
        await idp.set(user["id"], name={"familyName": "Byron"})

    assert "Grace Byron" == (await idp.get(plain["id"]))["displayName"]
    assert "The G" == (await idp.get(given["id"]))["displayName"]


@pytest.mark.rule("R-138", "D-30")
async def test_managers_who_are_unknown_oneself_or_below(new_idp: NewIdp):
    """An unknown id is kept; nobody manages themselves or who manages them."""
    idp = await new_idp("ORG_CHART")
    boss, user = await idp.create("boss"), await idp.create("g")
    path = f"{ENTERPRISE}:manager"

    pending = await idp.set_path(user["id"], path, "later")
    own = await idp.set_path(user["id"], path, user["id"])
    await idp.set_path(user["id"], path, boss["id"])
    circle = await idp.set_path(boss["id"], path, user["id"])

    assert {"value": "later"} == pending.body[ENTERPRISE]["manager"]
    for refused in (own, circle):
        assert (400, "invalidValue") == (refused.status, refused.body["scimType"])
    assert boss["id"] == (await idp.get(user["id"]))[ENTERPRISE]["manager"]["value"]


@pytest.mark.rule("R-139")
@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"name": {"familyName": "Hopper"}}, "given"),
        ({"name": {"givenName": "Grace", "familyName": " "}}, "family"),
        ({"name": None}, "given"),
        ({"userName": " "}, "user"),
    ],
)
async def test_names_are_required(new_idp: NewIdp, sent: dict[str, Any], named: str):
    """A new user without first name, last name or principal name is refused by its name."""
    idp = await new_idp("GROUP_MIRROR")
    answer = await idp.post("g", **sent)

    assert (400, "invalidValue") == (answer.status, answer.body["scimType"])
    assert named in answer.body["detail"].lower()
    assert 1 == len(await idp.find("Users"))


@pytest.mark.rule("R-142")
async def test_the_profiles_number_is_the_mobile_one(directory: System, new_idp: NewIdp):
    """A work number is kept and not shown."""
    idp = await new_idp("GROUP_MIRROR")
    product = Product(directory, idp.place)
    numbers = [{"value": "1", "type": "work"}, {"value": "2", "type": "Mobile"}]
    both = await idp.create("a", phoneNumbers=numbers)
    work = await idp.create("b", phoneNumbers=numbers[:1])

    assert ("2", "") == (
        (await product.get(both["id"])).profile_phone,
        (await product.get(work["id"])).profile_phone,
    )
    assert ["1", "2"] == [number["value"] for number in both["phoneNumbers"]]
