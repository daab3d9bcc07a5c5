"""The examples of the client, run as people run them against a directory on each database."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from userdirectory.errors import reasons
from userdirectory.v1 import policy_pb2
from userdirectory.v1.role_pb2 import ROLE_KIND_ADMIN, Role
from userdirectory.v1.user_pb2 import Email, Name, User
from userdirectory.v1.workspace_admin_pb2 import CreateRoleRequest, UpdatePolicyRequest
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients.directory import AsyncDirectory
from clients.examples.make_admin import ADVICE
from tests.contract.conftest import bearer
from tests.processes import ROOT, free_port
from tests.system import System
from tests.workspaces import Place, new_place

EXAMPLES = sorted((ROOT / "clients" / "examples").glob("[fm]*.py"))


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program came to."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class House:
    """A workspace and whoever runs programs in it."""

    place: Place
    client: AsyncDirectory
    admin: Any
    environment: dict[str, str]

    async def start(self, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        """Start `python ARGUMENTS`."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env=os.environ | self.environment | settings,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    async def run(self, *arguments: str, told: str = "", **settings: str) -> Ended:
        """Run `python ARGUMENTS`, tell it something, and return what it came to."""
        return await ended(await self.start(*arguments, **settings), told)

    async def administer(self, method: str, request: Any) -> None:
        """Have the workspace's administration do something."""
        request.workspace_id = self.place.workspace_id
        metadata = bearer(self.environment["USERDIR_TOKEN"])
        await getattr(self.admin, method)(request, metadata=metadata)

    async def add(self, name: str, mail: str = "") -> User:
        """Return a new user."""
        user = User(
            user_name=f"{name}@{self.place.workspace_id}.example",
            name=Name(given_name=name.title(), family_name="Tester"),
            emails=[Email(value=mail, type="work")] if mail else [],
        )
        return (await self.client.create_user(user)).user


async def ended(program: asyncio.subprocess.Process, told: str = "") -> Ended:
    """Return what a program comes to when it has been told something."""
    out, err = await asyncio.wait_for(program.communicate(told.encode()), 30)
    assert b"Traceback" not in err, err.decode()
    return Ended(program.returncode or 0, out.decode(), err.decode())


async def house_in(directory: System, preset: policy_pb2.Preset) -> House:
    """Return a fresh workspace, where a product runs the programs."""
    place = await new_place(directory.core, preset)
    token = directory.service_token
    return House(
        place,
        AsyncDirectory(directory.process, token, workspace_id=place.workspace_id),
        WorkspaceAdminStub(directory.process),
        {
            "USERDIR_SERVER": directory.address,
            "USERDIR_TOKEN": token,
            "USERDIR_WORKSPACE": place.workspace_id,
        },
    )


@pytest.fixture
async def house(directory: System) -> House:
    return await house_in(directory, policy_pb2.PRESET_SINGLE_ROLE)


def find(*arguments: str) -> tuple[str, ...]:
    return ("-m", "clients.examples.find_people", *arguments)


def make(*arguments: str) -> tuple[str, ...]:
    return ("-m", "clients.examples.make_admin", *arguments)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_explains_itself_and_is_short(house, example):
    """`--help` names the options and variables; each can be read in a few minutes."""
    found = await house.run("-m", f"clients.examples.{example.stem}", "--help")

    assert found.status == 0
    for name in ("SERVER", "TOKEN", "WORKSPACE"):
        assert f"--{name.lower()}" in found.out
        assert f"USERDIR_{name}" in found.out
    assert len(example.read_text().splitlines()) < (200 if example.stem == "mirror" else 80)


async def test_people_are_found_by_their_addresses(house):
    """By the name they sign in with and by an e-mail, in any case, in the order asked."""
    grace, mary = await house.add("grace", "hopper@example.com"), await house.add("mary")
    await house.client.update_user(User(id=mary.id, active=False), "active")
    found = await house.run(*find(mary.user_name.upper(), "Hopper@Example.com"))

    assert found.out.splitlines() == [
        f"{mary.id}\tMary Tester\tMember\tinactive",
        f"{grace.id}\tGrace Tester\tMember\tactive",
    ]
    assert (found.status, found.err) == (0, "")


async def test_many_addresses_come_on_standard_input(house):
    """More than one call's worth; who is missing is told, and the status says so."""
    grace = await house.add("grace")
    lines = [f"nobody{number}@example.com" for number in range(150)]
    found = await house.run(*find(), told="\n".join([*lines, "", f" {grace.user_name} "]))

    assert found.out.startswith(grace.id)
    assert found.err.splitlines() == [f"Nobody has the address {line}." for line in lines]
    assert found.status == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"USERDIR_TOKEN": ""}, "--token"),
        ({"USERDIR_TOKEN": "a b"}, "visible ASCII"),
        ({"USERDIR_TOKEN": "ud_x"}, "CREDENTIAL_INVALID"),
        ({"USERDIR_SERVER": f"127.0.0.1:{free_port()}"}, "UNAVAILABLE"),
    ],
)
async def test_what_is_missing_is_said_in_a_sentence(house, settings, told):
    """A wrong credential, a server that is away: no traceback, and a status."""
    for example in (find("a@example.com"), make("a@example.com")):
        found = await house.run(*example, **settings)

        assert found.status != 0
        assert told in found.err


