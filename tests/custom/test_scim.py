"""Attributes that a workspace declared, as identity providers write and read them."""

from urllib.parse import quote

import pytest

from tests.custom.conftest import ENTRA, HR, value

FULL = {
    "badge": "B-1",
    "shirt": "XXL",
    "languages": ["en", "de"],
    "desk": 4711,
    "remote": False,
    "hired": "2026-01-31T09:30:00.125Z",
}


@pytest.mark.rule("R-130")
async def test_values_are_stored_and_returned(workspace):
    """Every type comes back as it was sent; the URNs that have values are in `schemas`."""
    made = await workspace.idp.create("grace", **{HR: FULL, ENTRA: {"floors": [3, 4]}})
    read = await workspace.idp.get(made["id"])

    for user in (made, read):
        assert user[HR] == FULL
        assert user[ENTRA] == {"floors": [3, 4]}
        assert {HR, ENTRA} <= set(user["schemas"])


@pytest.mark.rule("R-130")
async def test_names_in_any_case_and_texts_for_every_type(workspace):
    """Entra sends numbers and truth values as text; names compare without case."""
    sent = {"DESK": "12", "Remote": "True", "hired": "2026-01-31T10:30:00+01:00", "SHIRT": ""}
    made = await workspace.idp.create("grace", **{HR.upper(): sent})

    assert made[HR] == {"desk": 12, "remote": True, "hired": "2026-01-31T09:30:00Z"}


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    "sent",
    [
        {"desk": "many"},
        {"desk": 1.5},
        {"desk": 2**63},
        {"desk": True},
        {"remote": "perhaps"},
        {"remote": 1},
        {"hired": "yesterday"},
        {"hired": "0001-01-01T00:00:00+23:00"},
        {"badge": 7},
        {"badge": {"a": "b"}},
        {"badge": ["a", "b"]},
        {"badge": "x" * 1025},
        {"badge": "a\u0007"},
        {"languages": [f"l{number}" for number in range(101)]},
    ],
    ids=str,
)
async def test_a_value_that_is_not_of_its_type_is_refused(workspace, sent):
    """Nobody is created by a request that is refused, and the attribute is named."""
    answer = await workspace.idp.post("grace", **{HR: sent})

    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert f"{HR}:{next(iter(sent))}" in answer.body["detail"]
    assert await workspace.names(f'userName eq "{workspace.idp.mail("grace")}"') == []


@pytest.mark.rule("R-130")
async def test_an_extension_is_replaced_as_a_whole(workspace):
    """PUT leaves alone what it does not mention, and clears what an extension no longer has."""
    made = await workspace.idp.create("grace", **{HR: FULL, ENTRA: {"floors": [1]}})
    body = {name: made[name] for name in ("schemas", "userName", "name", "emails")}

    path = f"/Users/{made['id']}"
    answer = await workspace.idp.send("PUT", path, body | {HR: {"desk": 1}})
    assert answer.status == 200, answer
    assert answer.body[HR] == {"desk": 1}
    kept = answer.body.get(ENTRA)
    cleared = await workspace.idp.send("PUT", path, body | {HR: {}, ENTRA: {"floors": [2]}})

    assert kept == {"floors": [1]}
    assert HR not in cleared.body
    assert HR not in cleared.body["schemas"]
    assert cleared.body[ENTRA] == {"floors": [2]}


