"""Integrations and their tokens from the command line."""

import asyncio

from tests.cli.conftest import Userdir
from tests.scim import Scim
from tests.system import System


async def _status(directory: System, token: str) -> int:
    """Return what SCIM answers to a token."""

    def ask() -> int:
        with Scim(directory.base_url, token) as client:
            return client.get("/Users?count=0").status

    return await asyncio.to_thread(ask)


async def test_a_token_is_shown_once_and_works(directory: System, userdir: Userdir):
    """The token is alone on standard output, what it is for is beside; no list has it."""
    done = await userdir.done("integration", "create", "--provider", "okta", "--label", "Okta")
    token = done.out.removesuffix("\n")
    listed = await userdir.done("integration", "list", "--json")

    assert token.startswith("ud_")
    assert "\n" not in token
    assert "It is shown only now and cannot be shown again" in done.err
    assert 200 == await _status(directory, token)
    assert token not in listed.out
    assert "PROVIDER_OKTA" == listed.json["integrations"][-1]["provider"]


async def test_integrations_are_listed(userdir: Userdir):
    """The table has a line for each, with its state."""
    await userdir.done("integration", "create", "--provider", "entra", "--label", "Entra")
    await userdir.done("integration", "disable", "Entra", "--yes")

    rows = (await userdir.done("integration", "list")).rows

    assert [["generic", "Tests", "on", "1"], ["entra", "Entra", "off", "1"]] == [
        row[1:] for row in rows
    ]


async def test_the_only_integration_need_not_be_named(directory: System, userdir: Userdir):
    """With one integration its name can be left out; with two it must be given."""
    token = (await userdir.done("integration", "rotate", "--overlap", "0")).out.strip()
    await userdir.done("integration", "create", "--label", "Second")
    many = await userdir("integration", "rotate")
    wrong = await userdir("integration", "rotate", "Third")

    assert 200 == await _status(directory, token)
    assert (2, 2) == (many.status, wrong.status)
    assert "2 integrations are meant" in many.err
    assert "None is called 'Third'" in wrong.err


async def test_old_tokens_end_after_the_overlap(directory: System, place, userdir: Userdir):
    """Within the overlap both tokens are good; without one the old one ends at once."""
    second = (await userdir.done("integration", "rotate", "--overlap", "1h")).out.strip()
    both = await _status(directory, place.token), await _status(directory, second)
    third = (await userdir.done("integration", "rotate", "--overlap", "0")).out.strip()

    assert (200, 200) == both
    assert 200 == await _status(directory, third)
    listed = (await userdir.done("integration", "list", "--json")).json["integrations"][0]
    ends = {token["id"]: token.get("expire_time") for token in listed["tokens"]}
    assert ends[third.split("_")[1]] is None


async def test_a_token_is_revoked_by_its_text(directory: System, place, userdir: Userdir):
    """A token that leaked is ended with itself in hand; one of nobody is wrong usage."""
    done = await userdir.done("integration", "revoke", place.token, "--yes")
    again = await userdir("integration", "revoke", "0123456789abcdef", "--yes")

    assert place.token not in done.out
    listed = (await userdir.done("integration", "list", "--json")).json["integrations"]
    assert [] == listed[0]["tokens"]
    assert 2 == again.status


async def test_a_check_that_fails_is_a_finding(userdir: Userdir):
    """What is to be mended is told with the remedy, and the status is 1."""
    await userdir.done("integration", "disable", "--yes")

    done = await userdir("integration", "check")
    printed = await userdir("integration", "check", "--json")

    assert (1, 1) == (done.status, printed.status)
    assert any(line.startswith("no") and "enabled" in line for line in done.out.splitlines())
    failed = [check for check in printed.json["checks"] if not check["passed"]]
    assert "enabled" in [check["name"] for check in failed]
    assert all(check["remedy"] for check in failed)


async def test_a_check_without_findings_is_done(directory: System, place, userdir: Userdir):
    """Once the provider has asked, everything is right."""
    assert 200 == await _status(directory, place.token)

    done = await userdir("integration", "check")

    assert 0 == done.status, done.out


async def test_an_integration_is_switched_and_deleted(directory: System, place, userdir: Userdir):
    """Off it answers nobody, on it does; deleted it is gone from the list."""
    await userdir.done("integration", "disable", "--yes")
    await userdir.done("integration", "enable")
    kept = await userdir("integration", "delete", stdin="n\n")
    await userdir.done("integration", "delete", "Tests", "--yes")

    listed = await userdir.done("integration", "list")

    assert (1, "") == (kept.status, listed.out)
    assert "userdir integration create" in listed.err