async def test_somebody_becomes_admin(house):
    """The program shows who it is, asks, and changes the role; the second time there is nothing."""
    grace = await house.add("grace")
    found = await house.run(*make(grace.user_name), told="y\n")
    again = await house.run(*make(grace.user_name, "--yes"))

    assert found.out.startswith(f"Grace Tester <{grace.user_name}>, active, Member\n")
    assert (found.status, found.out.splitlines()[-1].endswith("Done: Admin.")) == (0, True)
    assert (await house.client.get_user(grace.id)).role_id == house.place.roles["Admin"]
    assert (again.status, again.err) == (1, "This is an Admin already.\n")


@pytest.mark.parametrize("told", ["n\n", "\n", ""])
async def test_without_consent_nothing_changes(house, told):
    """No, Enter and the end of the input all mean no."""
    grace = await house.add("grace")
    found = await house.run(*make(grace.user_name), told=told)

    assert found.status == 1
    assert "Nothing was changed." in found.err
    assert await house.client.get_user(grace.id) == grace


async def test_whoever_was_changed_meanwhile_is_looked_at_again(house):
    """A change between the look and the answer is not overwritten: ETAG_MISMATCH."""
    grace = await house.add("grace")
    program = await house.start(*make(grace.user_name))
    await asyncio.wait_for(program.stdout.readuntil(b"[y/N]"), 30)
    await house.client.set_role(grace.id, "Manager")
    found = await ended(program, "y\n")

    assert found.status == 1
    assert found.err.startswith("ETAG_MISMATCH")
    assert ADVICE["ETAG_MISMATCH"] in found.err
    assert (await house.client.get_user(grace.id)).role_id == house.place.roles["Manager"]


async def test_an_ambiguous_person_is_refused(house):
    """Two people with one e-mail, and nobody: the program says so and changes nothing."""
    users = [await house.add(name, "office@example.com") for name in ("grace", "mary")]
    both = await house.run(*make("office@example.com", "--yes"))
    nobody = await house.run(*make("nobody@example.com", "--yes"))

    assert (both.status, nobody.status) == (1, 1)
    assert all(user.id in both.err for user in users)
    assert nobody.err.startswith("0 people")
    assert [await house.client.get_user(user.id) for user in users] == users


async def test_an_ambiguous_role_is_refused(house):
    """Where there are two roles of admins, the program asks which; a name chooses."""
    grace = await house.add("grace")
    owner = Role(name="Owner", kind=ROLE_KIND_ADMIN)
    await house.administer("CreateRole", CreateRoleRequest(role=owner))
    unclear = await house.run(*make(grace.user_name, "--yes"))
    unknown = await house.run(*make(grace.user_name, "--yes", "--role", "Member"))
    clear = await house.run(*make(grace.user_name, "--yes", "--role", "Owner"))

    assert unclear.err == unknown.err
    assert "--role" in unclear.err
    assert "Admin, Owner" in unclear.err
    assert (unclear.status, unknown.status, clear.status) == (1, 1, 0)


async def test_a_locked_admin_role_is_explained(house):
    """Where the product alone makes admins, an integration's credential cannot: what to do."""
    grace = await house.add("grace")
    locked = policy_pb2.Policy(admin_role=policy_pb2.ADMIN_ROLE_PRODUCT_ONLY)
    await house.administer(
        "UpdatePolicy", UpdatePolicyRequest(policy=locked, update_mask={"paths": ["admin_role"]})
    )
    found = await house.run(*make(grace.user_name, "--yes"), USERDIR_TOKEN=house.place.token)

    assert found.status == 1
    assert found.err.startswith("ADMIN_ROLE_LOCKED")
    assert ADVICE["ADMIN_ROLE_LOCKED"] in found.err


async def test_a_wish_that_is_ignored_is_not_called_done(directory):
    """Where an integration has no say in roles, the program tells what the directory told it."""
    house = await house_in(directory, policy_pb2.PRESET_GROUP_MIRROR)
    grace = await house.add("grace")
    found = await house.run(*make(grace.user_name, "--yes"), USERDIR_TOKEN=house.place.token)

    assert found.status == 1
    assert "workplace.user_role" in found.err
    assert "Done" not in found.out
    assert (await house.client.get_user(grace.id)).role_id == grace.role_id


def test_advice_is_about_reasons_that_there_are():
    """Each key is a reason of the contract, or how some of them end."""
    assert [key for key in ADVICE if not any(each.endswith(key) for each in reasons())] == []


async def test_the_lines_of_the_page_run(house):
    """The code in the client's README does what it says, as it stands there."""
    page = (ROOT / "clients" / "README.md").read_text()
    code = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(code) == 1
    found = await house.run("-c", code[0])

    assert (found.status, found.err) == (0, "")
    assert "grace@example.com Member" in found.out
    assert found.out.splitlines()[-1].startswith("NAME_UNKNOWN")
