"""btfer: make a class-balanced, in-the-wild facial-expression test set and rank networks on it."""

__version__ = "0.2.0"

RESULTS_VERSION = "0.2.0"
"""The version since which equal input gives equal releases. It stands in release.json.

Raise it to `__version__` when a release's bytes change, and say so in the changelog.
"""

RUNS_VERSION = "0.1.0"
"""The version since which equal input gives equal runs. A run's id is made of it, among other things.

Raise it to `__version__` when scores change, and say so in the changelog: finished runs are trained again then.
"""
