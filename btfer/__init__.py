"""btfer: make a class-balanced, in-the-wild facial-expression test set and rank networks on it."""

__version__ = "0.2.0"

RESULTS_VERSION = "0.1.0"
"""The version since which equal input gives equal releases and equal runs.

It stands in release.json and in what a run's id is made of. Raise it to `__version__` when bytes or scores
change, and say so in the changelog: finished runs are trained again then.
"""
