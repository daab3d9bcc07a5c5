"""
The reference of the commands, made of their help: `python -m clients.cli.reference`.

It prints docs/userdir.md; a test compares the two.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

import typer

from clients.cli.main import COMMANDS, app, load
from clients.cli.texts import EXAMPLES

_FIRST = "Every command that speaks to the directory takes these options as well:"


def reference() -> str:
    """Return the reference as Markdown."""
    shared: dict[str, str] = {}
    commands = [
        _section(title, command, shared) for name in COMMANDS for title, command in _verbs(name)
    ]
    head = ["# The command `userdir`", _prose(str(typer.main.get_command(app).help)), _FIRST]
    return "\n\n".join([*head, _table(shared), *commands]) + "\n"


def _verbs(name: str) -> Iterator[tuple[str, Any]]:
    command = load(name)
    for verb, each in getattr(command, "commands", {"": command}).items():
        yield f"{name} {verb}".strip(), each


def _section(title: str, command: Any, shared: dict[str, str]) -> str:
    """Return what is to be known of a command; the options of every command go to *shared*."""
    text, _, examples = command.help.partition(EXAMPLES)
    own: dict[str, str] = {}
    for each in command.params:
        common = getattr(each, "rich_help_panel", None) or "--json" in each.opts
        if each.name != "help":
            (shared if common else own)[_written(each)] = _meaning(each)
    shown = "\n".join(line.strip() for line in examples.strip().splitlines())
    parts = [f"## userdir {title}", text, _table(own), f"```\n{shown}\n```"]
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    """Return a text in which indented lines are code."""
    return "\n".join(f"  {line}" if line.startswith("  ") else line for line in text.splitlines())


def _table(rows: dict[str, str]) -> str:
    lines = [f"| {written} | {meaning} |" for written, meaning in rows.items()]
    return "\n".join(["| Option | What |", "|---|---|", *lines]) if rows else ""


def _written(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{(parameter.metavar or parameter.name).upper()}`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


def _meaning(parameter: Any) -> str:
    parts = [str(parameter.help)]
    choices = [each for each in _choices(parameter.type_descriptor.annotation) if each]
    if choices:
        parts.append(f"One of {', '.join(f'`{choice}`' for choice in choices)}.")
    if parameter.default and parameter.show_default:
        parts.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        parts.append(f"Variable: `{parameter.envvar}`.")
    if parameter.required:
        parts.append("Required.")
    return " ".join(parts).replace("|", r"\|")


def _choices(annotation: Any) -> Sequence[str]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


if __name__ == "__main__":
    print(reference(), end="")
