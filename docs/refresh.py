"""Write the parts of the documentation that the code knows better: the flow diagram and the table of settings.

`make fix` runs it; tests/rules/test_docs.py fails if the files differ from what this would write.
"""

from pathlib import Path

from flows.diagram import mermaid
from flows.shipped import script
from service import proof
from service.settings import Settings

ROOT = Path(__file__).parent.parent


def between(text: str, name: str, new: str) -> str:
    """`text` with what stands between the two markers of `name` replaced."""
    start, end = f"<!-- {name}: written by docs/refresh.py -->\n", f"<!-- end {name} -->"
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    return f"{head}{start}{new}{end}{tail}"


def diagram() -> str:
    """The flow, from its own data."""
    return f"```mermaid\n{mermaid(script())}```\n"


def settings_table() -> str:
    """Every setting, its default and what it is for."""
    rows = ["| variable | default | what it is for |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or name).upper()
        default = f"`{field.default}`" if str(field.default) else "empty"
        rows.append(f"| `{variable}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def refreshed() -> dict[Path, str]:
    """Each file with the text it should have."""
    architecture, readme, words = ROOT / "ARCHITECTURE.md", ROOT / "README.md", ROOT / "docs" / "words.md"
    costs, coverage = proof.as_table(proof.summary(script())), proof.coverage(script())
    return {
        words: between(between(words.read_text(), "costs", f"{costs}\n"), "coverage", f"{coverage}\n"),
        architecture: between(architecture.read_text(), "flow", diagram()),
        readme: between(readme.read_text(), "settings", settings_table()),
    }


if __name__ == "__main__":
    for path, text in refreshed().items():
        path.write_text(text)
