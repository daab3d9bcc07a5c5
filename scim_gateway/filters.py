"""
SCIM filters: text to a tree.

The grammar of RFC 7644 section 3.4.2.2 with its precedence: `not` binds tighter than `and`, `and`
tighter than `or`. Beyond it, because identity providers send it: operators, names and the words
true, false and null in any case; values without quotes; `emails[type eq "work"].value eq "x"`.
"""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from scim_gateway.errors import invalid_filter
from scim_gateway.parsing import check_text
from scim_gateway.remarks import Remarks

MAX_LENGTH = 8192
MAX_DEPTH = 16
MAX_TERMS = 200
# The tests of the contract by operator.
TESTS = {
    "eq": "equal",
    "ne": "not_equal",
    "co": "contains",
    "sw": "starts_with",
    "ew": "ends_with",
    "gt": "greater_than",
    "ge": "at_least",
    "lt": "less_than",
    "le": "at_most",
}
OPERATORS = frozenset(TESTS)

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
      | (?P<mark>[()\[\]])
      | (?P<word>[^\s()\[\]"]+)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
NAME = re.compile(r"[A-Za-z$][\w$:.-]*")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, because `12` may be meant for a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`name operator value`; the operator in lower case."""

    name: str
    operator: str
    value: str | bool | Number | None


@dataclass(frozen=True, slots=True)
class Present:
    """`name pr`."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not (inner)`."""

    inner: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two filters."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of at least two filters."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Element:
    """`name[inner]`: one element of a multi-valued attribute passes the filter."""

    name: str
    inner: "Node"


Node = Compare | Present | Not | And | Or | Element


def parse(text: str, remarks: Remarks) -> Node:
    """
    Return the filter that *text* is.

    Args:
        text: At most 8192 characters, 16 levels of brackets and 200 comparisons.
        remarks: Where is noted what the grammar has not, other than letters in another case.

    Raises:
        ScimError: 400 invalidFilter.
    """
    parser = Parser(text, remarks)
    node = parser.alternatives()
    parser.expect_end()
    return node


class Parser:
    """
    Reads a text from left to right; also the filters in the paths of a PATCH.

    Attributes:
        kind: What the current token is: `string`, `mark`, `word` or `end`.
        current: The current token as it was written.
    """

    def __init__(self, text: str, remarks: Remarks) -> None:
        """Start at the first token of *text*; ScimError if it is too long or has bad characters."""
        if len(text) > MAX_LENGTH:
            raise invalid_filter(f"The filter is longer than {MAX_LENGTH} characters. Shorten it.")
        if not check_text(text):
            raise invalid_filter("The filter has a character that no value has. Leave it out.")
        self._text = text
        self._remarks = remarks
        self._at = 0
        self._depth = 0
        self._terms = 0
        self.next()

    def next(self) -> str:
        """Return the current token and go to the next."""
        token = getattr(self, "current", "")
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.fail("a quote that is not closed")
        self.kind = str(found.lastgroup)
        self.current = found.group(self.kind)
        self._at = found.end()
        return token

    def fail(self, what: str) -> NoReturn:
        """Raise 400 invalidFilter that shows where the text went wrong."""
        near = "".join(c if c.isprintable() else "?" for c in self._text[:64])
        raise invalid_filter(f"The filter `{near}` has {what}. Check it against RFC 7644.")

    def expect_end(self) -> None:
        """Accept nothing more."""
        if self.kind != "end":
            self.fail(f"`{self.current[:32]}` where it should end")

    def expect(self, mark: str) -> None:
        """Accept the token *mark* and go on."""
        if self.current != mark or self.kind != "mark":
            self.fail(f"no `{mark}` where one belongs")
        self.next()

    def at_word(self, word: str) -> bool:
        """Return whether the current token is *word*, in any case."""
        return self.kind == "word" and self.current.lower() == word

    def alternatives(self) -> Node:
        """Read filters joined by `or`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise invalid_filter(f"The filter is deeper than {MAX_DEPTH} levels. Make it flatter.")
        parts = [self._conjunction()]
        while self.at_word("or"):
            self.next()
            parts.append(self._conjunction())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def name(self) -> str:
        """Read an attribute name: `emails.value`, `urn:...:User:department`."""
        if self.kind != "word" or not NAME.fullmatch(self.current):
            self.fail("no attribute name where one belongs")
        return self.next()

    def brackets(self) -> Node:
        """Read a filter in square brackets."""
        self.expect("[")
        inner = self.alternatives()
        self.expect("]")
        return inner

    def _conjunction(self) -> Node:
        parts = [self._term()]
        while self.at_word("and"):
            self.next()
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _term(self) -> Node:
        if self.current == "(":
            return self._group()
        if self.at_word("not"):
            self.next()
            return Not(self._group())
        name = self.name()
        if self.current == "[":
            return self._element(name)
        return self._test(name)

    def _group(self) -> Node:
        self.expect("(")
        inner = self.alternatives()
        self.expect(")")
        return inner

    def _element(self, name: str) -> Node:
        inner = self.brackets()
        part = self._part_behind()
        if part:
            inner = And((inner, self._test(part)))
        return Element(name, inner)

    def _part_behind(self) -> str:
        """
        Read the part that is compared behind the brackets, empty if there is none.

        Witness: entra-test-connection (`emails[type eq "work"].value eq "x"`).
        """
        if self.kind != "word" or not self.current.startswith("."):
            return ""
        part = self.next()[1:]
        if not NAME.fullmatch(part):
            self.fail("no attribute name behind `].`")
        self._remarks.deviates("FILTER", f"`.{part[:64]}` stands behind `]`. Put it inside.")
        return part

    def _test(self, name: str) -> Node:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise invalid_filter(f"The filter has more than {MAX_TERMS} terms. Ask several times.")
        operator = self.next().lower() if self.kind == "word" else ""
        if operator == "pr":
            return Present(name)
        if operator not in OPERATORS:
            self.fail(f"no operator behind `{name[:64]}`")
        return Compare(name, operator, self._value())

    def _value(self) -> str | bool | Number | None:
        if self.kind == "string":
            return self._string()
        if self.kind != "word":
            self.fail("no value where one belongs")
        return self._bare(self.next())

    def _string(self) -> str:
        try:
            value = json.loads(self.next())
        except ValueError:
            self.fail("an escape that JSON has not")
        if not isinstance(value, str) or not check_text(value):
            self.fail("a character in a value that no value has")
        return value

    def _bare(self, word: str) -> str | bool | Number | None:
        """
        Return the value of a word without quotes: what JSON has so, else the word itself as text.

        Witness: authentik-users (`userName eq ak@example.com`), Entra's samples (`externalId eq
        jyoung`, `active eq False`).
        """
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        if _NUMBER.fullmatch(word):
            return Number(word)
        self._remarks.deviates("FILTER", f"The value `{word[:64]}` has no quotes. Add them.")
        return word
