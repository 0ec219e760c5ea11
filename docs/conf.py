"""How Sphinx builds these pages: `make docs`.

They are Markdown that reads on its own; what a website needs beside it is done here.

The tutorial's notebooks live in notebooks/ and are copied to docs/tutorial when a build begins (git ignores the
copies). DOCS_EXECUTE says whether they are executed: "off" (the check), "cache" or "auto" (what is published).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
LOG = logging.getLogger(__name__)

project = "greennb"
author = "greennb contributors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = os.environ.get("DOCS_EXECUTE") or "off"
nb_execution_timeout = 300
nb_execution_raise_on_error = True  # check cells, which are meant to raise, are tagged raises-exception
nb_merge_streams = True
smartquotes = False  # "" and "uk" are values

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# No page here: Python's own names (their inventory would take a network), private ones, the signals' many classes.
nitpick_ignore_regex = [
    ("py:.*", name) for name in (r"(?!greennb\b).*", r"greennb\..*\b_.*", r"greennb\.advisor\.signals\..*")
]

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "greennb"
html_static_path = ["_static"]
html_css_files = ["greennb.css"]
html_favicon = "_static/leaf.svg"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "greennb", "image_light": "_static/leaf.svg", "image_dark": "_static/leaf.svg", "alt_text": ""},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_nav_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["sphinx-version"],
    "footer_end": ["theme-version"],
    "navigation_with_keys": False,
}
html_sidebars = {"index": []}

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\.?/[^)#\s]+)(#[^)\s]+)?\)")
"""A Markdown link to a path: its text, the path, the anchor."""

PAGES = {"README.md": "start.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Files at the root of the repository, and the page that says here what they say there."""

RULES = """
```{toctree}
:hidden:
:glob:

GNB*
```
"""


def copy_notebooks(_app: Any) -> None:
    """Bring the students' notebooks into docs/tutorial, and take away those that are gone."""
    here = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    folder = DOCS / "tutorial"
    for path in folder.glob("*.ipynb"):
        if path.name not in here:
            path.unlink()
    for name, text in here.items():
        text = text.replace("](../docs/", "](../")
        copied = folder / name
        if not copied.exists() or copied.read_text(encoding="utf-8") != text:
            copied.write_text(text, encoding="utf-8")


def lead_links(_app: Any, docname: str, source: list[str]) -> None:
    """Have links that lead out of docs/ lead to a page where there is one; a folder, which is none, is only named."""
    folder = (DOCS / docname).parent

    def led(link: re.Match[str]) -> str:
        text, path, anchor = link.group(1), link.group(2), link.group(3) or ""
        target = Path(os.path.normpath(folder / path))
        if target.parent == ROOT and target.name in PAGES:
            return f"[{text}]({os.path.relpath(DOCS / PAGES[target.name], folder)})"
        return text if target.is_dir() else f"[{text}]({path}{anchor})"

    source[0] = LINK.sub(led, source[0])
    if docname == "rules/README":  # written by tools/rules.py for readers of the files as well
        source[0] += RULES


def write_math(translator: Any, node: Any) -> None:
    """A formula as MathML, which browsers know by themselves: MathJax would come from a network."""
    try:
        tex = node.astext().replace(r"\dots", r"\ldots")  # the one it knows
        made = tex2mathml(tex, as_block=isinstance(node, nodes.math_block))
    except MathError as error:
        LOG.warning("this formula cannot be shown: %s", error, location=node)
        made = f"<code>{translator.encode(node.astext())}</code>"
    translator.body.append(made)
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Hook all this into a build."""
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
    app.connect("builder-inited", copy_notebooks)
    app.connect("source-read", lead_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
