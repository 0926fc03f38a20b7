"""The catalogue: the one truth about photos, faces and verdicts. All SQL of btfer lives in this package."""

from btfer.catalogue.store import Catalogue, open_catalogue

__all__ = ["Catalogue", "open_catalogue"]
