"""Runs on disk: their records, predictions, scores and plots."""
