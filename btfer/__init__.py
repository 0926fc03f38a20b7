"""btfer: make a class-balanced, in-the-wild facial-expression test set and rank networks on it."""

__version__ = "0.1.0"
