"""A static page that ranks bundles of `btfer bench submit`, every number computed anew from their predictions."""

from btfer.bench.leaderboard.board import Board, Submission, make_board
from btfer.bench.leaderboard.write import Written, write_leaderboard

__all__ = ["Board", "Submission", "Written", "make_board", "write_leaderboard"]
