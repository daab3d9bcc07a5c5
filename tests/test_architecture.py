"""Who may import whom, read from the source: the directions that keep the rooms apart."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

# Every module is read once, in one process.
pytestmark = pytest.mark.xdist_group("architecture")

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "core_service": ROOT / "core_service",
    "scim_gateway": ROOT / "scim_gateway",
    "clients": ROOT / "clients",
    "userdirectory": ROOT / "protos" / "userdirectory",
}
GENERATED = ("_pb2.py", "_pb2_grpc.py")
MOST_LINES = 300

# The command line starts whole systems; these two modules put the parts together.
COMPOSITION = frozenset({"clients.cli.serve", "clients.cli.demo", "clients.cli.verify"})

# What only these modules may import. A name stands for a module and all that lies in it.
CONFINED = {
    "sqlalchemy": ("core_service.storage",),
    "sqlmodel": ("core_service.storage",),
    "alembic": ("core_service.storage",),
    "asyncpg": ("core_service.storage",),
    "sqlite3": ("core_service.storage", "clients.examples"),
    "falcon": ("scim_gateway",),
    "argon2": ("core_service.logins",),
    "prometheus_client": (
        "core_service.metrics",
        "core_service.monitored",
        "scim_gateway.metrics",
        "scim_gateway.monitored",
        "userdirectory.monitoring",
    ),
    "opentelemetry": ("userdirectory.traces",),
    "grpc": (
        "core_service.__main__",
        "core_service.call",
        "core_service.channel",
        "core_service.identity",
        "core_service.server",
        "core_service.service",
        "core_service.settings",
        "core_service.stream_call",
        "userdirectory",
        "clients",
        "scim_gateway",
    ),
}

# What else than themselves and the standard library these may import.
ALLOWED = {
    "core_service.rules": (
        "userdirectory.custom",
        "userdirectory.errors",
        "userdirectory.text",
        "tzlocal",
    ),
    "core_service.changes": (
        "userdirectory",
        "google.protobuf",
        "core_service.custom_values",
        "core_service.elements",
        "core_service.fields",
        "core_service.matching",
        "core_service.patching",
    ),
    "core_service.matching": (
        "userdirectory",
        "google.protobuf",
        "core_service.comparisons",
        "core_service.custom_filters",
        "core_service.fields",
    ),
    "core_service.storage": (
        "userdirectory",
        "google.protobuf",
        "core_service.custom_filters",
        "core_service.fields",
        "core_service.matching",
        "core_service.measures",
        "orjson",
        "sqlalchemy",
        "sqlmodel",
        "alembic",
        "asyncpg",
        "tenacity",
    ),
    "userdirectory": (
        "google",
        "grpc",
        "grpc_status",
        "opentelemetry",
        "prometheus_client",
        "uvicorn",
    ),
}


@dataclass(frozen=True, slots=True)
class Module:
    """
    One source file.

    Attributes:
        imports: What it imports, also inside functions: modules of ours in full, of others as
            they are written.
        at_start: Those of `imports` that are needed to import the module itself.
    """

    name: str
    path: Path
    text: str
    tree: ast.Module
    imports: frozenset[str]
    at_start: frozenset[str]


@cache
def modules() -> dict[str, Module]:
    """Return every module of ours by name, without generated ones."""
    files = {
        _name(package, folder, path): path
        for package, folder in PACKAGES.items()
        for path in sorted(folder.rglob("*.py"))
        if not path.name.endswith(GENERATED)
    }
    return {name: _read(name, path, frozenset(files)) for name, path in files.items()}


def _name(package: str, folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join((package, *parts)).removesuffix(".__init__")


def _read(name: str, path: Path, ours: frozenset[str]) -> Module:
    text = path.read_text()
    tree = ast.parse(text)
    return Module(
        name=name,
        path=path,
        text=text,
        tree=tree,
        imports=frozenset(_imports(ast.walk(tree), ours)),
        at_start=frozenset(_imports(_at_start(tree), ours)),
    )


def _at_start(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _at_start(child)


def _imports(nodes: Iterator[ast.AST], ours: frozenset[str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in ours else str(node.module)


def within(name: str, parents: tuple[str, ...] | frozenset[str]) -> bool:
    """Return whether *name* is one of *parents* or lies in one."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def test_every_module_is_read():
    """The tests below look at something."""
    names = modules().keys()

    assert names >= {
        "core_service.users",
        "core_service.rules.admins",
        "core_service.storage.tables",
        "core_service.service.user_directory",
        "scim_gateway.app",
        "clients.directory",
        "clients.cli.serve",
        "userdirectory.errors",
    }


@pytest.mark.parametrize("library", CONFINED)
def test_a_library_stays_in_its_rooms(library: str):
    """Databases are known to the storage alone, HTTP to the gateway alone, and so on."""
    rooms = CONFINED[library]
    strangers = [
        module.name
        for module in modules().values()
        if any(within(name, (library,)) for name in module.imports)
        and not within(module.name, rooms)
    ]

    assert strangers == []


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_knows_only_what_it_needs(room: str):
    """Rules see values alone; storage sees no use case; the contract sees nothing of ours."""
    known = (room, *ALLOWED[room])
    foreign = {
        f"{module.name} imports {name}"
        for module in modules().values()
        if within(module.name, (room,))
        for name in module.imports
        if not within(name, known) and name.partition(".")[0] not in sys.stdlib_module_names
    }

    assert foreign == set()


def test_clients_and_gateway_do_not_know_the_core():
    """What speaks to the directory knows the contract, never what is behind it."""
    intruders = {
        f"{module.name} imports {name}"
        for module in modules().values()
        if within(module.name, ("scim_gateway", "clients")) and module.name not in COMPOSITION
        for name in module.imports
        if within(name, ("core_service",))
    }

    assert intruders == set()


def test_the_core_does_not_know_its_clients():
    """The core imports neither the gateway nor the clients, so each can be installed alone."""
    intruders = {
        f"{module.name} imports {name}"
        for module in modules().values()
        if within(module.name, ("core_service",))
        for name in module.imports
        if within(name, ("scim_gateway", "clients"))
    }

    assert intruders == set()


def test_use_cases_do_not_know_how_they_are_called():
    """Only what starts a core imports its services and its server."""
    outer = ("core_service.service", "core_service.server", "core_service.channel")
    starters = (*outer, "core_service.__main__", *COMPOSITION)
    intruders = {
        f"{module.name} imports {name}"
        for module in modules().values()
        if not within(module.name, starters)
        for name in module.imports
        if within(name, outer)
    }

    assert intruders == set()


def test_no_modules_of_the_core_import_each_other():
    """The core's modules can be read from the rules upwards, none needs itself."""
    graph = {
        name: {other for other in module.at_start if other in modules() and other != name}
        for name, module in modules().items()
        if within(name, ("core_service",))
    }

    assert _cycle(graph) == []


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names on a cycle in order, none if there is no cycle."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done or name not in graph:
            return []
        for other in sorted(graph[name]):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name, []))), [])


def test_a_cycle_would_be_found():
    """The search above is not blind."""
    assert _cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert _cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_every_module_says_what_it_knows():
    """Every module that holds anything begins with a docstring."""
    silent = [
        module.name
        for module in modules().values()
        if module.text.strip() and not ast.get_docstring(module.tree)
    ]

    assert silent == []


def test_modules_are_short():
    """No module is longer than what one reads in one go."""
    long = {
        module.name: lines
        for module in modules().values()
        if (lines := module.text.count("\n")) > MOST_LINES
    }

    assert long == {}
