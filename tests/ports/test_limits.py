"""How many users and groups a workspace may have, by SCIM."""

import pytest

from tests.scim import person

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.mark.rule("R-174", "D-28")
async def test_the_user_after_the_hundred_thousandth_is_refused(house):
    """The 100,000th is created, the next is 403; updates, deletes and reads go on."""
    place = await house.place("GROUP_MIRROR")
    scim = house.scim(place)
    async with house.counted(place, users=99_998):
        last = await scim.request("POST", "/Users", person("last@example.com"))
        refused = await scim.request("POST", "/Users", person("more@example.com"))
        path = f"/Users/{last.body['id']}"
        changed = await scim.patch(path, {"op": "replace", "path": "title", "value": "Admiral"})
        deleted = await scim.request("DELETE", path)
        again = await scim.request("POST", "/Users", person("more@example.com"))

    assert (last.status, refused.status) == (201, 403)
    assert "100000" in refused.body["detail"]
    assert (changed.status, deleted.status, again.status) == (200, 204, 201)


@pytest.mark.rule("R-175", "D-28")
async def test_the_group_after_the_ten_thousandth_is_refused(house):
    """The 10,000th is created, the next is 403; the groups there are can be changed."""
    place = await house.place("GROUP_MIRROR")
    scim = house.scim(place)
    async with house.counted(place, groups=9_999):
        last = await scim.request("POST", "/Groups", group("Last"))
        refused = await scim.request("POST", "/Groups", group("More"))
        path = f"/Groups/{last.body['id']}"
        renamed = await scim.patch(path, {"op": "replace", "path": "displayName", "value": "New"})
        deleted = await scim.request("DELETE", path)
        again = await scim.request("POST", "/Groups", group("More"))

    assert (last.status, refused.status) == (201, 403)
    assert "10000" in refused.body["detail"]
    assert (renamed.status, deleted.status, again.status) == (200, 204, 201)


def group(name):
    """Return a group as an identity provider sends one."""
    return {"schemas": [GROUP], "displayName": name}
