"""Write the pages that follow from the code, or with --check say if one is stale."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def commands() -> str:
    """Return the reference of the command line, as Typer tells it."""
    tell = [sys.executable, "-m", "typer", "cli", "utils", "docs", "--name", "retouch"]
    done = subprocess.run(
        tell, capture_output=True, text=True, check=True, cwd=HERE.parent
    )
    return done.stdout.rstrip() + "\n"


def models() -> str:
    """Return the weights that ship: their manifest as a table, and their cards."""
    from pretrained.registry import library

    lines = ["# Weights that ship", "", "| name | kind | px | MiB | terms |"]
    lines.append("|---|---|---|---|---|")
    for row in library().shipped.rows():
        size = f"{row.size / 2**20:.1f}"
        pixels = row.resolution or ""
        lines.append(f"| {row.name} | {row.kind} | {pixels} | {size} | {row.licence} |")
    for card in sorted(library().shipped.folder.glob("*.md")):
        lines += ["", _lowered(card.read_text("utf-8").strip())]
    return "\n".join(lines) + "\n"


def _lowered(card: str) -> str:
    """Return a model card as a part of a page: each heading a level lower."""
    return re.sub("^#", "##", card, flags=re.MULTILINE).replace("](../docs/", "](")


def main() -> None:
    """Write the pages, or compare them."""
    stale = []
    for name, text in (("cli.md", commands()), ("models.md", models())):
        page = HERE / name
        if "--check" not in sys.argv:
            page.write_text(text, "utf-8")
        elif not page.exists() or page.read_text("utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit(f"Stale: {', '.join(stale)}. Write them anew: make docs")


if __name__ == "__main__":
    main()
