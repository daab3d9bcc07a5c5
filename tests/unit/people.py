"""Users, filters and changes for property tests: few values, so that they meet often."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.user_pb2 import User

from core_service.changes import clean

TEXTS = st.sampled_from(["", "a", "A", "ab", "Ab", "b", "ä", "Ä", "ß", "ss", "work", "home"])
FLAGS = st.booleans()
BYTES = st.sampled_from([b"", b"a", b"ab", b"\xff"])
TIMES = st.builds(
    Timestamp, seconds=st.integers(-2, 2), nanos=st.sampled_from([0, 999, 1000, 999_999_999])
)
MULTI = ("emails", "phone_numbers", "roles", "addresses", "x509_certificates")


def _dicts(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


ELEMENTS = {
    "emails": _dicts(value=TEXTS, type=TEXTS, display=TEXTS, primary=FLAGS),
    "phone_numbers": _dicts(value=TEXTS, type=TEXTS, primary=FLAGS),
    "roles": _dicts(value=TEXTS, type=TEXTS, primary=FLAGS),
    "addresses": _dicts(locality=TEXTS, type=TEXTS, primary=FLAGS),
    "x509_certificates": _dicts(value=BYTES, type=TEXTS, primary=FLAGS),
}
VALUES = {
    "user_name": TEXTS,
    "external_id": TEXTS,
    "title": TEXTS,
    "active": FLAGS,
    "name": _dicts(given_name=TEXTS, family_name=TEXTS),
    "enterprise": _dicts(
        department=TEXTS, manager=_dicts(user_id=TEXTS, ref=TEXTS, display_name=TEXTS)
    ),
    "workplace": _dicts(teams=st.lists(TEXTS, max_size=3), absence_region=TEXTS),
    **{name: st.lists(element, max_size=3) for name, element in ELEMENTS.items()},
}
USERS = st.builds(
    lambda fields: User(**fields), _dicts(**VALUES, id=TEXTS, create_time=TIMES, role_id=TEXTS)
)


def _with_one_primary(user: User) -> User:
    for field in MULTI:
        for element in [e for e in getattr(user, field) if e.primary][1:]:
            element.primary = False
    return user


CLEAN_USERS = USERS.map(_with_one_primary).map(clean)

_TEXT_TESTS = (
    *("equal", "not_equal", "contains", "starts_with", "ends_with"),
    *("greater_than", "at_least", "less_than", "at_most"),
)
_FLAG_TESTS = ("equal", "not_equal")
_TIME_TESTS = ("equal", "not_equal", "greater_than", "at_least", "less_than", "at_most")
_TEXT_FIELDS = (
    *("user_name", "external_id", "title", "name.given_name"),
    *("enterprise.manager.user_id", "workplace.absence_region"),
)


def _comparisons(
    tests: tuple[str, ...], fields: tuple[str, ...], operand: str, values: st.SearchStrategy[Any]
) -> st.SearchStrategy[Filter]:
    return st.builds(
        lambda test, field, value: Filter(**{test: {"field": field, operand: value}}),
        st.sampled_from(tests),
        st.sampled_from(fields),
        values,
    )


def _presences(*fields: str) -> st.SearchStrategy[Filter]:
    return st.sampled_from(fields).map(lambda field: Filter(present={"field": field}))


def _trees(leaves: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda fs: Filter(all_of={"filters": fs})),
            st.lists(inner, max_size=3).map(lambda fs: Filter(any_of={"filters": fs})),
            inner.map(lambda f: Filter(negate=f)),
        ),
        max_leaves=4,
    )


def wheres(field: str) -> st.SearchStrategy[Filter]:
    """Filters on the elements of *field*, all of which `check` accepts."""
    if field == "workplace.teams":
        return _trees(_comparisons(_TEXT_TESTS, ("value",), "text", TEXTS) | _presences("value"))
    if field == "x509_certificates":
        base64 = st.sampled_from(["YQ==", "YWI=", "Y", "yQ=="])
        values = _comparisons(_TEXT_TESTS[:5], ("value",), "text", base64)
        return _trees(values | _presences("value", "type"))
    texts = ("locality" if field == "addresses" else "value", "type")
    return _trees(
        _comparisons(_TEXT_TESTS, texts, "text", TEXTS)
        | _comparisons(_FLAG_TESTS, ("primary",), "flag", FLAGS)
        | _presences(*texts, "primary")
    )


def _element(field: str) -> st.SearchStrategy[Filter]:
    return wheres(field).map(lambda where: Filter(element={"field": field, "where": where}))


FILTERS = _trees(
    _comparisons(_TEXT_TESTS, _TEXT_FIELDS, "text", TEXTS)
    | _comparisons(_FLAG_TESTS, ("active",), "flag", FLAGS)
    | _comparisons(_TIME_TESTS, ("create_time",), "time", TIMES)
    | _presences(*VALUES, "name.given_name", "create_time", "enterprise.manager", "workplace.teams")
    | st.sampled_from((*MULTI, "workplace.teams")).flatmap(_element)
)

# What a value for each path is in.
_CHANGED = {
    **{name: name for name in VALUES},
    **{f"name.{part}": "name" for part in ("given_name", "family_name")},
    **{f"enterprise.{part}": "enterprise" for part in ("department", "manager", "manager.user_id")},
    **{f"workplace.{part}": "workplace" for part in ("teams", "absence_region")},
    **{f"{name}.type": name for name in MULTI},
    **{f"{name}.value": name for name in MULTI if name != "addresses"},
    **{f"{name}.primary": name for name in MULTI},
}


@st.composite
def changes(
    draw: st.DrawFn, steps: tuple[str, ...] = ("add", "set", "remove"), selects: bool = True
) -> UserChange:
    """Changes to the fields that users of these tests have; few are refused."""
    path = draw(st.sampled_from(tuple(_CHANGED)))
    top = _CHANGED[path]
    step = draw(st.sampled_from(steps))
    content: dict[str, Any] = {"field": path}
    whole = path if path == "workplace.teams" else top
    if selects and whole in (*MULTI, "workplace.teams") and draw(FLAGS):
        content["where"] = draw(wheres(whole))
    if step != "remove":
        value = draw(VALUES[top])
        one = top in MULTI and path != top
        content["value"] = _with_one_primary(User(**{top: value[:1] if one else value}))
    return UserChange(**{step: content})
