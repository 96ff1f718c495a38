"""The blocks of the pages: what is code there, and which of it is marked to run.

A mark is a comment before a block: `<!-- run -->`, `<!-- run slowly -->` in the slow
tier, or `<!-- run slowly, with the service -->`, which `retouch serve` answers.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GENERATED = {"cli.md", "models.md"}
PAGES = [
    ROOT / "README.md",
    *(p for p in sorted((ROOT / "docs").glob("*.md")) if p.name not in GENERATED),
]
MARK = re.compile(r"<!-- (run.*?) -->\s*$")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?:    .*\n|\n(?=    ))+)")
COMMENT = re.compile(r"(^|\s+)#.*$")


@dataclass(frozen=True)
class Block:
    """A piece of code on a page."""

    page: Path
    kind: str  # "commands", or what its fence says
    text: str
    mark: str  # "" if it is not to be run

    @property
    def commands(self) -> list[str]:
        """Return the lines without comments, those that go on joined."""
        joined = self.text.replace("\\\n", " ")
        lines = [COMMENT.sub("", line).strip() for line in joined.splitlines()]
        return [line for line in lines if line]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text("utf-8")
    found = [(m.start(), m[1] or "text", m[2]) for m in FENCE.finditer(text)]
    plain = FENCE.sub(lambda fence: re.sub(r"[^\n]", "x", fence[0]), text)
    for match in INDENTED.finditer(plain):
        lines = [line[4:] for line in match[1].splitlines()]
        found.append((match.start(), "commands", "\n".join(lines)))
    return [
        Block(page, kind, code, mark[1] if (mark := MARK.search(text[:start])) else "")
        for start, kind, code in sorted(found)
    ]