@pytest.mark.rule("R-130")
async def test_put_as_the_rfc_says_removes_all_that_is_not_sent(strict):
    """In `strict-rfc` a PUT is the whole user."""
    made = await strict.idp.create("grace", **{HR: FULL})
    body = {name: made[name] for name in ("schemas", "userName", "name", "emails")}

    answer = await strict.idp.send("PUT", f"/Users/{made['id']}", body)

    assert answer.status == 200, answer
    assert HR not in answer.body


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "replace", "path": f"{HR}:badge", "value": "B-2"}, {"badge": "B-2"}),
        ({"op": "Add", "path": f"{HR}:desk", "value": "7"}, {"desk": 7}),
        ({"op": "add", "path": f"{HR}:languages", "value": ["fr", "EN"]},
         {"languages": ["en", "de", "fr"]}),
        ({"op": "replace", "path": f"{HR}:languages", "value": ["fr"]}, {"languages": ["fr"]}),
        ({"op": "add", "path": f"{HR}:languages", "value": []}, {}),
        ({"op": "remove", "path": f'{HR}:languages[value eq "EN"]'}, {"languages": ["de"]}),
        ({"op": "remove", "path": f"{HR}:languages", "value": ["de"]}, {"languages": ["en"]}),
        ({"op": "remove", "path": f"{HR}:languages", "value": [{"value": "de"}]},
         {"languages": ["en"]}),
        ({"op": "replace", "path": f'{HR}:languages[value eq "de"]', "value": "it"},
         {"languages": ["en", "it"]}),
        ({"op": "remove", "path": f"{HR}:badge"}, {"badge": None}),
        ({"op": "replace", "path": f"{HR}:badge", "value": ""}, {"badge": None}),
        ({"op": "replace", "path": f"{HR}:badge", "value": None}, {"badge": None}),
        ({"op": "replace", "path": HR, "value": {"badge": "B-3", "desk": 1}},
         {"badge": "B-3", "desk": 1}),
        ({"op": "replace", "value": {HR: {"badge": "B-3"}, f"{HR}:desk": 1}},
         {"badge": "B-3", "desk": 1}),
        ({"op": "add", "value": {f"{HR.upper()}:BADGE": "B-3"}}, {"badge": "B-3"}),
    ],
    ids=str,
)  # fmt: skip
async def test_a_patch_changes_what_it_names(workspace, operation, after):
    """The other attributes stay, and the same patch again changes nothing."""
    made = await workspace.idp.create("grace", **{HR: FULL})
    first = await workspace.idp.patch(f"/Users/{made['id']}", operation)

    expected = {k: v for k, v in (FULL | after).items() if v is not None}
    assert first.status == 200, first
    assert first.body[HR] == expected
    assert (await workspace.idp.get(made["id"]))[HR] == expected


@pytest.mark.rule("R-130")
async def test_a_whole_extension_is_removed_by_its_urn(workspace):
    """The other extension stays."""
    made = await workspace.idp.create("grace", **{HR: FULL, ENTRA: {"floors": [1]}})
    answer = await workspace.idp.patch(f"/Users/{made['id']}", {"op": "remove", "path": HR})

    assert HR not in answer.body
    assert answer.body[ENTRA] == {"floors": [1]}


@pytest.mark.rule("R-130")
async def test_a_patch_that_changes_nothing_keeps_the_version(workspace):
    """What is there already is not written again."""
    made = await workspace.idp.create("grace", **{HR: FULL})
    answer = await workspace.idp.set(made["id"], **{HR: dict(reversed(FULL.items()))})

    assert answer.body["meta"]["version"] == made["meta"]["version"]


@pytest.mark.rule("R-130")
async def test_a_patch_that_is_refused_changes_nothing(workspace):
    """The good operation before the bad one is not carried out."""
    made = await workspace.idp.create("grace", **{HR: FULL})
    good = {"op": "replace", "path": f"{HR}:badge", "value": "B-2"}
    bad = {"op": "replace", "path": f"{HR}:desk", "value": "many"}
    answer = await workspace.idp.patch(f"/Users/{made['id']}", good, bad)

    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert await workspace.idp.get(made["id"]) == made


