"""How the texts of the help are made of docstrings."""

import inspect
import re
from collections.abc import Sequence

import typer

EXAMPLES = "\n\nExamples:\n\n"
"""What is between a text and its examples."""


def help_text(docstring: str, examples: Sequence[str] = ()) -> str:
    """Return a docstring with each paragraph on one line, and examples below."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    if not examples:
        return text
    return text + EXAMPLES + "\n".join(f"  {example}" for example in examples)


def noun(summary: str) -> typer.Typer:
    """Return what the commands about one noun belong to."""
    return typer.Typer(help=summary, no_args_is_help=True, add_completion=False)


def verb() -> typer.Typer:
    """Return what a command without a noun belongs to."""
    return typer.Typer(add_completion=False)
