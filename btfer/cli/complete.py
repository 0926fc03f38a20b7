"""What the shell offers for names and ids: what lies in folders, listed without opening a database."""

from collections.abc import Iterable
from pathlib import Path


def _data_dir() -> Path:
    from btfer.cli import context

    return context.settings().data_dir


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(one for one in names if one.startswith(incomplete))


def _folders(folder: Path) -> list[str]:
    inside = folder.iterdir() if folder.is_dir() else ()
    return [one.name for one in inside if one.is_dir() and one.name[0] not in "._"]


def releases(incomplete: str) -> list[str]:
    """Names in data/releases."""
    from btfer.paths import releases_dir

    return _beginning(incomplete, _folders(releases_dir(_data_dir())))


def runs(incomplete: str) -> list[str]:
    """Ids in data/runs."""
    folder = _data_dir() / "runs"
    return _beginning(
        incomplete, (one for one in _folders(folder) if (folder / one / "run.json").is_file())
    )


def training_sets(incomplete: str) -> list[str]:
    """Names in data/training."""
    from btfer.paths import training_dir

    return _beginning(incomplete, _folders(training_dir(_data_dir())))


def languages(incomplete: str) -> list[str]:
    """Codes of the query plan's languages."""
    from btfer.cli import context

    folder = context.settings().queries_dir / "languages"
    return _beginning(incomplete, (one.stem for one in folder.glob("*.toml")))


def classes(incomplete: str) -> list[str]:
    """Names of the expression classes."""
    from btfer.expressions import EXPRESSIONS

    return _beginning(incomplete, EXPRESSIONS)


def retry_reasons(incomplete: str) -> list[str]:
    """Reasons for which URLs are lost."""
    from btfer.cli.choices import RETRY_REASONS

    return _beginning(incomplete, RETRY_REASONS)


def release_formats(incomplete: str) -> list[str]:
    """Forms of a release; the last of a list with commas is completed."""
    from btfer.cli.choices import RELEASE_FORMATS

    done, comma, last = incomplete.rpartition(",")
    return [done + comma + one for one in _beginning(last, RELEASE_FORMATS)]


def architectures(incomplete: str) -> list[str]:
    """Names of the networks."""
    from btfer.bench.architectures import ARCHITECTURES

    return _beginning(incomplete, ARCHITECTURES)


def settings(incomplete: str) -> list[str]:
    """`NAME=` of each setting."""
    from btfer.settings import Settings

    return _beginning(incomplete, (f"{name}=" for name in Settings.model_fields))
