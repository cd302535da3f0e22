"""The documentation is consistent: feature pages match the catalogue, links resolve, the README is short."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from fxloom.features.catalogue import FAMILIES
from tests.lakes import make_lake

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def test_the_feature_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_features.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text("utf-8")):
        if target.startswith(("http:", "https:")):
            continue
        linked = page.parent / target if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors that a renderer gives the headings of ``page``."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_family_has_a_definition_that_its_page_links_to() -> None:
    for name in FAMILIES:
        assert (ROOT / "docs" / "definitions" / f"{name}.md").exists()
        assert f"(../definitions/{name}.md)" in (ROOT / "docs" / "features" / f"{name}.md").read_text("utf-8")


def test_the_picture_can_be_drawn(tmp_path: Path) -> None:
    """Also for renderers without web fonts that drop leading spaces."""
    lake = make_lake(tmp_path)
    drawn = runpy.run_path(str(ROOT / "docs" / "make_picture.py"))["picture"](lake.url)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert "cross_sectional_panel" in " ".join(texts).replace("&#160;", " ")
    assert not [text for text in texts if text.startswith("&#160;") and text.strip("&#160;")]
    assert "@font-face" not in drawn


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
