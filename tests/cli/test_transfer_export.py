"""An export has everybody, and an import takes it back without a change."""

import asyncio
import csv as csv_module
import os
import pty
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User

from clients.cli.transfer_table import EXPORTED
from tests.cli.conftest import Userdir
from tests.cli.transfer import csv, events, jsonl, names, people, rows
from tests.gateway.standin import Core
from tests.processes import ROOT
from tests.system import System
from tests.workspaces import Place, new_place

GRACE, LIN = "grace@example.com", "lin@example.com"
PEOPLE: list[dict[str, Any]] = [
    {
        "user_name": GRACE,
        "external_id": "e1",
        "id": "1",
        "title": '=SUM("1")',
        "nick_name": 'Amazing, "G."; \u2028',
        "active": False,
        "preferred_language": "de-DE",
        "time_zone": "Europe/Berlin",
        "name": {"given_name": "Grace", "family_name": "Hopper", "honorific_prefix": "Dr."},
        "emails": [
            {"value": "h@example.com", "type": "home"},
            {"value": "w@example.com", "type": "work", "display": "Grace"},
            {"value": "w2@example.com", "type": "work"},
        ],
        "phone_numbers": [{"value": "+49 170 1", "type": "mobile"}],
        "ims": [{"value": "grace", "type": "xmpp"}],
        "addresses": [{"formatted": "1 Main St\nTown", "type": "work"}],
        "x509_certificates": [{"value": "AQID"}],
        "enterprise": {"department": "Navy", "manager": {"user_id": "2"}},
        "workplace": {
            "teams": ["Support", "Design"],
            "absence_region": "Bayern",
            "user_role": "Manager",
        },
        "source": "sheets",
    },
    {"user_name": LIN, "id": "2", "workplace": {"user_role": "Guest"}},
]
# What is each workspace's own, or of the moment.
_OWN = ("id", "etag", "create_time", "update_time", "role_id", "account_id", "groups")


@pytest.fixture
async def filled(userdir: Userdir, place: Place, tmp_path: Path) -> Userdir:
    """The command line for a workspace with two people who have every kind of value."""
    await userdir.done("import", str(jsonl(tmp_path, *PEOPLE)))
    return userdir


async def _elsewhere(directory: System, userdir: Userdir) -> Userdir:
    """Return the command line for another workspace of the same kind."""
    place = await new_place(directory.core)
    return replace(userdir, settings=userdir.settings | {"USERDIR_WORKSPACE": place.workspace_id})


def _comparable(text: str) -> list[dict[str, Any]]:
    """Return the people of an export as JSONL, without what is each workspace's own."""
    users = events(text)
    names_ = {user["id"]: user["user_name"] for user in users}
    for user in users:
        manager = user.get("enterprise", {}).get("manager")
        if manager:
            manager["user_id"] = names_[manager["user_id"]]
    kept = [{k: v for k, v in user.items() if k not in _OWN} for user in users]
    others = (user for user in kept if not user["user_name"].startswith("ada@"))
    return sorted(others, key=lambda user: user["user_name"])


def _rows(text: str) -> list[list[str]]:
    """Return the cells of an export as CSV, the head first, without the workspaces' admins."""
    head, *rows_ = csv_module.reader(text.split("\n"))
    return [head, *sorted(row for row in rows_ if row and "ada@" not in row[0])]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
async def test_what_was_exported_changes_nothing(
    directory: System, place: Place, filled: Userdir, tmp_path: Path, suffix: str
):
    """The unchanged export finds everybody as they are; no row differs, no version is raised."""
    file = tmp_path / f"out.{suffix}"
    before = await rows(directory, place)

    await filled.done("export", str(file))
    done = await filled.done("import", str(file), "--clear-empty")

    assert "0 created, 0 updated, 3 unchanged, 0 refused, 0 wrong.\n" == done.out
    assert before == await rows(directory, place)


async def test_jsonl_brings_everything_to_another_workspace(
    directory: System, filled: Userdir, tmp_path: Path
):
    """Exported, imported, exported again: the same but for ids and times."""
    file = tmp_path / "out.jsonl"
    await filled.done("export", str(file))
    lines = file.read_text().split("\n")
    file.write_text("\n".join(line for line in lines if "ada@" not in line))
    other = await _elsewhere(directory, filled)

    await other.done("import", str(file))

    first = (await filled.done("export", "--json")).out
    assert _comparable(first) == _comparable((await other.done("export", "--json")).out)
    assert 2 == len(_comparable(first))


async def test_csv_brings_its_columns_to_another_workspace(
    directory: System, filled: Userdir, tmp_path: Path
):
    """The same for CSV, which has no ids: the rows are equal. It tells what has no column."""
    file = tmp_path / "out.csv"
    told = await filled.done("export", str(file))
    kept = _rows(file.read_text())
    with file.open("w", newline="") as out:
        csv_module.writer(out, lineterminator="\n").writerows(kept)
    other = await _elsewhere(directory, filled)

    await other.done("import", str(file))

    columns = ",".join(EXPORTED)
    first, second = [
        _rows((await each.done("export", "--columns", columns)).out) for each in (filled, other)
    ]
    assert first == second
    assert 3 == len(first)
    assert "password" not in kept[0]
    for field in ("addresses", "emails", "ims", "x509_certificates"):
        assert f"1 users have values in {field} that CSV has no column for." in told.err
    assert 4 == told.err.count("no column")


