"""PATCH: what may not be written, what selects nothing, and sequences against a plain model."""

import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.hostile.conftest import assert_refused, unchanged


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "meta.version", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "groups", "value": [{"value": "x"}]}, "mutability"),
        ({"op": "remove", "path": "groups"}, "mutability"),
        ({"op": "move", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "noTarget"),
        ({"op": "replace", "path": "emails[", "value": "x"}, "invalidFilter"),
        ({"op": "replace", "path": "a..b", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "nothing.at.all", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "title", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
    ],
)
async def test_operations_that_cannot_be(new_idp: NewIdp, operation: Any, scim_type: str):
    """P03, P05, P07: refused as RFC 7644 names it; what came before it is not done either."""
    idp = await new_idp("STRICT_RFC")
    user = await idp.create("grace", title="Engineer")
    path = f"/Users/{user['id']}"
    async with unchanged(idp, path):
        answer = await idp.patch(
            path, {"op": "replace", "path": "nickName", "value": "G"}, operation
        )
        assert_refused(answer, 400, scim_type)


@pytest.mark.parametrize("op", ["replace", "Replace", "REPLACE", "add", "Add"])
async def test_the_name_of_an_operation_in_any_case(idp: Idp, op: str):
    """P05: accepted."""
    user = await idp.create("grace")
    answer = await idp.set_path(user["id"], "title", "Engineer", op)

    assert (200, "Engineer") == (answer.status, answer.body["title"])


async def test_the_user_name_stays(idp: Idp):
    """P07: removing userName is refused."""
    user = await idp.create("grace")
    async with unchanged(idp, f"/Users/{user['id']}"):
        answer = await idp.patch(f"/Users/{user['id']}", {"op": "remove", "path": "userName"})
        assert 400 == answer.status


async def test_unknown_attributes_are_not_kept(new_idp: NewIdp):
    """P01: left out where the policy says so, refused where it says that."""
    lenient, strict = await new_idp("SINGLE_ROLE"), await new_idp("STRICT_RFC")

    made = await lenient.create("grace", shoeSize=42)
    refused = await strict.post("grace", shoeSize=42)
    user = await strict.create("grace")

    assert "shoeSize" not in str(await lenient.get(made["id"]))
    assert 400 == refused.status
    answer = await strict.set(user["id"], shoeSize=42)
    assert 400 == answer.status


_TEXTS = st.sampled_from(("a", "b", "Ada", "é", "x y"))
_TYPES = ("work", "home", "mobile")
_SINGLE = st.builds(
    lambda op, path, value: {"op": op, "path": path} | ({} if op == "remove" else {"value": value}),
    st.sampled_from(("add", "replace", "remove")),
    st.sampled_from(("title", "nickName", "name.middleName")),
    _TEXTS,
)
_PHONE = st.fixed_dictionaries({"value": _TEXTS, "type": st.sampled_from(_TYPES)})
_PHONES = st.one_of(
    st.builds(
        lambda op, value: {"op": op, "path": "phoneNumbers", "value": value},
        st.sampled_from(("add", "replace")),
        st.lists(_PHONE, min_size=1, max_size=3, unique_by=lambda phone: phone["type"]),
    ),
    st.builds(
        lambda kind: {"op": "remove", "path": f'phoneNumbers[type eq "{kind}"]'},
        st.sampled_from(_TYPES),
    ),
    st.builds(
        lambda kind, value: {
            "op": "replace",
            "path": f'phoneNumbers[type eq "{kind}"].display',
            "value": value,
        },
        st.sampled_from(_TYPES),
        _TEXTS,
    ),
    st.just({"op": "remove", "path": "phoneNumbers"}),
)
_SEQUENCES = st.lists(st.lists(_SINGLE | _PHONES, min_size=1, max_size=4), min_size=1, max_size=5)
_SHOWN = ("title", "nickName", "phoneNumbers", "name")


def _oracle(user: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return what RFC 7644 section 3.5.2 makes of *user*; None if it must be refused."""
    new = {**user, "name": dict(user["name"]), "phoneNumbers": list(user["phoneNumbers"])}
    for operation in operations:
        path, value = operation["path"], operation.get("value")
        phones = new["phoneNumbers"]
        if path == "phoneNumbers":
            if operation["op"] == "add":
                new["phoneNumbers"] = phones + [each for each in value if each not in phones]
            else:
                new["phoneNumbers"] = list(value or ())
        elif path.startswith("phoneNumbers["):
            kind = path.split('"')[1]
            chosen = [phone for phone in phones if phone["type"] == kind]
            if not chosen:
                return None
            new["phoneNumbers"] = [
                phone if phone not in chosen else phone | {"display": value}
                for phone in phones
                if phone not in chosen or operation["op"] == "replace"
            ]
        else:
            holder = new["name"] if path.startswith("name.") else new
            name = path.removeprefix("name.")
            holder.pop(name, None)
            if operation["op"] != "remove":
                holder[name] = value
    return new


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(sequence=_SEQUENCES)
async def test_sequences_end_as_in_the_model(strict: Idp, sequence: list[list[dict[str, Any]]]):
    """P08: after each PATCH the user is what the model says; a refused one changed nothing."""
    user = await strict.create(f"p{secrets.token_hex(8)}")
    model = {"name": user["name"], "phoneNumbers": []}
    for operations in sequence:
        after = _oracle(model, operations)
        answer = await strict.patch(f"/Users/{user['id']}", *operations)
        assert (200 if after is not None else 400) == answer.status, (operations, answer.body)
        model = after if after is not None else model
        stored = await strict.get(user["id"])
        shown = {key: stored.get(key, []) for key in _SHOWN if stored.get(key) or key in model}
        assert _plain(model) == _plain(shown), (operations, stored)


def _plain(user: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared: phone numbers in no order, the formatted name left to the core."""
    phones = sorted(str(sorted(phone.items())) for phone in user["phoneNumbers"])
    name = {key: value for key, value in user["name"].items() if key != "formatted"}
    return {**user, "phoneNumbers": phones, "name": name}


@pytest.fixture
async def strict(new_idp: NewIdp) -> Idp:
    """Give an identity provider whose workspace follows the RFC to the letter."""
    return await new_idp("STRICT_RFC")
