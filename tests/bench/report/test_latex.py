"""results.tex through LaTeX itself, with everything that a name may hold."""

import shutil
import subprocess
from pathlib import Path

import pytest

from btfer.bench.report import write_report
from tests.bench.drawn_runs import draw_run

DOCUMENT = r"""\documentclass{article}
\usepackage[a3paper,landscape,margin=1cm]{geometry}
\usepackage{longtable,booktabs}
\begin{document}
\input{results.tex}
\end{document}
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("pdflatex"),
    reason="no pdflatex (Debian: apt-get install texlive-latex-base texlive-latex-recommended)",
)
def test_the_tables_compile(tmp_path: Path) -> None:
    for seed in (0, 1):
        draw_run(tmp_path / "runs", seed=seed)
    hostile = r"100% \input{/etc/passwd} a_b & c#d $x^2$ {~} <é> “λ” 表"
    draw_run(tmp_path / "runs", hostile, training=hostile, balance="simple")
    page = write_report(tmp_path / "runs", tmp_path / "reports")
    folder = page.parent
    (folder / "paper.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode"]
    for _ in range(2):  # a longtable takes its widths from the run before
        done = subprocess.run([*command, "paper.tex"], cwd=folder, capture_output=True, check=False)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-2000:]
    assert (folder / "paper.pdf").stat().st_size > 20_000
    assert "passwd" not in (folder / "paper.log").read_text(errors="replace").replace(r"\input", "")
    assert "Overfull \\hbox" not in said
