"""The log is narrowed by who, what, why, when and whether it was done; pages keep to it."""

import itertools
from dataclasses import replace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1 import error_reason_pb2 as reason_pb2
from userdirectory.v1 import log_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import UserRef
from userdirectory.v1.workspace_admin_pb2 import (
    LOG_OUTCOME_DONE,
    LOG_OUTCOME_REFUSED,
    ListLogRequest,
    LogOutcome,
)

from tests.history.conftest import trace
from tests.workspaces import connect

NOT_FOUND = reason_pb2.ERROR_REASON_USER_NOT_FOUND


async def busy(office):
    """Let two integrations and a product do things and be refused; return the whole log."""
    made = await office.create("grace")
    await office.create("ada2", product=True)
    await office.set(made.id, title="Admiral")
    await office.set(made.id, product=True, title="Captain")
    _, token = await connect(office.world.core, office.place.workspace_id, "Second")
    office.place = replace(office.place, token=token)
    await office.create("joan")
    for _ in range(2):
        await office.refused(api.GetUserRequest(user=UserRef(id="nobody")), trace=trace())
    await office.refused(api.DeleteUserRequest(user=UserRef(id=office.place.admin_id)))
    return await office.log()


def passes(entry: log_pb2.LogEntry, filters: dict[str, object]) -> bool:
    """Return whether an entry passes filters, by their meaning in the contract."""
    micros = entry.time.ToMicroseconds()
    for name, value in filters.items():
        if isinstance(value, Timestamp):
            bound = value.ToMicroseconds()
            if not (micros >= bound if name == "since" else micros < bound):
                return False
        elif name == "reason":
            if entry.reason != reason_pb2.ErrorReason.Name(value):
                return False
        elif name == "outcome":
            if (entry.reason != "") != (value == LOG_OUTCOME_REFUSED):
                return False
        elif getattr(entry, name) != value:
            return False
    return True


async def test_every_pair_of_filters_narrows_the_log(office):
    """Each filter, and any two, keep just the entries that they are about."""
    every = await busy(office)
    middle = next(entry for entry in every if entry.operation == "UpdateUser")
    integrations = sorted({entry.integration_id for entry in every} - {""})
    values = {
        "trace_id": [every[1].trace_id],
        "target_id": [middle.target_id],
        "since": [middle.time],
        "until": [middle.time],
        "integration_id": integrations,
        "operation": ["CreateUser", "GetUser"],
        "reason": [NOT_FOUND, reason_pb2.ERROR_REASON_LAST_ADMIN],
        "outcome": [LOG_OUTCOME_DONE, LOG_OUTCOME_REFUSED],
    }
    single = [{name: value} for name, all_ in values.items() for value in all_]
    wanted = single + [a | b for a, b in itertools.combinations(single, 2) if a.keys() != b.keys()]
    found = [await office.log(**filters) for filters in wanted]

    assert found == [[entry for entry in every if passes(entry, filters)] for filters in wanted]
    assert len(integrations) == 2
    assert all(0 < len(entries) < len(every) for entries in found[: len(single)])


async def test_pages_keep_to_their_filters(office):
    """Page by page the same entries as at once; a token of other filters is refused."""
    await busy(office)
    whole = await office.log(outcome=LOG_OUTCOME_REFUSED)
    request = ListLogRequest(outcome=LOG_OUTCOME_REFUSED, page_size=2)
    paged = []
    while True:
        page = await office.ask(request, product=True)
        paged.extend(page.entries)
        if not page.next_page_token:
            break
        token = request.page_token = page.next_page_token
    others = [
        {"outcome": LOG_OUTCOME_DONE},
        {"outcome": LOG_OUTCOME_REFUSED, "until": whole[0].time},
        {"outcome": LOG_OUTCOME_REFUSED, "reason": NOT_FOUND},
        {"outcome": LOG_OUTCOME_REFUSED, "operation": "GetUser"},
        {"outcome": LOG_OUTCOME_REFUSED, "integration_id": whole[0].integration_id},
    ]
    errors = [
        await office.refused(ListLogRequest(page_token=token, **other), product=True)
        for other in others
    ]

    assert len(whole) == 3
    assert paged == whole
    assert [error.reason for error in errors] == ["PAGE_TOKEN_INVALID"] * len(others)


@pytest.mark.parametrize("field", ["reason", "outcome"])
async def test_a_number_that_the_contract_has_not_is_refused(office, field):
    """An unknown reason or outcome is told, and not taken for none."""
    assert 99 not in LogOutcome.values()
    error = await office.refused(ListLogRequest(**{field: 99}), product=True)

    assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", field)
