"""What the documents say of links, names, reasons and commands is true."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.errors import reasons
from userdirectory.v1.integration_pb2 import Provider

from core_service.history import RULES
from scim_gateway.errors import RETRY_AFTER, STATUSES
from scim_gateway.names import find
from tests.processes import ROOT, Program
from tests.rules_table import statements

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "clients" / "README.md", *sorted(DOCS.rglob("*.md"))]
GUIDES = sorted((DOCS / "guides").rglob("*.md"))
TROUBLESHOOTING = DOCS / "troubleshooting.md"
LANGUAGES = ("en", "de")
PROVIDERS = [
    value.name.removeprefix("PROVIDER_").lower()
    for value in Provider.DESCRIPTOR.values
    if value.name not in ("PROVIDER_UNSPECIFIED", "PROVIDER_GENERIC")
]
# The second cell of a table's head says whose attributes the table maps.
MAPS: dict[str, Resource] = {
    "SCIM attribute": USER,
    "SCIM-Attribut": USER,
    "SCIM group attribute": GROUP,
    "SCIM-Gruppenattribut": GROUP,
}

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as renderers of Markdown make them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        text = re.sub(r"[^\w\- ]", "", _LINK.sub("", heading).lower()).replace(" ", "-")
        count = sum(re.fullmatch(rf"{re.escape(text)}(-\d+)?", each) is not None for each in found)
        found.add(f"{text}-{count}" if count else text)
    return found


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _mappings(page: Path) -> Iterator[tuple[Resource, str, str]]:
    """Give what a guide maps: the resource, the SCIM attribute and the field."""
    resource = None
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            resource = None
        elif resource is None:
            resource = MAPS.get(_cells(line)[1])
        elif not line.startswith("|---"):
            _, scim, field, _ = _cells(line)
            yield resource, scim.strip("`"), field.strip("`")


def _section(reason: str) -> str:
    """Return what troubleshooting says of a reason; empty if it says nothing."""
    text = TROUBLESHOOTING.read_text(encoding="utf-8")
    found = re.search(rf"^### {reason}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_relative_links_lead_somewhere(page: Path):
    """Every link to a file of ours leads to a file, and to a heading in it."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert [] == broken


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_is_explained(reason: str):
    """Every reason has its section: the status it is answered with, its rule, why, what to do."""
    section = _section(reason)
    status, scim_type = STATUSES[reason]
    head = f"**{status}**" + (f" `{scim_type}`" if scim_type else "")
    head += " with `Retry-After`" if reason in RETRY_AFTER else ""

    assert section.startswith(f"\n{head} · ")
    assert RULES[reason] in section.splitlines()[1]
    assert [] == [part for part in ("**Why.**", "**What to do.**") if part not in section]


def test_no_reason_is_explained_that_does_not_exist():
    """The sections below "The reasons" are the reasons of the contract, in its order."""
    text = TROUBLESHOOTING.read_text(encoding="utf-8")
    explained = re.search(r"^## The reasons\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)

    assert explained is not None
    assert reasons() == re.findall(r"^### (\w+)$", explained[1], re.MULTILINE)


def test_every_provider_has_its_guide():
    """There is a guide for every identity provider of the contract, in every language."""
    expected = [DOCS / "guides" / tag / f"{name}.md" for tag in LANGUAGES for name in PROVIDERS]

    assert sorted(expected) == GUIDES


@pytest.mark.parametrize("page", GUIDES, ids=_named)
def test_mappings_name_attributes_that_exist(page: Path):
    """Each row of a mapping names an attribute of the contract by both of its names."""
    rows = list(_mappings(page))
    wrong = []
    for resource, scim, field in rows:
        attribute = find(resource, re.sub(r"\[.*?\]", "", scim))
        if attribute is None or attribute.path != field or attribute.mutability == "readOnly":
            wrong.append((scim, field))

    assert [] == wrong
    assert {USER.name, GROUP.name} == {resource.name for resource, _, _ in rows}
    assert {"user_name", "name.given_name", "name.family_name", "emails.value"} <= {
        field for _, _, field in rows
    }


@pytest.mark.rule("R-184")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_guides_say_the_same_in_both_languages(provider: str):
    """Both languages have the same headings by level, mappings, lists and code."""
    shapes = []
    for tag in LANGUAGES:
        page = DOCS / "guides" / tag / f"{provider}.md"
        text = page.read_text(encoding="utf-8")
        shapes.append(
            (
                re.findall(r"^(#+) ", text, re.MULTILINE),
                [(scim, field) for _, scim, field in _mappings(page)],
                re.findall(r"^(- |\d+\. |\| )", text, re.MULTILINE),
                _FENCE.findall(text),
            )
        )

    assert shapes[0] == shapes[1]


def test_json_in_the_documents_is_json():
    """What is shown as JSON can be read as JSON."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            json.loads(block)


def test_rules_of_the_identity_provider_point_to_a_guide():
    """Every rule that happens in the identity provider names its dialog or its place in a guide."""
    unproved = [
        rule["rule"]
        for rule in statements()
        if rule["class"] == "I"
        and not re.search(r"\(guides/\w+/\w+\.md(#[^)]+)?\)|dialog: `", rule["guide"])
    ]

    assert [] == unproved


def test_the_commands_of_troubleshooting_work(tmp_path: Path):
    """Every command that troubleshooting shows does its work on a running directory."""
    text = TROUBLESHOOTING.read_text(encoding="utf-8")
    blocks = [block for block in _SHELL.findall(text) if "buf curl" in block]
    with Program(
        "clients.cli.main", "serve", "--http-port=0", "--grpc-port=0", f"--data={tmp_path}"
    ) as program:
        program.wait_for("Ctrl-C stops")
        demo = json.loads((tmp_path / "demo.json").read_text())
        words = {
            "WORKSPACE": "single-role",
            "TRACE_ID": "0" * 31 + "1",
            "ada@example.com": "ada.admin@single-role.example",
        }
        answers: list[dict[str, Any]] = []
        for block in blocks:
            for command in block.split("\n\n"):
                answers.append(_run(command, words, demo))
                for integration in answers[-1].get("integrations", ()):
                    words["INTEGRATION_ID"] = integration["id"]
                    words["TOKEN_ID"] = integration["tokens"][0]["id"]
                for workspace in answers[-1].get("workspaces", ()):
                    if workspace["id"] == words["WORKSPACE"]:
                        words["VERSION"] = workspace["etag"].strip('W/"')

    assert {"integrations", "checks", "user", "token", "secret", "workspaces", "userCount"} <= {
        key for answer in answers for key in answer
    }


def _run(command: str, words: dict[str, str], demo: dict[str, Any]) -> dict[str, Any]:
    """Return what a command answers, with *words* in place of those that readers fill in."""
    for word, value in words.items():
        command = re.sub(rf"\b{re.escape(word)}\b", value, command)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"GRPC": f"http://{demo['grpc']}", "SERVICE": demo["service_token"], "PATH": path}
    done = subprocess.run(
        ["bash", "-euc", command],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
