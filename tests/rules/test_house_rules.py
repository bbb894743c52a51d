"""The rules of the house that a machine can keep: sizes, one clock, one commit, dotted names that exist, no secrets."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from service import doorbell
from service.errors import SettingsError
from service.settings import SAMPLES, Settings

ROOT = Path(__file__).parent.parent.parent
SOURCES = [
    path
    for folder in ("messages", "flows", "service", "workers", "simulator", "bench", "docs")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small_and_say_why_they_exist(path: Path) -> None:
    source = path.read_text()
    lines, tree = source.splitlines(), ast.parse(source)
    assert len(lines) <= (500 if path in TESTS else 300)
    assert len(lines) < 15 or ast.get_docstring(tree)
    if path.parent.name == "versions":
        return  # a migration is one long list of columns
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_only_one_file_commits_and_only_one_reads_the_clock() -> None:
    def saying(pattern: str) -> set[str]:
        return {
            str(path.relative_to(ROOT))
            for path in SOURCES
            if path.parts[-2] != "migrations" and not str(path.relative_to(ROOT)).startswith(("bench", "simulator"))
            if re.search(pattern, path.read_text())
        }

    assert saying(r"\.commit\(") == {"service/store/database.py"}
    assert saying(r"datetime\.now\(|time\.time\(|utcnow\(") == {"service/clock.py"}


def test_no_statement_asks_the_database_for_the_time() -> None:
    asking = re.compile(r"\b(now\(\)|current_timestamp|localtimestamp|clock_timestamp|current_date)\b", re.IGNORECASE)
    for path in SOURCES:
        if path.parts[-3:-1] == ("service", "store") or path.parts[-2] in ("service", "workers", "web", "versions"):
            told = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
            words = " ".join(node.value for node in told if isinstance(node.value, str))
            assert not asking.search(words), path


@pytest.mark.parametrize("job", sorted(doorbell.JOBS))
def test_every_ring_names_a_function_that_exists_and_a_queue_that_is_worked_off(job: str) -> None:
    queue, name = doorbell.JOBS[job]
    module, _, attribute = name.rpartition(".")
    assert callable(getattr(import_module(module), attribute))
    assert queue in doorbell.QUEUES


GOOD = {
    "environment": "production",
    "database_url": "postgresql://scanguide_login:x9@db/scanguide",
    "redis_url": "redis://:x9@valkey/0",
    "public_url": "https://scans.clinic.test",
    "twilio_account_sid": "AC0123456789",
    "twilio_auth_token": "0123456789abcdef",
    "secret_key": "0123456789abcdef0123456789abcdef",
}


def test_production_starts_with_real_values() -> None:
    assert Settings.model_validate(GOOD).refuse_unsafe().environment == "production"


@pytest.mark.parametrize("name", ["database_url", "redis_url", "twilio_account_sid", "twilio_auth_token", "secret_key"])
@pytest.mark.parametrize("value", ["", *(f"{sample}-000000000000000000000000000000" for sample in SAMPLES)])
def test_production_refuses_missing_and_sample_secrets_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        Settings.model_validate({**GOOD, name: value}).refuse_unsafe()


@pytest.mark.parametrize(
    ("name", "value"),
    [("public_url", "http://scans.clinic.test"), ("secret_key", "too short"), ("secret_key", "x" * 31)],
)
def test_production_refuses_what_is_unsafe(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        Settings.model_validate({**GOOD, name: value}).refuse_unsafe()
