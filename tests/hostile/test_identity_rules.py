"""Rules of identity as an attacker would try them, through SCIM."""

import pytest

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.hostile.conftest import assert_refused, unchanged
from tests.scim import WORKPLACE, person


async def test_an_address_in_other_letters(new_idp: NewIdp):
    """U01, I01: 409 uniqueness, nothing of the other user; the same POST again makes no second."""
    idp = await new_idp("STRICT_RFC")
    made = await idp.create("grace", title="Secret title", externalId="secret-id")
    for name in (made["userName"], made["userName"].upper()):
        answer = await idp.send("POST", "/Users", person(name))
        assert_refused(answer, 409, "uniqueness")
        for secret in (made["id"], "Secret title", "secret-id"):
            assert secret not in str(answer.body)

    assert 1 == len(await idp.find("Users", f'userName eq "{made["userName"]}"'))


async def test_ones_own_address_in_other_letters(idp: Idp):
    """U02: kept as sent, found in any letters."""
    made = await idp.create("grace")
    sent = made["userName"].title()

    answer = await idp.set(made["id"], userName=sent)

    assert (200, sent) == (answer.status, answer.body["userName"])
    for name in (made["userName"], sent.upper()):
        assert [made["id"]] == [
            user["id"] for user in await idp.find("Users", f'userName eq "{name}"')
        ]


async def test_nobody_is_made_a_guest(idp: Idp):
    """U06: the guest role is in no list, and cannot be assigned by role name or by group."""
    user = await idp.create("grace")
    guest = idp.place.roles["Guest"]
    async with unchanged(idp, f"/Users/{user['id']}"):
        by_name = await idp.set(user["id"], **{WORKPLACE: {"userRole": "Guest"}})
        by_group = await idp.patch(
            f"/Groups/{guest}", {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
        )
        assert 400 <= by_name.status < 500
        assert_refused(by_group, 404)

    assert guest not in [group["id"] for group in await idp.find("Groups")]


@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "STRICT_RFC"])
async def test_a_password_is_never_returned(new_idp: NewIdp, preset: str):
    """U09: not by POST, PUT, PATCH, GET, a list, or a filter."""
    idp = await new_idp(preset)
    secret = "Correct horse 7 battery staple"
    made = await idp.post("grace", password=secret)
    path = f"/Users/{made.body['id']}"
    answers = [
        made,
        await idp.send("PUT", path, person(idp.mail("grace"), password=secret)),
        await idp.set(made.body["id"], password=secret),
        await idp.send("GET", f"{path}?attributes=password"),
        await idp.send("GET", "/Users?attributes=password,userName"),
        await idp.send("GET", "/Users?filter=password%20pr"),
    ]

    assert not [answer for answer in answers if secret in str(answer.body)]
    assert not [answer for answer in answers[:5] if "password" in str(answer.body)]


async def test_a_role_in_other_letters(idp: Idp):
    """U10: 400, unchanged."""
    user = await idp.create("grace")
    async with unchanged(idp, f"/Users/{user['id']}"):
        answer = await idp.set(user["id"], **{WORKPLACE: {"userRole": "ADMIN"}})
        assert_refused(answer, 400, "invalidValue")


async def test_roles_are_not_groups_to_be_made(idp: Idp):
    """U14: creating, renaming and deleting is refused, unchanged."""
    role = f"/Groups/{idp.place.roles['Member']}"
    async with unchanged(idp, role, "/Groups"):
        for answer in (
            await idp.send("POST", "/Groups", {"displayName": "New"}),
            await idp.patch(role, {"op": "replace", "path": "displayName", "value": "New"}),
            await idp.send("DELETE", role),
        ):
            assert_refused(answer, 403)


@pytest.mark.parametrize(
    "workplace",
    [
        {"teams": "Nobody knows"},
        {"teams": ",,,"},
        {"teams": ",".join(f"t{number}" for number in range(1000))},
        {"teams": "x" * 65_536},
        {"absenceRegion": "Atlantis"},
        {"absenceRegion": "x" * 65_536},
    ],
    ids=["unknown", "commas", "1,000 names", "64 kB", "region", "region of 64 kB"],
)
async def test_odd_teams_and_regions(idp: Idp, workplace: dict[str, str]):
    """U16: 400, or left out; nothing that nobody knows is kept."""
    user = await idp.create("grace")

    answer = await idp.set(user["id"], **{WORKPLACE: workplace})

    assert answer.status in (200, 400)
    kept = (await idp.get(user["id"])).get(WORKPLACE, {})
    assert not kept.get("teams")
    assert not kept.get("absenceRegion")


@pytest.mark.parametrize(
    ("sent", "kept"), [("en-US", "en-GB"), ("de-AT", "de-DE"), ("EN", "en-GB")]
)
async def test_languages(idp: Idp, sent: str, kept: str):
    """U17: the language that the product speaks."""
    assert kept == (await idp.create("grace", preferredLanguage=sent))["preferredLanguage"]


async def test_without_a_seat_nobody_is_made(new_idp: NewIdp):
    """S01, S02: refused at the limit, PATCH works, a seat that is freed can be taken once."""
    idp = await new_idp(seats=2)
    first = await idp.create("grace")
    async with unchanged(idp, "/Users"):
        assert_refused(await idp.post("second"), 403)
    assert 200 == (await idp.set(first["id"], title="Engineer")).status
    assert 200 == (await idp.set(first["id"], active=False)).status
    await idp.create("second")
    async with unchanged(idp, f"/Users/{first['id']}"):
        assert_refused(await idp.set(first["id"], active=True), 403)
