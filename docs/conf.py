"""How Sphinx builds these pages: `make docs`.

They are Markdown that reads on its own; what a website needs beside it is done here.

The tutorial's notebooks live in notebooks/ and are copied to docs/tutorial when a build begins (git ignores the
copies). DOCS_EXECUTE says whether they are executed: "off" (the check), "cache" or "auto" (what is published).
"""

from __future__ import annotations

import json
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
NOTEBOOKS = ROOT / "notebooks"
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
nb_execution_in_temp = True
os.environ.setdefault("GREENNB_LEDGER", str(DOCS / "_build" / "ledger.sqlite"))  # of the notebooks that a build runs
nb_execution_raise_on_error = True  # check cells, which are meant to raise, are tagged raises-exception
nb_merge_streams = True
suppress_warnings = ["mystnb.unknown_mime_type"]  # greennb's JSON, which stands beside the HTML that is shown
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
    "pygments_dark_style": "github-dark",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["sphinx-version"],
    "footer_end": ["theme-version"],
    "navigation_with_keys": False,
}
html_sidebars = {"index": []}

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]+)?\)")
"""A Markdown link to a path: its text, the path, the anchor."""

BROUGHT = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md", "tutorial/teaching": "notebooks/README.md"}
"""Pages that are files from elsewhere in the repository."""

PAGES = {"README.md": "start.md", **{path: f"{page}.md" for page, path in BROUGHT.items()}}
"""Files outside of docs/, and the page that says here what they say there."""

RULES = """
```{toctree}
:hidden:
:glob:

GNB*
```
"""


def copy_notebooks(_app: Any) -> None:
    """Bring the students' notebooks into docs/tutorial, and take away those that are gone."""
    here = {path.name: _dressed(path) for path in NOTEBOOKS.glob("[0-9]*.ipynb")}
    folder = DOCS / "tutorial"
    for path in folder.glob("*.ipynb"):
        if path.name not in here:
            path.unlink()
    for name, text in here.items():
        copied = folder / name
        if not copied.exists() or copied.read_text(encoding="utf-8") != text:
            copied.write_text(text, encoding="utf-8")


def _dressed(path: Path) -> str:
    """A notebook with its number before its title, and cells coloured as IPython's: they have magics."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    number, first = int(path.name[:2]), notebook["cells"][0]
    first["source"] = re.sub(r"\A# (?:\d+\. )?", f"# {number}. ", "".join(first["source"]))
    notebook["metadata"]["language_info"]["pygments_lexer"] = "ipython3"
    return json.dumps(notebook, ensure_ascii=False)


def lead_links(_app: Any, docname: str, source: list[str]) -> None:
    """Have a page say where its links lead on the website; a folder, which is no page, is only named."""
    here = (DOCS / docname).parent
    origin = NOTEBOOKS if docname.startswith("tutorial/0") else here
    if docname in BROUGHT:
        path = ROOT / BROUGHT[docname]
        source[0], origin = path.read_text(encoding="utf-8"), path.parent

    def led(link: re.Match[str]) -> str:
        text, path, anchor = link.group(1), link.group(2), link.group(3) or ""
        target = Path(os.path.normpath(origin / path))
        if not target.exists():
            return link.group()  # for Sphinx to complain of
        if target.is_dir():
            return text
        known = PAGES.get(target.relative_to(ROOT).as_posix())
        if known is not None:
            return f"[{text}]({os.path.relpath(DOCS / known, here)})"
        if target.parent == NOTEBOOKS:
            target = DOCS / "tutorial" / target.name
        return f"[{text}]({os.path.relpath(target, here)}{anchor})"

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
