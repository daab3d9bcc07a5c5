"""The help teaches, is true, and comes quickly."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer
from google.protobuf.descriptor import EnumDescriptor
from userdirectory.v1.integration_pb2 import Provider
from userdirectory.v1.policy_pb2 import Preset
from userdirectory.v1.role_pb2 import RoleKind
from userdirectory.v1.workspace_pb2 import Plan, SignOn

from clients.cli import integration, role, setup_guide, workspace
from clients.cli.guides import _WORDS
from clients.cli.main import COMMANDS, app, load
from clients.cli.reference import reference
from clients.cli.values import words
from tests.processes import ROOT

WIDTH = 78


def _commands() -> Iterator[tuple[str, Any]]:
    """Give every command with what to type for it."""
    for name in COMMANDS:
        command = load(name)
        for verb, each in getattr(command, "commands", {}).items():
            yield f"{name} {verb}", each
        if not hasattr(command, "commands"):
            yield name, command


ALL = dict(_commands())


def _examples(command: Any) -> list[str]:
    return [line.strip() for line in command.help.splitlines() if line.startswith("  ")]


def test_all_commands_are_looked_at():
    """The tests below see the commands of nouns, those without a noun, and those of two nouns."""
    assert {"user list", "workspace policy", "explain", "region add", "serve"} <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_a_command_is_a_sentence_and_examples(name: str):
    """Every command says in a line what it does, and shows how, in lines that fit a terminal."""
    summary = ALL[name].help.split("\n\n")[0]
    examples = _examples(ALL[name])

    assert summary.endswith(".")
    assert "\n" not in summary
    assert 1 <= len(examples)
    assert all(line.startswith(f"userdir {name}") for line in examples)
    assert all(len(line) <= WIDTH for line in examples)


@pytest.mark.parametrize("name", ALL)
def test_the_examples_of_the_help_can_be_typed(name: str):
    """Every example is taken by the command it is for, with values that fit."""
    for example in _examples(ALL[name]):
        command: Any = typer.main.get_command(app)
        words_ = shlex.split(example)[1:]
        context = command.make_context("userdir", list(words_))
        while hasattr(command, "resolve_command"):
            rest = [*context._protected_args, *context.args]
            verb, command, rest = command.resolve_command(context, rest)
            context = command.make_context(verb, rest, parent=context)

        assert ALL[name].name == command.name


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_explained(name: str):
    """No option or argument of a command is without a word on it."""
    assert [] == [
        each.name for each in ALL[name].params if each.name != "help" and not (each.help or "")
    ]


def test_the_reference_is_made_of_the_help():
    """docs/userdir.md is what `python -m clients.cli.reference` prints."""
    written = (ROOT / "docs" / "userdir.md").read_text(encoding="utf-8")

    assert reference() == written


@pytest.mark.parametrize(
    ("offered", "enum"),
    [
        (workspace.PresetWord, Preset.DESCRIPTOR),
        (workspace.PlanWord, Plan.DESCRIPTOR),
        (workspace.SignOnWord, SignOn.DESCRIPTOR),
        (role.Kind, RoleKind.DESCRIPTOR),
        (integration.ProviderWord, Provider.DESCRIPTOR),
    ],
)
def test_the_words_are_those_of_the_contract(offered: Any, enum: EnumDescriptor):
    """What an option offers is what the contract has."""
    assert words(enum) == list(get_args(offered))


def test_there_is_a_guide_for_every_provider_and_language_on_offer():
    """What `setup-guide` offers is there, and in the words it fills in."""
    for language in get_args(setup_guide.Language):
        assert language in _WORDS
        for provider in get_args(setup_guide.ProviderWord):
            assert (ROOT / "docs" / "guides" / language / f"{provider}.md").is_file()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", {"user", "workspace", "setup-guide", "verify"}),
        ("integration", {"create", "rotate", "check"}),
        ("integration create --provider", {"okta", "entra", "onelogin", "generic"}),
        ("workspace create acme --preset", {"single-role", "strict-rfc"}),
        ("workspace policy --set", {"on_existing=", "max_users="}),
        ("workspace policy --unset", {"on_existing", "max_users"}),
        ("credential create --scope", {"users.read", "*"}),
        ("setup-guide okta --language", {"en", "de"}),
        ("log --reason", {"LAST_ADMIN", "NO_SEAT"}),
    ],
)
def test_the_shell_completes(typed: str, offered: set[str]):
    """The completion that `--install-completion` sets up knows commands and their values."""
    words_ = ["userdir", *typed.split(), ""]
    done = subprocess.run(
        [sys.executable, "-m", "clients.cli.main"],
        cwd=ROOT,
        env=os.environ
        | {
            "_USERDIR_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words_),
            "COMP_CWORD": str(len(words_) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert offered <= set(done.stdout.split())


def test_the_help_tells_the_exit_statuses_and_comes_quickly():
    """`userdir --help` has all commands and exit statuses, and needs none of the servers' parts."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "clients.cli.main", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - began

    assert all(name in done.stdout for name in COMMANDS)
    assert all(status in done.stdout for status in ("0  done", "1  refused", "2  wrong", "3  the"))
    assert not [
        line for line in done.stderr.splitlines() if line.endswith(("| grpc", "| core_service"))
    ]
    # 0.15 seconds on a machine of two cores; this leaves room for one that is busy.
    assert seconds < 2


def test_a_command_does_not_import_the_servers():
    """A simple command has imported nothing of the core, the gateway, or their libraries."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from clients.cli.main import load; load('user');"
            "print([n for n in sys.modules if n.split('.')[0] in"
            " ('core_service', 'scim_gateway', 'sqlalchemy', 'falcon', 'uvicorn')])",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "[]\n" == done.stdout
