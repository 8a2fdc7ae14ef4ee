"""Predictions → the official figures: grounding, highlights, multiple choice, open answers by a judge, intervals."""

from rewind.evaluate.endpoint import JudgeError
from rewind.evaluate.judge import Judge
from rewind.evaluate.result import Result
from rewind.evaluate.score import BENCHMARKS, score, score_predictions

__all__ = ["BENCHMARKS", "Judge", "JudgeError", "Result", "score", "score_predictions"]
