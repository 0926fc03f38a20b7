"""What is asked for: photos that are here, or a request that was done before, under this name or another."""

from collections.abc import Sequence

from btfer.catalogue import Catalogue, erasures, withdrawals
from btfer.errors import UsageError
from btfer.pipeline.forget.folders import release_folders
from btfer.pipeline.forget.places import is_bare_name, plain_name, tombstones_in
from btfer.pipeline.forget.report import Forgotten
from btfer.pipeline.forget.resolve import ForgottenBefore, Resolved, Resolver
from btfer.pipeline.forget.returned import came_back, not_known
from btfer.settings import Settings


def look_up(cat: Catalogue, settings: Settings, asked: Sequence[str]) -> Resolved | Forgotten:
    """What is named, and with it whatever was forgotten and came back; or when it was done, where nothing is here.

    A bare name that was asked for before may be another person's by now, so it is not looked up again. Raises
    UsageError for what names nothing, or more than one thing.
    """
    at = erasures.done_at(cat, map(plain_name, asked))
    resolver, found, dates = Resolver(cat, settings), Resolved(), [at]
    for thing in asked:
        if is_bare_name(thing) and at:
            continue
        if is_bare_name(thing) and _has_lost(cat, settings, plain_name(thing)):
            raise UsageError(
                f"'{thing}' names more than one image over time, and one was forgotten before: "
                f"name the release, as RELEASE/{plain_name(thing)}"
            )
        named, date = _find(cat, resolver, thing)
        found.add(named)
        dates.append(at or date)
    if all(dates[1:]) and any(dates):
        found.add(came_back(cat, settings))
        if not found:
            return Forgotten(done_before=max(dates), notes=not_known(cat))
    return found


def _find(cat: Catalogue, resolver: Resolver, thing: str) -> tuple[Resolved, str]:
    """What one thing names here, and since when it is forgotten ('' = it is not)."""
    name = plain_name(thing)
    date = erasures.forgotten_at(cat, [name]).get(name, "") or withdrawals.since(cat, [name]).get(
        name, ""
    )
    try:
        return resolver.find(thing), date
    except ForgottenBefore as error:
        return Resolved(), error.date or "an earlier day"
    except UsageError:
        if not date:
            raise
        return Resolved(), date


def _has_lost(cat: Catalogue, settings: Settings, name: str) -> bool:
    """By marks, or by the tombstones of a release: an earlier btfer left no marks of images."""
    if erasures.has_lost(cat, name):
        return True
    folders = release_folders(settings.data_dir)
    gone = (row.get("file_name", "") for one in folders for row in tombstones_in(one))
    return any(file.split("/")[-1] == name for file in gone)
