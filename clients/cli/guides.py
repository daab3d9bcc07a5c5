"""The set-up guides, with the values of one workspace filled in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import clients

_PACKAGE = Path(clients.__file__).parent
# In an installation, and in a checkout.
_FOLDERS = (_PACKAGE / "guides", _PACKAGE.parent / "docs" / "guides")
_URL = re.compile(r"`https://HOST/scim/v2(/[^`]*)?`(, where `HOST` is [^.]*|; `HOST` ist [^.]*)?")
_TRANSLATION = re.compile(r"\[([^\]]*)\]\(\.\./(\w+)/(\w+)\.md\)")
_RELATIVE = re.compile(r"\[([^\]]*)\]\(\.\.[^)]*\)")

_WORDS = {
    "en": {
        "title": "Your workspace",
        "head": "| What | Value |",
        "workspace": "Workspace",
        "preset": "Preset",
        "url": "Base URL",
        "roles": "Roles that provisioning can give",
        "default": "Role of who comes without one",
        "teams": "Teams",
        "regions": "Absence regions",
        "languages": "Languages",
        "any": "any",
        "none": "none",
        "here": "Here:",
        "own": "an attribute of your own",
        "kept": "An attribute of this workspace.",
    },
    "de": {
        "title": "Ihr Workspace",
        "head": "| Was | Wert |",
        "workspace": "Workspace",
        "preset": "Preset",
        "url": "Basis-URL",
        "roles": "Rollen, die die Provisionierung vergeben kann",
        "default": "Rolle für alle, die ohne Rolle kommen",
        "teams": "Teams",
        "regions": "Abwesenheitsregionen",
        "languages": "Sprachen",
        "any": "alle",
        "none": "keine",
        "here": "Hier:",
        "own": "ein eigenes Attribut",
        "kept": "Ein Attribut dieses Workspaces.",
    },
}


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What a guide says of one workspace.

    Attributes:
        base_url: Where SCIM is; empty leaves the guide's `https://HOST/scim/v2`.
        roles: The roles that provisioning can give, by rank; none where it gives no roles.
        default_role: The role of users who come without one.
        languages: Those the product speaks; none means any.
        attributes: What the workspace adds to its users: the SCIM path, and what it is.
    """

    workspace: str
    preset: str
    base_url: str
    roles: Sequence[str]
    default_role: str
    teams: Sequence[str]
    regions: Sequence[str]
    languages: Sequence[str]
    attributes: Sequence[tuple[str, str]]


def filled(provider: str, language: str, facts: Facts) -> str:
    """Return the guide for a provider in a language, as Markdown with *facts* in it."""
    text = _read(provider, language)
    if facts.base_url:
        text = _URL.sub(lambda found: f"`{facts.base_url}{found[1] or ''}`", text)
    # What the links lead to is not here.
    text = _TRANSLATION.sub(r"\1: `userdir setup-guide \3 --language \2`", text)
    text = _RELATIVE.sub(r"\1", text)
    first, heading, rest = text.partition("\n## ")
    return f"{first}{_values(language, facts)}{heading}{_mapped(rest, language, facts)}"


def _read(provider: str, language: str) -> str:
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return (folder / language / f"{provider}.md").read_text(encoding="utf-8")


def _values(language: str, facts: Facts) -> str:
    words = _WORDS[language]
    rows = [
        (words["workspace"], _code(facts.workspace)),
        (words["preset"], _code(facts.preset)),
        (words["url"], _code(facts.base_url or "https://HOST/scim/v2")),
        (words["roles"], _names(facts.roles, words["none"])),
        (words["default"], _code(facts.default_role)),
        (words["teams"], _names(facts.teams, words["none"])),
        (words["regions"], _names(facts.regions, words["none"])),
        (words["languages"], _names(facts.languages, words["any"])),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"\n## {words['title']}\n\n{words['head']}\n|---|---|\n{table}\n"


def _mapped(text: str, language: str, facts: Facts) -> str:
    """Return the guide with the workspace's names in the rows of the mapping, and own rows."""
    words = _WORDS[language]
    names = {
        ":userRole`": facts.roles,
        ":teams`": facts.teams,
        ":absenceRegion`": facts.regions,
    }
    lines = []
    for line in text.splitlines():
        end = next((end for end in names if line.startswith("|") and f"{end} |" in line), "")
        if end and names[end]:
            line = f"{line.removesuffix('|')}{words['here']} {_names(names[end], '')}. |"
        lines.append(line)
        if end == ":absenceRegion`":
            lines += [
                f"| {words['own']} | {_code(path)} | `custom` | {meaning or words['kept']} |"
                for path, meaning in facts.attributes
            ]
    return "\n".join(lines) + "\n"


def _names(names: Sequence[str], none: str) -> str:
    return ", ".join(map(_code, names)) or none


def _code(text: str) -> str:
    """Return a value as code in a cell of a table."""
    text = text.replace("|", r"\|")
    return f"``{text}``" if "`" in text else f"`{text}`"
