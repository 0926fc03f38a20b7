"""A static page that ranks bundles of `btfer bench submit`, every number computed anew from their predictions."""

from btfer.bench.leaderboard.board import Board, Entry, make_board
from btfer.bench.leaderboard.write import Written, write_leaderboard

__all__ = ["Board", "Entry", "Written", "make_board", "write_leaderboard"]
