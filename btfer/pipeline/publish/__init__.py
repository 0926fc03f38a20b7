"""Publish a release: to Hugging Face or Zenodo, private or gated unless asked otherwise, whole or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from btfer.errors import UsageError
from btfer.pipeline.publish.parcel import Parcel, read_parcel
from btfer.pipeline.publish.targets import (
    DRY_RUN,
    STOPPED,
    Access,
    Patience,
    Published,
    PublishTarget,
)
from btfer.progress import SILENT, Progress

FORMS = "hf://ORG/NAME, zenodo, zenodo-sandbox"

__all__ = ["Access", "Parcel", "Patience", "PublishTarget", "Published", "open_target", "publish"]


def publish(
    release_folder: Path,
    target: PublishTarget,
    *,
    access: Access | None = None,
    dry_run: bool = False,
    agree: Callable[[list[str]], bool] = lambda plan: True,
    progress: Progress = SILENT,
) -> Published:
    """Send a release that is whole and may be redistributed. Run again, it goes on, or says that it is done.

    agree: is shown the plan, line by line, and may say no. Raises UsageError where something forbids it, before
    anything is sent; NetworkError where the server does.
    """
    access = access or Access()
    parcel = read_parcel(release_folder)
    plan = [f"target      {target.name}", f"visibility  {target.describe(access)}", *parcel.lines()]
    nothing = Published(target.name, DRY_RUN, parcel.version, parcel.digest, plan=tuple(plan))
    if dry_run:
        return nothing
    target.check()
    if not agree(plan):
        return replace(nothing, state=STOPPED)
    return replace(target.send(parcel, access, progress), plan=tuple(plan))


def open_target(
    to: str, *, token: str = "", creators: Sequence[str] = (), patience: Patience | None = None
) -> PublishTarget:
    """The target that the user wrote; an empty token is looked up in the environment. Raises UsageError."""
    from btfer.pipeline.publish.hf import HuggingFace, repository
    from btfer.pipeline.publish.zenodo import SITES, Zenodo

    patience = patience or Patience()
    if to.startswith("hf://"):
        return HuggingFace(repository(to), token, patience)
    if to in SITES:
        return Zenodo(to, token, tuple(creators), patience)
    raise UsageError(f"unknown target '{to}'; choose one of {FORMS}")
