"""
What a method of the clients is made of: calls to make one after another, and what they come to.

Each method is written once, in `clients.users` and `clients.groups`, as a function that makes no
call itself. `Directory` makes the calls and waits for them, `AsyncDirectory` awaits them.
"""

import functools
import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, get_args

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

MOST_IDS = 1000
"""How many ids one call may ask for."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of the directory.

    Attributes:
        request: Names the RPC by its type, `GetUserRequest`.
        key: Names a write, so that it can be sent again; empty stands for a new name, None for
            none. A read has none and needs none.
    """

    request: Message
    key: str | None = None


Steps: TypeAlias = Generator[Call, Any, T]
"""Calls, each answered before the next one is made, and in the end a result."""


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """
    A listing, page by page.

    Attributes:
        request: Asks for the first page; its `page_token` leads to the others.
        field: Where a page has its items.
    """

    request: Any
    field: str


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """
    What is told for ever, one after the other.

    Attributes:
        request: Asks for it; moved on by what is told.
    """

    request: Any


def mask(*fields: str) -> FieldMask | None:
    """Return the mask of *fields*, None (unset) if there are none."""
    return FieldMask(paths=fields) if fields else None


def presented_as(written: Callable[..., Any], returned: Any = None) -> Callable[[F], F]:
    """
    Return what gives a method the name, the docstring and the parameters of what it is made of.

    Args:
        written: A function that returns Steps, Pages or a Stream.
        returned: What the method returns instead of Pages or a Stream, such as `Iterator`; None:
            the result itself.
    """
    signature = inspect.signature(written)
    result = get_args(signature.return_annotation)[-1]
    shown = signature.replace(
        parameters=[
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
            *signature.parameters.values(),
        ],
        return_annotation=returned[result] if returned else result,
    )

    def present(method: F) -> F:
        functools.update_wrapper(method, written)
        method.__signature__ = shown  # type: ignore[attr-defined]
        return method

    return present
