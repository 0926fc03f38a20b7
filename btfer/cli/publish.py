"""The command that hands a release on: publish."""

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import arguments, context, output
from btfer.errors import UsageError
from btfer.plain_files import read_piped
from btfer.progress import Progress

app = typer.Typer(rich_markup_mode=None)
MOST_OF_A_TOKEN = 10_000
"""Bytes of the file that holds it."""


class _Shown:
    """Progress as bars, that begin with the first file: a person may be asked something before."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._bars: Progress | None = None

    def update(self, stage: str, done: int, total: int) -> None:
        """Move the bar."""
        if self._bars is None:
            self._bars = self._stack.enter_context(output.progress())
        self._bars.update(stage, done, total)

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)


@app.command()
def publish(
    release: arguments.Release = None,
    to: Annotated[
        str,
        typer.Option("--to", help="hf://ORG/NAME, zenodo or zenodo-sandbox.", show_default=False),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and list what would be sent; send nothing.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Show it to everybody; on Zenodo, publish it for good.")
    ] = False,
    gated: Annotated[
        bool, typer.Option(help="Approve each person who asks for the files of a public release.")
    ] = True,
    creator: Annotated[
        list[str] | None,
        typer.Option(help="'Family name, First name' or a group, for Zenodo; repeat for more."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token [HF_TOKEN or ZENODO_TOKEN].")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Send a release to Hugging Face or Zenodo: private, or gated, unless you say otherwise.

    Refused while verify finds a problem, or if an image may not be redistributed. Only the
    files that SHA256SUMS names are sent. Run again after an interruption, it goes on.

    Example: btfer publish --to hf://my-lab/faces --dry-run
    """
    from btfer.pipeline.publish import Access, open_target
    from btfer.pipeline.publish import publish as send

    if not to:
        raise UsageError("--to is missing; choose one of hf://ORG/NAME, zenodo, zenodo-sandbox")
    if not gated and not public:
        raise UsageError("--no-gated opens a public release to everybody: add --public")
    token = _read_token(token_file) if token_file else ""
    target = open_target(to, token=token, creators=creator or ())
    folder = context.release_folder(release, any_kind=True)
    with ExitStack() as stack:
        done = send(
            folder,
            target,
            access=Access(public=public, gated=gated),
            dry_run=dry_run,
            agree=lambda plan: yes or _asked(plan),
            progress=_Shown(stack),
        )
    if as_json:
        print(json.dumps(asdict(done), indent=2))
        return
    if done.state == "dry run":
        print("\n".join(done.plan))
    print(
        f"{done.state}{': ' + done.url if done.url else ''}{'' if done.url else ': nothing was sent'}"
    )
    if done.note:
        print(done.note)


def _asked(plan: list[str]) -> bool:
    """Whether a person at the terminal says yes. Raises UsageError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was sent: add --yes to send without being asked, or --dry-run to look"
        )
    print("\n".join(plan), file=sys.stderr)
    return typer.confirm("Send it?", err=True)


def _read_token(file: Path) -> str:
    try:
        data = read_piped(file, MOST_OF_A_TOKEN)
        token = data.decode().strip() if len(data) <= MOST_OF_A_TOKEN else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {file} cannot be read: {error}") from None
    if not token or not token.isprintable() or " " in token or not token.isascii():
        raise UsageError(f"--token-file {file}: a token is one word on one line")
    return token