async def test_an_export_says_who_and_what(filled: Userdir, place: Place):
    """Roles, who cannot sign in, columns; standard output with and without a dash."""
    columns = "user_name,manager,emails.work,etag"

    role = await filled.done("export", "--filter-role", "Guest", "--columns", "user_name")
    inactive = await filled.done("export", "-", "--inactive", "--columns", columns)
    fields = await filled.done("export", "--json", "--inactive", "--columns", "name,title")

    assert ["user_name", LIN] == role.out.splitlines()
    assert [columns, f'{GRACE},{LIN},w@example.com,"W/""2"""'] == inactive.out.splitlines()
    assert {"Hopper"} == {user["name"]["family_name"] for user in events(fields.out)}
    assert all("user_name" not in user for user in events(fields.out))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--columns", "password"], "Nobody can read passwords."),
        (["--columns", "userName"], "Do you mean user_name?"),
        (["--columns", "emails"], "Do you mean emails.work"),
        (["--columns", "emails.work", "--json"], "Do you mean emails?"),
        (["people.txt"], "neither .csv nor .jsonl"),
        (["/nowhere/people.csv"], "No such file or directory"),
    ],
)
async def test_what_cannot_be_exported(
    core: Core, before_core: Userdir, arguments: list[str], told: str
):
    """It is refused before anybody is asked for."""
    done = await before_core("export", *arguments, COLUMNS="200")

    assert 2 == done.status
    assert told in done.err
    assert [] == core.asked


async def test_an_export_that_fails_leaves_the_file_as_it_was(
    core: Core, before_core: Userdir, tmp_path: Path
):
    """The file is replaced when the export is complete; nothing else is left."""
    core.replies["ListUsers"] = lambda request: (
        (grpc.StatusCode.INTERNAL, "broken")
        if request.page_token
        else api.ListUsersResponse(users=[User(user_name=GRACE)], next_page_token="2", total_size=2)
    )
    file = csv(tmp_path, "old")

    done = await before_core("export", str(file))

    assert 1 == done.status
    assert "old\n" == file.read_text()
    assert ["people.csv"] == names(tmp_path)


async def test_an_export_waits_for_a_directory_that_is_away(
    core: Core, before_core: Userdir, tmp_path: Path
):
    """The page that was not answered is asked for again, and nobody is there twice."""
    answers = [
        api.ListUsersResponse(users=[User(id="1", user_name=GRACE)], next_page_token="2"),
        *[(grpc.StatusCode.UNAVAILABLE, "away")] * 4,
        api.ListUsersResponse(users=[User(id="2", user_name=LIN)]),
    ]
    core.replies["ListUsers"] = lambda _: answers.pop(0)

    done = await before_core.done("export", "--columns", "user_name")

    assert ["user_name", GRACE, LIN] == done.out.splitlines()
    assert ["", *["2"] * 5] == [call.request.page_token for call in core.asked]
    assert 1 == done.err.count("trying again")


async def test_a_file_is_for_its_owner_alone(filled: Userdir, tmp_path: Path):
    """It is about people."""
    file = tmp_path / "out.jsonl"

    await filled.done("export", str(file))

    assert 0o600 == file.stat().st_mode & 0o777
    assert 3 == len(events(file.read_text()))


@pytest.mark.parametrize(("options", "shown"), [((), True), (("--quiet",), False)])
async def test_people_see_how_far_it_is_and_programs_get_the_lines(
    directory: System, place: Place, filled: Userdir, options: tuple[str, ...], shown: bool
):
    """With a terminal for errors alone there is a bar there, and nothing of it in the lines."""
    terminal, its_end = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clients.cli.main", "export", "--json", *options),
        cwd=ROOT,
        env=os.environ | filled.settings | {"TERM": "xterm"},
        stdout=asyncio.subprocess.PIPE,
        stderr=its_end,
    )
    os.close(its_end)
    out, _ = await process.communicate()
    try:
        seen = os.read(terminal, 100_000)
    except OSError:  # Linux says so where nothing was written
        seen = b""
    os.close(terminal)

    assert 0 == process.returncode
    assert {GRACE, LIN} < {user["user_name"] for user in events(out.decode())}
    assert shown == (b"Exporting" in seen) == (b"3/3" in seen)


async def test_all_pages_are_exported(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """More people than a page has, each once."""
    # Who cannot sign in takes no seat.
    file = csv(tmp_path, "user_name,active", *(f"p{n}@pages.example,no" for n in range(1_100)))
    await userdir.done("import", str(file))

    done = await userdir.done("export", "--columns", "user_name")

    exported = [name for name in done.out.splitlines()[1:] if not name.startswith("ada@")]
    assert sorted(await people(directory, place)) == sorted(exported)
    assert 1_100 == len(exported)