@pytest.mark.rule("R-130")
async def test_values_that_are_not_there_have_no_target(strict):
    """A `replace` that selects nothing is noTarget where the policy makes no elements."""
    made = await strict.idp.create("grace", **{HR: FULL})
    path = f'{HR}:languages[value eq "fr"]'
    answer = await strict.idp.set_path(made["id"], path, "it")

    assert (answer.status, answer.body["scimType"]) == (400, "noTarget")


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (f'{HR}:badge eq "B-1"', ["amy"]),
        (f'{HR}:badge eq "b-1"', []),
        (f'{HR.lower()}:BADGE eq "B-1"', ["amy"]),
        (f'{HR}:badge ne "B-1"', ["bob", "eve"]),
        (f'{HR}:shirt eq "xl"', ["amy", "bob"]),
        (f'{HR}:shirt sw "X"', ["amy", "bob"]),
        (f'{HR}:shirt co "L"', ["amy", "bob"]),
        (f'{HR}:shirt ew "l"', ["amy", "bob"]),
        (f"{HR}:shirt pr", ["amy", "bob"]),
        (f"not ({HR}:shirt pr)", ["eve"]),
        (f"{HR}:shirt eq null", ["eve"]),
        (f'{HR}:languages eq "DE"', ["amy", "bob"]),
        (f'{HR}:languages[value eq "de" or value eq "fr"]', ["amy", "bob"]),
        (f'{HR}:languages[not (value eq "de")]', ["amy"]),
        (f"{HR}:desk gt 9", ["amy", "bob"]),
        (f"{HR}:desk le 10", ["bob"]),
        (f'{HR}:desk eq "10"', ["bob"]),
        (f"{HR}:remote eq true", ["amy"]),
        (f"{HR}:remote eq false", ["bob"]),
        (f'{HR}:hired ge "2026-01-31T10:30:00+01:00"', ["amy"]),
        (f'{HR}:hired lt "2026-01-31T09:30:00Z"', ["bob"]),
        (f'{HR}:desk gt 9 and {HR}:badge pr and userName sw "am"', ["amy"]),
        (f'schemas eq "{HR}"', ["amy", "bob"]),
        (f"{HR} pr", ["amy", "bob"]),
        (f'schemas eq "{ENTRA}"', []),
        ('schemas eq "urn:example:none"', []),
        (f'{HR}:badge eq "\' or 1=1 --"', []),
    ],
)
async def test_users_are_found_by_values(workspace, filter_, found):
    """The operators of RFC 7644 mean the same as for other attributes."""
    await workspace.idp.create("eve")
    await workspace.idp.create(
        "amy",
        **{HR: FULL | {"shirt": "XL", "remote": True, "hired": "2026-01-31T09:30:00Z"}},
    )
    few = {"shirt": "xl", "languages": ["de"], "desk": 10, "remote": False}
    few["hired"] = "1999-12-31T23:59:59.999999Z"
    await workspace.idp.create("bob", **{HR: few | {"badge": "B-10"}})

    names = await workspace.names(f'({filter_}) and name.familyName eq "Hopper"')
    assert names == found


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    "filter_",
    [
        f'{HR}:none eq "x"',
        'urn:example:none:badge eq "x"',
        f"{HR}:remote gt true",
        f'{HR}:desk co "1"',
        f'{HR}:desk eq "one"',
        f'{HR}:hired eq "yesterday"',
        f"{HR}:badge gt null",
        f'{HR}:languages[type eq "x"]',
        f'{HR} eq "x"',
    ],
)
async def test_a_filter_that_cannot_be_asked_is_refused(workspace, filter_):
    """It names what is not declared, or compares with another type."""
    answer = await workspace.idp.send("GET", f"/Users?filter={quote(filter_)}")

    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (f"attributes={HR}", {HR: FULL}),
        (f"attributes={HR}:badge,{HR.upper()}:DESK", {HR: {"badge": "B-1", "desk": 4711}}),
        (f"attributes=userName,{ENTRA}:floors", {ENTRA: {"floors": [3]}}),
        ("attributes=userName", {}),
        (f"excludedAttributes={HR}", {ENTRA: {"floors": [3]}}),
        (f"excludedAttributes={ENTRA}:floors,{HR}:badge",
         {HR: {k: v for k, v in FULL.items() if k != "badge"}}),
        ("excludedAttributes=userName", {HR: FULL, ENTRA: {"floors": [3]}}),
    ],
)  # fmt: skip
async def test_only_what_is_wanted_is_sent(workspace, query, kept):
    """`attributes` and `excludedAttributes` name extensions and attributes by their URN."""
    made = await workspace.idp.create("grace", **{HR: FULL, ENTRA: {"floors": [3]}})
    answer = await workspace.idp.send("GET", f"/Users/{made['id']}?{query}")

    urns = (HR, ENTRA)
    assert {urn: answer.body[urn] for urn in urns if urn in answer.body} == kept
    assert [urn for urn in urns if urn in answer.body["schemas"]] == [u for u in urns if u in kept]


