"""How a command finds its directory, and what it says when it does not."""

import json
import re
import shlex
from pathlib import Path

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1.workspace_admin_pb2 import GetSeatsResponse

from tests.cli.conftest import TOKEN, Userdir
from tests.gateway.standin import Core
from tests.processes import ROOT, Program, free_port

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def _demo(folder: Path, server: str, token: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    content = {
        "grpc": server,
        "service_token": token,
        "workspaces": {
            "first": {"base_url": "https://scim.example.com/scim/v2", "token": "ud_a"},
            "second": {"base_url": "https://scim.example.com/scim/v2", "token": "ud_b"},
        },
    }
    (folder / "demo.json").write_text(json.dumps(content))
    return {
        "DATA": str(folder),
        "USERDIR_SERVER": "",
        "USERDIR_TOKEN": "",
        "USERDIR_WORKSPACE": "",
    }


async def test_after_serve_the_commands_of_the_readme_work(tmp_path: Path):
    """With the data folder of `userdir serve`, commands need no option to find the directory."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\.venv/bin/userdir (.+)$", text, re.MULTILINE)
    with Program(
        "clients.cli.main", "serve", "--http-port=0", "--grpc-port=0", f"--data={tmp_path}"
    ) as program:
        program.wait_for("Ctrl-C stops")
        userdir = Userdir({"DATA": str(tmp_path)})
        told = [(await userdir.done(*shlex.split(command))).out for command in commands]

    assert 5 == len(told)
    assert all(told)
    assert "lin@example.com" in told[1]


async def test_demo_json_names_the_directory(core: Core, standing, tmp_path: Path):
    """Without options a command speaks to the directory of demo.json, of its first workspace."""
    demo = _demo(tmp_path, standing[1], TOKEN)

    await Userdir(demo).done("seats")

    assert "first" == core.only.request.workspace_id
    assert f"Bearer {TOKEN}" == core.only.metadata["authorization"]


async def test_options_are_stronger_than_the_environment(core: Core, before_core: Userdir):
    """An option that is given counts, whatever the variable says."""
    await before_core.done("seats", "-w", "other", "--token", "ud_other")

    assert "other" == core.only.request.workspace_id
    assert "Bearer ud_other" == core.only.metadata["authorization"]


async def test_a_token_is_shown_to_no_other_directory(core: Core, standing, tmp_path: Path):
    """The token of demo.json is not sent to a server that demo.json does not name."""
    demo = _demo(tmp_path, "127.0.0.1:1", TOKEN)

    done = await Userdir(demo)("seats", "--server", standing[1])

    assert (2, []) == (done.status, core.asked)
    assert "--token" in done.err


async def test_without_a_directory_the_command_says_what_to_give(tmp_path: Path):
    """Nothing named, nothing running: wrong usage, and what to do."""
    done = await Userdir({"DATA": str(tmp_path)})("user", "list")

    assert 2 == done.status
    assert "userdir serve" in done.err


async def test_a_directory_that_is_away_is_another_status(before_core: Userdir):
    """Where nothing listens the status is 3, so that scripts can wait and try again."""
    done = await before_core("seats", "--server", f"127.0.0.1:{free_port()}")

    assert (3, "") == (done.status, done.out)
    assert "The directory does not answer" in done.err


@pytest.mark.parametrize(
    ("reply", "status", "told"),
    [
        (DirectoryError("NO_SEAT", "No seat is free. Buy one."), 1, "Reason: NO_SEAT"),
        (DirectoryError("CREDENTIAL_INVALID", "Unknown. Copy it."), 1, "CREDENTIAL_INVALID"),
        (DirectoryError("STORAGE_UNAVAILABLE", "The database is away. Try again."), 3, "away"),
        ((grpc.StatusCode.INTERNAL, "secret"), 1, "The directory failed: INTERNAL"),
        ((grpc.StatusCode.UNIMPLEMENTED, ""), 1, "older than this command line"),
        ((grpc.StatusCode.UNAVAILABLE, "gone"), 3, "does not answer: gone"),
        ((grpc.StatusCode.DEADLINE_EXCEEDED, "slow"), 3, "does not answer: slow"),
    ],
)
async def test_what_fails_has_its_status(core, before_core, reply, status: int, told: str):
    """Refused is 1, away is 3; what happened is on standard error and nothing on the other."""
    core.replies["GetSeats"] = reply

    done = await before_core("seats")

    assert (status, "") == (done.status, done.out)
    assert told in done.err


async def test_a_refusal_says_what_to_do_next(core: Core, before_core: Userdir):
    """The directory's sentence comes first, then the reason, the trace, and the next command."""
    refusal = DirectoryError("NO_SEAT", "No seat is free. Buy one.", used=5, total=5)
    refusal.trace_id = TRACE
    core.replies["GetSeats"] = refusal

    done = await before_core("seats")

    assert [
        "No seat is free. Buy one.",
        "Reason: NO_SEAT",
        f"Trace:  {TRACE}",
        f"Next:   userdir explain {TRACE}",
    ] == done.err.splitlines()


async def test_reads_are_tried_again(core: Core, before_core: Userdir):
    """A directory that is away for a moment is asked again; a write is not."""
    away = (grpc.StatusCode.UNAVAILABLE, "restarting")
    core.replies["GetSeats"] = lambda _: GetSeatsResponse(used=7) if len(core.asked) > 1 else away
    core.replies["CreateTeam"] = away

    read = await before_core("seats", "--json")
    asked = len(core.asked)
    write = await before_core("team", "add", "Berlin")

    assert ("7", 2) == (read.json["used"], asked)
    assert (3, 3) == (write.status, len(core.asked))


async def test_nothing_that_is_shown_steers_the_terminal(core: Core, before_core: Userdir):
    """Control characters in a value, which anybody may have sent, are shown and not obeyed."""
    core.replies["GetSeats"] = DirectoryError("NO_SEAT", "\x1b[2JNo\u202e seat.")

    done = await before_core("seats")

    assert "\\x1b[2JNo\\u202e seat." == done.err.splitlines()[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("seats", "--cert", "client.pem"),
        ("seats", "--ca", "/no/such/file"),
        ("seats", "--token", "two words"),
        ("nosuch",),
        ("user", "nosuch"),
        ("user", "list", "--nosuch"),
        ("integration", "create", "--provider", "nosuch"),
        ("log", "--since", "yesterday"),
        ("log", "--reason", "NOSUCH"),
        ("log", "--refused", "--done"),
        ("integration", "rotate", "--overlap", "1 hour"),
        ("workspace", "policy", "--set", "nosuch=1"),
        ("workspace", "policy", "--set", "on_existing"),
        ("workspace", "policy", "--set", "on_existing=nosuch"),
        ("workspace", "policy", "--set", "max_users=many"),
        ("workspace", "policy", "--set", "group_names_unique=perhaps"),
        ("workspace", "policy", "--unset", "nosuch"),
        ("workspace", "update"),
        ("user", "list", "--deleted", "--inactive"),
        ("credential", "create", "--scope", "users.read", "--all-workspaces"),
        ("setup-guide", "okta", "--language", "fr"),
    ],
)
async def test_wrong_usage_writes_nothing(core: Core, before_core: Userdir, arguments):
    """What is typed wrongly has the status 2, says so, and asks the directory for no write."""
    done = await before_core(*arguments)

    assert (2, "") == (done.status, done.out)
    assert "Error" in done.err
    assert {call.method for call in core.asked} <= {"ListIntegrations"}


async def test_the_version_is_told(before_core: Userdir):
    """`--version` prints name and version."""
    done = await before_core.done("--version")

    assert done.out.startswith("userdir ")
