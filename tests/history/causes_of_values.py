"""Causes of the reasons that lie in the values that are sent, with what explains each."""

from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import UserChange, UserValue
from userdirectory.v1.user_pb2 import User, UserRef

from tests.history.desk import (
    ENTERPRISE,
    SYNTAX,
    Case,
    Cause,
    Desk,
    case_of,
    marker,
    refused_create,
)
from tests.scim import WORKPLACE, person

CAUSES_OF_VALUES: dict[str, Cause] = {}
causes = marker(CAUSES_OF_VALUES)


@causes("VALUE_TAKEN")
async def _(desk: Desk) -> Case:
    place = await desk.place("STRICT_RFC")
    await desk.made(place)
    setting = ("on_existing", "ON_EXISTING_REFUSE", False)
    return await refused_create(desk, place, "R-162", setting)


@causes("VALUE_TAKEN display_name")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    for _ in range(2):
        answer = await desk.ask(place.token, "POST", "/Groups", {"displayName": "Crew"})
    return case_of(place, answer, "CreateGroup", "R-176", ("group_names_unique", "true", False))


@causes("FIELD_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    long = "x" * 300
    return await refused_create(desk, place, SYNTAX, title=long)


@causes("FIELD_INVALID user_name")
async def _(desk: Desk) -> Case:
    setting = ("user_name", "USER_NAME_FORM_EMAIL", False)
    return await refused_create(desk, await desk.place(), "R-067", setting, userName="no address")


@causes("FIELD_INVALID preferred_language")
async def _(desk: Desk) -> Case:
    setting = ("languages", "en-GB, de-DE", False)
    sent = {"preferredLanguage": "not a tag!"}
    return await refused_create(desk, await desk.place(), "R-112", setting, **sent)


@causes("FIELD_INVALID time_zone")
async def _(desk: Desk) -> Case:
    return await refused_create(desk, await desk.place(), "R-114", timezone="Nowhere/None")


@causes("FIELD_INVALID missing")
async def _(desk: Desk) -> Case:
    setting = ("required", "name.given_name, name.family_name", False)
    place = await desk.place("GROUP_MIRROR")
    return await refused_create(desk, place, "R-139", setting, name={"givenName": "Grace"})


@causes("FIELD_INVALID enterprise.manager.user_id")
async def _(desk: Desk) -> Case:
    place = await desk.place("ORG_CHART")
    id_ = await desk.made(place)
    path = f"{ENTERPRISE}:manager.value"
    answer = await desk.patch(place, id_, op="replace", path=path, value=id_)
    return case_of(place, answer, "PatchUser", "D-30")


@causes("FIELD_INVALID members.member_id")
async def _(desk: Desk) -> Case:
    place = await desk.place("ORG_CHART")
    sent = {"displayName": "Crew", "members": [{"value": "nobody"}]}
    answer = await desk.ask(place.token, "POST", "/Groups", sent)
    setting = ("nested_groups", "NESTED_GROUPS_REFUSE", False)
    return case_of(place, answer, "CreateGroup", "R-177", setting)


@causes("FIELD_READ_ONLY")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # The gateway knows from the contract what is read-only and refuses it itself.
    step = UserChange(set=UserValue(field="id", value=User(id="mine")))
    request = api.PatchUserRequest(user=UserRef(id=place.admin_id), changes=[step])
    return Case(
        detail=await desk.by_grpc(place.token, request),
        rpc="PatchUser",
        rule=SYNTAX,
        token=place.token,
        workspace_id=place.workspace_id,
    )


@causes("FIELD_UNKNOWN")
async def _(desk: Desk) -> Case:
    setting = ("unknown_attributes", "UNKNOWN_ATTRIBUTES_REFUSE", False)
    place = await desk.place("STRICT_RFC")
    return await refused_create(desk, place, "R-094", setting, favouriteColour="red")


@causes("PROTOCOL_DEVIATION")
async def _(desk: Desk) -> Case:
    setting = ("deviations", "DEVIATIONS_REFUSE", False)
    place = await desk.place("STRICT_RFC")
    return await refused_create(desk, place, SYNTAX, setting, active="True")


@causes("FILTER_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # Only the core knows which attributes a workspace has declared.
    path = "/Users?filter=urn:example:hr:2.0:User:badge%20eq%20%224711%22"
    answer = await desk.ask(place.token, "GET", path)
    return case_of(place, answer, "ListUsers", "RFC 7644 section 3.4.2.2")


@causes("NO_TARGET")
async def _(desk: Desk) -> Case:
    place = await desk.place("STRICT_RFC")
    id_ = await desk.made(place)
    path = 'emails[type eq "home"].value'
    answer = await desk.patch(place, id_, op="replace", path=path, value="a@example.com")
    setting = ("missing_element", "MISSING_ELEMENT_REFUSE", False)
    return case_of(place, answer, "PatchUser", "D-43", setting)


@causes("PAGE_TOKEN_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "GET", "/Users?cursor=forged")
    return case_of(place, answer, "ListUsers", "RFC 9865 section 2.1")


@causes("NAME_UNKNOWN")
async def _(desk: Desk) -> Case:
    sent = {WORKPLACE: {"absenceRegion": "Atlantis"}}
    return await refused_create(desk, await desk.place(), "R-124", **sent)


@causes("NAME_UNKNOWN workplace.user_role")
async def _(desk: Desk) -> Case:
    sent = {WORKPLACE: {"userRole": "manager"}}
    return await refused_create(desk, await desk.place(), "R-125", **sent)


@causes("SECOND_ROLE")
async def _(desk: Desk) -> Case:
    roles = [{"value": "Manager"}, {"value": "Member"}]
    return await refused_create(desk, await desk.place(), "R-144", roles=roles)


@causes("ROLE_NOT_REMOVABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_ = await desk.made(place)
    answer = await desk.patch(place, id_, op="remove", path=f"{WORKPLACE}:userRole")
    return case_of(place, answer, "PatchUser", "R-151")


@causes("REGION_NOT_REMOVABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_ = await desk.made(place, **{WORKPLACE: {"absenceRegion": "Bayern"}})
    answer = await desk.patch(place, id_, op="remove", path=f"{WORKPLACE}:absenceRegion")
    return case_of(place, answer, "PatchUser", "R-121")


@causes("ACCOUNT_SHARED")
async def _(desk: Desk) -> Case:
    here, there = await desk.place(), await desk.place()
    shared = f"shared@{here.workspace_id}.example"
    for place in (there, here):
        made = await desk.ask(place.token, "POST", "/Users", person(shared))
    new = f"new@{here.workspace_id}.example"
    answer = await desk.patch(here, made.body["id"], op="replace", path="userName", value=new)
    setting = ("account_email", "ACCOUNT_EMAIL_ALLOW", False)
    return case_of(here, answer, "PatchUser", "R-161", setting)


@causes("LAST_ADMIN")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.patch(place, place.admin_id, op="replace", path="active", value=False)
    return case_of(place, answer, "PatchUser", "R-150")


@causes("ADMIN_ROLE_LOCKED")
async def _(desk: Desk) -> Case:
    place = await desk.place("ORG_CHART")
    id_ = await desk.made(place)
    value = [{"value": "Admin"}]
    answer = await desk.patch(place, id_, op="replace", path="roles", value=value)
    setting = ("admin_role", "ADMIN_ROLE_PRODUCT_ONLY", False)
    return case_of(place, answer, "PatchUser", "R-154", setting)


@causes("ROLE_CATALOGUE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "POST", "/Groups", {"displayName": "Sales"})
    return case_of(place, answer, "CreateGroup", "R-143", ("groups", "GROUPS_MODE_ROLES", False))
