"""Sphinx: the documentation as a site, made by `make docs` without any network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import notebooks  # noqa: E402
import reference_pages  # noqa: E402

import btfer  # noqa: E402

project = "btfer"
version = release = btfer.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["review/*.md"]
html_theme = "furo"
html_title = f"btfer {release}"
html_show_sphinx = html_copy_source = False
myst_heading_anchors = 3
myst_links_external_new_tab = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"
copybutton_exclude = ".linenos, .gp"
nitpicky = False

reference_pages.write(HERE / "reference")
for name in notebooks.ORDER:
    (notebooks.FOLDER / f"{name}.md").write_text(notebooks.as_page(name), encoding="utf-8")
