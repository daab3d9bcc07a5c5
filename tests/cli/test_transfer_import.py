"""An import makes the directory what the file says, and tells what it did."""

from pathlib import Path

import pytest
from userdirectory.v1.custom_pb2 import CUSTOM_TYPE_INTEGER, CustomAttribute
from userdirectory.v1.user_directory_pb2 import (
    BatchWriteResponse,
    ListUsersResponse,
    WriteResult,
)
from userdirectory.v1.user_pb2 import Email, PhoneNumber, User
from userdirectory.v1.workspace_admin_pb2 import DeclareAttributesRequest

from core_service import custom_attributes
from tests.cli.conftest import Userdir
from tests.cli.transfer import csv, events, jsonl, names, people, product, rows
from tests.gateway.standin import Core
from tests.system import System
from tests.workspaces import Place

HR = "urn:example:params:scim:schemas:hr:2.0:User"
GRACE, LIN, BOB = "grace@example.com", "lin@example.com", "bob@example.com"


async def test_csv_creates_people(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """Columns are fields, flat ones are elements of a type, and empty cells are nothing."""
    file = csv(
        tmp_path,
        "user_name,external_id,name.given_name,title,active,preferred_language,emails.work,"
        "phone_numbers.mobile,enterprise.department,workplace.teams,workplace.absence_region,"
        "workplace.user_role",
        f'{GRACE},e1,Grace,"Rear Admiral, retired",no,de-DE,g@example.com,+49 170 1,Navy,'
        '"Design, Support",Bayern,Manager',
        f"{LIN},,Lin,,,,,,,,,",
    )

    done = await userdir.done("import", str(file))

    assert "2 created, 0 updated, 0 unchanged, 0 refused, 0 wrong.\n" == done.out
    there = await people(directory, place)
    grace = there[GRACE]
    assert ("e1", "Grace", "Rear Admiral, retired", False, "de-DE", "Navy") == (
        grace.external_id,
        grace.name.given_name,
        grace.title,
        grace.active,
        grace.preferred_language,
        grace.enterprise.department,
    )
    assert [Email(value="g@example.com", type="work", primary=True)] == list(grace.emails)
    assert [PhoneNumber(value="+49 170 1", type="mobile")] == list(grace.phone_numbers)
    assert ["Design", "Support"] == sorted(grace.workplace.teams)
    assert ("Bayern", "Manager") == (grace.workplace.absence_region, grace.workplace.user_role)
    assert (True, "Member", False) == (
        there[LIN].active,
        there[LIN].workplace.user_role,
        there[LIN].HasField("title"),
    )
    assert ["people.csv"] == names(tmp_path)


async def test_a_file_of_a_german_excel_is_read(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """A byte order mark, semicolons, WAHR and the ends of lines of Windows."""
    file = tmp_path / "people.csv"
    lines = [
        "\ufeffuser_name;title;active;workplace.teams",
        f"{GRACE};Ärztin;FALSCH;Design,Support",
        ";;;",
    ]
    file.write_bytes("".join(f"{line}\r\n" for line in lines).encode())

    await userdir.done("import", str(file))

    grace = (await people(directory, place))[GRACE]
    assert ("Ärztin", False) == (grace.title, grace.active)
    assert ["Design", "Support"] == sorted(grace.workplace.teams)


async def test_jsonl_creates_and_updates_people(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """A line is a User: fields that are there are set, lists as a whole, others stay."""
    grace = {
        "user_name": GRACE,
        "id": "made-elsewhere",
        "title": "Admiral",
        "name": {"given_name": "Grace", "family_name": "Hopper"},
        "emails": [{"value": "g@example.com", "type": "work"}],
        "ims": [{"value": "grace", "type": "xmpp"}],
        "source": "sheets",
    }
    await userdir.done("import", str(jsonl(tmp_path, grace)))

    changed = {
        "user_name": GRACE.upper(),
        "name": {"given_name": "G."},
        "title": None,
        "emails": [],
    }
    done = await userdir.done("import", str(jsonl(tmp_path, changed)))

    assert "0 created, 1 updated, 0 unchanged, 0 refused, 0 wrong.\n" == done.out
    user = (await people(directory, place))[GRACE]
    assert "made-elsewhere" != user.id
    assert ("sheets", "Admiral", "G.", "Hopper") == (
        user.source,
        user.title,
        user.name.given_name,
        user.name.family_name,
    )
    assert ["g@example.com"] == [email.value for email in user.emails]
    assert ["grace"] == [im.value for im in user.ims]


async def test_empty_cells_leave_values_alone_unless_asked(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """With --clear-empty they take them away, the manager and elements of a type too."""
    file = csv(
        tmp_path,
        "user_name,title,emails.work,emails.home,manager",
        f"{GRACE},Admiral,w@example.com,h@example.com,{LIN}",
        f"{LIN},,,,",
    )
    await userdir.done("import", str(file))
    empty = csv(tmp_path, "user_name,title,emails.work,manager", f"{GRACE},,,")

    kept = await userdir.done("import", str(empty))
    before = await people(directory, place)
    cleared = await userdir.done("import", str(empty), "--clear-empty")
    after = (await people(directory, place))[GRACE]

    assert "0 created, 0 updated, 1 unchanged" in kept.out
    assert ("Admiral", before[LIN].id) == (
        before[GRACE].title,
        before[GRACE].enterprise.manager.user_id,
    )
    assert "0 created, 1 updated, 0 unchanged" in cleared.out
    assert not after.title
    assert not after.enterprise.manager.user_id
    assert ["h@example.com"] == [email.value for email in after.emails]


async def test_an_element_of_a_type_changes_alone(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """Of two work addresses the first is the one of the column; everything else stays."""
    emails = [
        {"value": "one@example.com", "type": "Work", "display": "One"},
        {"value": "two@example.com", "type": "work"},
        {"value": "home@example.com", "type": "home"},
    ]
    await userdir.done("import", str(jsonl(tmp_path, {"user_name": GRACE, "emails": emails})))

    file = csv(
        tmp_path, "user_name,emails.work,emails.other", f"{GRACE},new@example.com,o@example.com"
    )
    await userdir.done("import", str(file))

    found = (await people(directory, place))[GRACE].emails
    assert [
        ("new@example.com", "One"),
        ("two@example.com", ""),
        ("home@example.com", ""),
        ("o@example.com", ""),
    ] == [(email.value, email.display) for email in found]


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """Who is created, which field of whom changes, who stays, what is wrong; no row differs."""
    await userdir.done(
        "import",
        str(csv(tmp_path, "user_name,title,workplace.teams", f"{GRACE},A,Design", f"{LIN},B,")),
    )
    file = csv(
        tmp_path,
        "user_name,title,active,workplace.teams,password,manager",
        f"{GRACE},Admiral,,Design,,{BOB}",
        f"{LIN},B,true,,,",
        f"{BOB},New,no,,secret-password,",
        "wrong@example.com,,maybe,,,",
        "zoe@example.com,,,,,nobody@example.com",
        "yan@example.com,,,,,zoe@example.com",
    )
    before = await rows(directory, place)

    done = await userdir("import", str(file), "--dry-run")
    after = await rows(directory, place)
    left = names(tmp_path)
    real = await userdir("import", str(file), "--keep-going")

    assert 1 == done.status
    assert [
        f"= {LIN}",
        f"+ {BOB}",
        "    title: New",
        "    active: false",
        "    password: (hidden)",
        "! zoe@example.com (line 6): No user is called nobody@example.com. Give them a line of "
        "their own, or mend the name.",
        f"~ {GRACE}",
        "    title: A -> Admiral",
        f"    manager: (none) -> {BOB}",
        "! yan@example.com (line 7): No user is called zoe@example.com. Give them a line of their "
        "own, or mend the name.",
        "1 created, 1 updated, 1 unchanged, 2 refused, 1 wrong.",
    ] == done.out.splitlines()
    assert "Line 5: active: 'maybe' is neither true nor false. Write one of them." in done.err
    assert "Nothing was changed." in done.err
    assert before == after
    assert ["people.csv"] == left
    assert done.out.splitlines()[-1] == real.out.splitlines()[-1]
    assert 1 == real.status


async def test_managers_are_set_when_everybody_is_there(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """The column `manager` names people further down, people who are there, or nobody."""
    await userdir.done("import", str(csv(tmp_path, "user_name", BOB)))
    file = csv(
        tmp_path,
        "user_name,manager",
        f"{GRACE},{LIN.upper()}",
        f"{LIN},{BOB}",
        "self@example.com,self@example.com",
    )

    done = await userdir("import", str(file), "--json")

    there = await people(directory, place)
    told = {event["user_name"]: event for event in events(done.out)}
    assert there[LIN].id == there[GRACE].enterprise.manager.user_id
    assert there[BOB].id == there[LIN].enterprise.manager.user_id
    assert ("created", there[GRACE].id) == (told[GRACE]["outcome"], told[GRACE]["id"])
    assert ("refused", "FIELD_INVALID") == (
        told["self@example.com"]["outcome"],
        told["self@example.com"]["reason"],
    )
    assert 3 == len(told)


async def test_ids_of_the_file_mean_people_of_the_file(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """A manager's id that somebody has in the file is that person, whatever id they get."""
    file = jsonl(
        tmp_path,
        {"user_name": GRACE, "id": "1", "enterprise": {"manager": {"user_id": "2"}}},
        {"user_name": LIN, "id": "2"},
        {"user_name": BOB, "id": "3", "enterprise": {"manager": {"user_id": "elsewhere"}}},
    )

    await userdir.done("import", str(file))

    there = await people(directory, place)
    assert there[LIN].id == there[GRACE].enterprise.manager.user_id
    assert "elsewhere" == there[BOB].enterprise.manager.user_id


@pytest.mark.parametrize("delimiter", [",", ";"])
async def test_refused_lines_can_be_mended_and_imported(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path, delimiter: str
):
    """They are kept as they were, with reason, message and trace id; the others are done."""
    lines = ["user_name,title,workplace.user_role", f'{GRACE},"A; b",Emperor', f"{LIN},B,Manager"]
    if delimiter == ";":
        lines = [lines[0].replace(",", ";"), f'{GRACE};"A; b";Emperor', f"{LIN};B;Manager"]

    done = await userdir("import", str(csv(tmp_path, *lines)))

    rejected = tmp_path / "people.rejected.csv"
    header, line = rejected.read_text().splitlines()
    assert 1 == done.status
    assert "1 created, 0 updated, 0 unchanged, 1 refused, 0 wrong.\n" == done.out
    assert "people.rejected.csv" in done.err
    assert header == delimiter.join(
        [lines[0], "rejected_line", "rejected_reason", "rejected_message", "rejected_trace_id"]
    )
    trace_id = line.rpartition(delimiter)[2]
    assert "NAME_UNKNOWN" in line
    logged = (await userdir.done("log", "--json")).json["entries"]
    assert [trace_id] == [entry["trace_id"] for entry in logged if entry["reason"]]
    rejected.write_text(rejected.read_text().replace("Emperor", "Admin", 1))

    await userdir.done("import", str(rejected))

    grace = (await people(directory, place))[GRACE]
    assert ("A; b", "Admin") == (grace.title, grace.workplace.user_role)
    assert not (tmp_path / "people.rejected.rejected.csv").exists()


async def test_refused_lines_of_jsonl_can_be_mended_and_imported(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """The reasons are fields of the line, which an import passes over."""
    grace = {"user_name": GRACE, "workplace": {"user_role": "Emperor"}, "etag": "x"}

    assert 1 == (await userdir("import", str(jsonl(tmp_path, grace)))).status

    rejected = tmp_path / "people.rejected.jsonl"
    line = events(rejected.read_text())[0]
    assert grace.items() <= line.items()
    assert ("1", "NAME_UNKNOWN", 32) == (
        line["rejected_line"],
        line["rejected_reason"],
        len(line["rejected_trace_id"]),
    )
    rejected.write_text(rejected.read_text().replace("Emperor", "Manager", 1))
    await userdir.done("import", str(rejected))
    assert "Manager" == (await people(directory, place))[GRACE].workplace.user_role


async def test_programs_are_told_of_every_line(userdir: Userdir, tmp_path: Path):
    """With --json there is a line for each line: outcome, id, what changed, why it was refused."""
    await userdir.done("import", str(csv(tmp_path, "user_name,title", f"{GRACE},A", f"{LIN},B")))
    file = csv(tmp_path, "user_name,title,active", f"{GRACE},C,", f"{LIN},B,", f"{BOB},,x", "@@,,")

    done = await userdir("import", str(file), "--keep-going", "--json")

    told = {event["line"]: event for event in events(done.out)}
    assert ["updated", "unchanged", "wrong", "refused"] == [told[n]["outcome"] for n in range(2, 6)]
    assert {"title": {"before": "A", "after": "C"}} == told[2]["changes"]
    assert told[2]["id"]
    assert "changes" not in told[3]
    assert "FIELD_INVALID" == told[5]["reason"]
    assert told[5]["message"]
    assert 32 == len(told[5]["trace_id"])
    assert "0 created, 1 updated, 1 unchanged, 1 refused, 1 wrong." in done.err


async def test_custom_attributes_are_set_one_by_one(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """Those that a line names; what is there already is no change, as text or as a number."""
    await custom_attributes.declare(
        directory.core,
        product(place),
        DeclareAttributesRequest(
            attributes=[
                CustomAttribute(urn=HR, name="badge"),
                CustomAttribute(urn=HR, name="level", type=CUSTOM_TYPE_INTEGER),
            ]
        ),
    )
    badge = {"urn": HR, "name": "badge", "elements": [{"text": "4711"}]}
    level = {"urn": HR, "name": "level", "elements": [{"text": "3"}]}
    grace = jsonl(tmp_path, {"user_name": GRACE, "custom": [badge, level]})
    await userdir.done("import", str(grace))
    same = await userdir.done("import", str(grace))
    changed = badge | {"elements": [{"text": "4712"}]}

    await userdir.done("import", str(jsonl(tmp_path, {"user_name": GRACE, "custom": [changed]})))
    file = tmp_path / "out.jsonl"
    await userdir.done("export", str(file))
    again = await userdir.done("import", str(file))

    custom = (await people(directory, place))[GRACE].custom
    assert {"badge": "4712", "level": 3} == {
        value.name: value.elements[0].text or value.elements[0].number for value in custom
    }
    assert "0 updated, 1 unchanged" in same.out
    assert "0 updated, 2 unchanged" in again.out


async def test_passwords_are_sent_and_shown_nowhere(
    core: Core, before_core: Userdir, tmp_path: Path
):
    """In smaller batches, for each takes its time; also to who is there, for nobody can compare."""
    core.replies["ListUsers"] = ListUsersResponse(users=[User(id="u0", user_name="p0@x.example")])
    core.replies["BatchWrite"] = lambda request: BatchWriteResponse(
        results=[WriteResult(index=n, user=User(id="u")) for n in range(len(request.operations))]
    )
    lines = [f"p{n}@x.example,correct-horse-{n}" for n in range(21)]
    file = csv(tmp_path, "user_name,password", *lines)

    done = await before_core.done("import", str(file), "--json")

    sent = [call.request.operations for call in core.asked if call.method == "BatchWrite"]
    assert [20, 1] == [len(operations) for operations in sent]
    assert "correct-horse-0" == sent[0][0].patch_user.changes[0].set.value.password
    assert "correct-horse-1" == sent[0][1].create_user.user.password
    assert {"(hidden)"} == {event["changes"]["password"]["after"] for event in events(done.out)}
    assert "correct-horse" not in done.out + done.err
