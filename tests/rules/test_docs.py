"""The documentation says what is so: generated parts are fresh, settings are listed, decisions cited exist, files exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.refresh import ROOT, refreshed
from service.settings import Settings


def test_the_diagram_and_the_settings_table_are_fresh() -> None:
    for path, text in refreshed().items():
        assert path.read_text() == text, f"{path.name} is stale: make fix"


def test_every_setting_stands_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        assert re.search(rf"^#? ?{str(field.validation_alias or name).upper()}=", example, re.MULTILINE), name


def test_every_decision_that_code_or_prose_cites_exists() -> None:
    decided = set(re.findall(r"\*\*(D-\d\d) ", (ROOT / "DECISIONS.md").read_text()))
    rooms = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    for path in [*ROOT.glob("*.md"), *(path for room in rooms for path in room.rglob("*.py"))]:
        assert set(re.findall(r"\bD-\d\d\b", path.read_text())) <= decided, path


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_composed_deployment_is_accepted_with_only_the_example_settings(tmp_path: Path) -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        if os.environ.get("CI"):
            pytest.fail("docker-compose is not installed")
        pytest.skip("docker-compose is not installed")
    for name in ("docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name.replace(".env.example", ".env"))
    found = subprocess.run([compose, "config"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    for service in ("web", "worker", "ticker", "postgres", "valkey", "proxy"):
        assert f"  {service}:" in found.stdout
