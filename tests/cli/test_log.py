"""The log and the failures from the command line."""

import asyncio
import json
import signal

from tests.cli.conftest import Userdir
from tests.processes import Program
from tests.scim import Scim
from tests.system import System
from tests.workspaces import Place


def _refused(directory: System, place: Place) -> None:
    """Have an identity provider try to deactivate the last admin."""
    with Scim(directory.base_url, place.token) as client:
        change = {"op": "replace", "path": "active", "value": False}
        assert client.patch(f"/Users/{place.admin_id}", change).status == 403


async def test_the_log_ends_with_what_was_last(userdir: Userdir):
    """Each entry tells what and when, about whom, what changed, and the trace id."""
    await userdir.done("user", "create", "grace@example.com")
    await userdir.done("user", "set-role", "grace@example.com", "Manager")

    done = await userdir.done("log", "--limit", "2")
    printed = (await userdir.done("log", "--limit", "2", "--json")).json["entries"]

    heads = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert ["CreateUser  done", "UpdateUser  done"] == [head.split("  ", 1)[1] for head in heads]
    assert ["UpdateUser", "CreateUser"] == [entry["operation"] for entry in printed]
    assert all(f"trace {entry['trace_id']}" in done.out for entry in printed)
    assert 'user_name: nothing -> "grace@example.com"' in done.out


async def test_the_log_of_a_user_is_theirs(userdir: Userdir, place: Place):
    """`--user` takes a name and leaves what is about that user."""
    await userdir.done("user", "create", "grace@example.com")
    await userdir.done("user", "create", "lin@example.com")

    entries = (await userdir.done("log", "--user", "lin@example.com", "--json")).json["entries"]
    none = await userdir.done("log", "--user", "lin@example.com", "--since", "2100-01-01")

    assert ["CreateUser"] == [entry["operation"] for entry in entries]
    assert ("", "Nothing is in the log that passes.") == (none.out, none.err.strip())


async def test_failures_are_counted_by_reason(directory: System, place: Place, userdir: Userdir):
    """What providers were refused is told by reason, with the users and the next command."""
    none = await userdir.done("failures")
    await asyncio.to_thread(_refused, directory, place)

    done = await userdir.done("failures", "--since", "1h")
    failure = (await userdir.done("failures", "--json")).json["failures"][0]

    assert ("", "Nothing was refused since 24h.") == (none.out, none.err.strip())
    assert "1 x LAST_ADMIN, rule R-150" in done.out
    assert place.admin_id in done.out
    assert f"userdir explain {failure['last_trace_id']}" in done.out
    assert ("ERROR_REASON_LAST_ADMIN", "1") == (failure["reason"], failure["count"])


async def test_following_prints_what_comes_until_it_is_stopped(userdir: Userdir):
    """`log --follow --json` prints one object a line, each entry once; Ctrl-C ends it with 0."""
    arguments = ("log", "--follow", "--json", "--limit", "1")
    with Program("clients.cli.main", *arguments, settings=userdir.settings) as program:
        await asyncio.to_thread(program.wait_for, '"operation"')
        await userdir.done("user", "create", "grace@example.com")
        await userdir.done("team", "add", "Berlin")
        await asyncio.to_thread(program.wait_for, '"CreateTeam"')
        program.signal(signal.SIGINT)
        status = await asyncio.to_thread(program.ended)
        lines = [json.loads(line) for line in program.output.splitlines()]

    assert 0 == status
    assert ["CreateUser", "CreateTeam"] == [line["operation"] for line in lines[1:]]
    assert sorted({line["sequence"] for line in lines}) == [line["sequence"] for line in lines]
