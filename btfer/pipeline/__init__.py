"""The stages, in order: crawl, dedup, (people: photos), crop, (people: faces), sample, release.

Each file has two halves: pure functions above, `run` below. No stage imports another; `build.py`
walks the automatic ones.
"""