@pytest.mark.rule("R-130", "D-42")
async def test_what_is_not_declared_is_left_out(workspace):
    """Unknown attributes of a known URN, and unknown URNs, are left out by default."""
    sent = {HR: {"badge": "B-1", "shoe": 42}, "urn:example:none:2.0:User": {"x": [{"y": 1}]}}
    made = await workspace.idp.create("grace", **sent)
    removed = await workspace.idp.patch(
        f"/Users/{made['id']}", {"op": "remove", "path": "urn:example:none:2.0:User:x"}
    )

    assert made[HR] == {"badge": "B-1"}
    assert "urn:example:none:2.0:User" not in made
    assert removed.status == 200


@pytest.mark.rule("R-130", "D-42")
@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({HR: {"badge": "B-1", "shoe": 42}}, f"{HR}:shoe"),
        ({"urn:example:none:2.0:User": {"x": 1}}, "urn:example:none:2.0:User"),
    ],
)
async def test_what_is_not_declared_is_refused_where_the_policy_says_so(strict, body, name):
    """On create and in patches, with the name."""
    created = await strict.idp.post("grace", **body)
    made = await strict.idp.create("amy")
    patched = await strict.idp.set(made["id"], **body)
    urn, inner = next(iter(body.items()))
    path = f"{urn}:{list(inner)[-1]}"
    removed = await strict.idp.patch(f"/Users/{made['id']}", {"op": "remove", "path": path})

    for answer in (created, patched, removed):
        assert (answer.status, answer.body["scimType"]) == (400, "invalidPath")
        assert name in answer.body["detail"]


@pytest.mark.rule("R-130")
async def test_discovery_lists_what_is_declared(workspace):
    """The extension is a schema and part of the resource type of users."""
    listed = await workspace.idp.send("GET", f"/Schemas/{HR.upper()}")
    types = await workspace.idp.send("GET", "/ResourceTypes/User")
    every = await workspace.idp.send("GET", "/Schemas")

    attributes = {each["name"]: each for each in listed.body["attributes"]}
    assert {"schema": HR, "required": False} in types.body["schemaExtensions"]
    assert {HR, ENTRA} <= {schema["id"] for schema in every.body["Resources"]}
    assert list(attributes) == ["badge", "shirt", "languages", "desk", "remote", "hired"]
    assert attributes["badge"] == {
        "name": "badge",
        "type": "string",
        "multiValued": False,
        "description": "What opens the doors.",
        "required": False,
        "caseExact": True,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    assert attributes["shirt"]["canonicalValues"] == ["S", "M", "L"]
    assert attributes["languages"]["multiValued"]
    assert [attributes[name]["type"] for name in ("desk", "remote", "hired")] == [
        "integer",
        "boolean",
        "dateTime",
    ]


@pytest.mark.rule("R-130")
async def test_another_workspace_has_nothing_of_it(workspace, new_idp):
    """Declarations are of one workspace."""
    other = await new_idp()
    made = await other.create("grace", **{HR: FULL})
    answer = await other.send("GET", f"/Schemas/{HR}")

    assert HR not in made
    assert answer.status == 404


@pytest.mark.rule("R-130")
async def test_the_product_writes_what_scim_reads(workspace):
    """Both write the same attributes."""
    made = await workspace.idp.create("grace", **{HR: {"badge": "B-1"}})
    await workspace.set(made["id"], value("desk", 7), value("badge"))

    assert (await workspace.idp.get(made["id"]))[HR] == {"desk": 7}
