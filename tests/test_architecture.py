"""Imports go one way, and each library is imported by a few parts only."""

import ast
from pathlib import Path

import pytest

from tests.small_world import ROOT

PACKAGE = ROOT / "cds_service"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Which parts of the package a part may import, besides itself.
MAY_IMPORT = {
    "decision": set(),
    "mappings": {"configuration", "decision"},
    "fhir": {"decision"},
    "cards": {"choices", "decision", "language"},
    "language": {"configuration"},
    "silence": {"decision"},
    "hook": {
        "cards",
        "choices",
        "decision",
        "evaluation",
        "fhir",
        "hook_call",
        "memory",
        "session",
        "silence",
    },
    "hook_call": {"cards", "choices", "decision", "evaluation", "fhir", "silence"},
    "memory": set(),
    "session": {"cards", "fhir", "hook_call", "memory"},
    "services": {"decision"},
    "about": {"decision", "language"},
    "choices": set(),
    "configuration": set(),
    "declared": set(),
    "shipped": set(),
    "fixtures": {"choices"},
    "settings": {"access", "configuration", "declared", "shipped"},
    "expansion": {"commandline", "configuration", "decision", "fhir", "mappings", "settings"},
    "access": {"choices", "configuration", "declared", "language"},
    "commandline": set(),
    "trial_token": {"access", "commandline", "settings"},
    "explain": {
        "__init__",
        "cards",
        "commandline",
        "decision",
        "evaluation",
        "fhir",
        "hook",
        "hook_call",
        "mappings",
        "services",
        "settings",
        "silence",
        "web",
    },
    "evaluation": {"about", "cards", "decision", "fhir"},
    "store": {"evaluation", "fhir", "mappings"},
    "report": {
        "about",
        "cards",
        "commandline",
        "settings",
        "decision",
        "fhir",
        "language",
        "mappings",
        "services",
        "store",
    },
    "retrospective": {
        "about",
        "access",
        "cards",
        "choices",
        "commandline",
        "decision",
        "evaluation",
        "extras",
        "fhir",
        "hook",
        "hook_call",
        "language",
        "mappings",
        "report",
        "settings",
        "shipped",
        "silence",
        "store",
    },
    "doctor": {
        "__init__",
        "about",
        "access",
        "cards",
        "commandline",
        "configuration",
        "expansion",
        "settings",
        "decision",
        "fhir",
        "mappings",
        "silence",
        "store",
    },
    "web": {
        "about",
        "access",
        "cards",
        "configuration",
        "settings",
        "decision",
        "expansion",
        "fhir",
        "fixtures",
        "evaluation",
        "hook",
        "hook_call",
        "language",
        "mappings",
        "memory",
        "report",
        "services",
        "shipped",
        "silence",
        "store",
    },
}
# Which parts may import a library.
IMPORTED_BY = {
    "flask": {"web", "__init__"},
    "flask_cors": {"web"},
    "apispec": {"web"},
    "prometheus_client": {"web"},
    "limits": {"web"},
    "opentelemetry": {"web"},
    "werkzeug": {"web"},
    "requests": {"access", "expansion", "fhir", "replay"},
    "jwt": {"access"},
    "sqlalchemy": {"store", "doctor", "report"},
    "alembic": {"store"},
    "urllib3": {"access", "fhir"},
    "circuitbreaker": {"fhir"},
    "marshmallow": {"access", "declared", "explain", "mappings", "settings", "web"},
    "fhir": {"expansion", "fhir", "mappings"},
    "pydantic": {"expansion", "fhir", "mappings"},
    "rich": {"doctor", "expansion", "explain", "replay", "report", "retrospective"},
    "stdnum": {"expansion", "mappings"},
    "pygal": {"web"},
    "babel": {"language"},
    "markdown_it": {"web"},
    "msgspec": {"fhir", "hook_call", "mappings", "memory", "retrospective", "store", "web"},
    "blake3": {"memory"},
    "cachetools": {"memory", "web"},
    "duckdb": {"retrospective"},
    "pyarrow": {"retrospective"},
    "pyspark": {"retrospective"},
    "jinja2": {"retrospective"},
}
LONGEST, LONGEST_FUNCTION = 250, 30


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def parts_imported(module: Path) -> set[str]:
    ours = (name.split(".") for name in imports_of(module) if name.startswith("cds_service"))
    return {name[1] if len(name) > 1 else "__init__" for name in ours} - {part_of(module)}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(PACKAGE).as_posix())
class TestModule:
    def test_imports_go_one_way(self, module):
        allowed = MAY_IMPORT.get(part_of(module))
        if allowed is not None:
            assert parts_imported(module) <= allowed

    def test_each_library_is_imported_by_its_parts_only(self, module):
        for name in imports_of(module):
            parts = IMPORTED_BY.get(name.split(".")[0])
            assert parts is None or part_of(module) in parts

    def test_a_module_is_short(self, module):
        assert len(module.read_text("utf-8").splitlines()) <= LONGEST

    def test_a_function_fits_on_a_screen(self, module):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and "migrations" not in module.parts:
                assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name

    def test_a_module_says_what_it_is(self, module):
        assert ast.get_docstring(ast.parse(module.read_text("utf-8")))


CORE_MAY_IMPORT = {
    "collections.abc",
    "dataclasses",
    "datetime",
    "functools",
    "itertools",
    "re",
    "types",
    "typing",
    "unicodedata",
}


@pytest.mark.parametrize(
    "module", sorted((PACKAGE / "decision").glob("*.py")), ids=lambda m: m.name
)
def test_the_core_knows_no_library_no_file_no_clock_and_no_chance(module):
    others = {n for n in imports_of(module) if not n.startswith("cds_service.decision")}
    assert others <= CORE_MAY_IMPORT
    calls = {
        ast.unparse(n.func)
        for n in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(n, ast.Call)
    }
    assert not calls & {"open", "date.today", "datetime.now"}
