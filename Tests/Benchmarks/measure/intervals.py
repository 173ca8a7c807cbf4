"""Medians of rounds, with the interval that the true median lies in 95 times of 100 (order statistics; no distribution is assumed)."""

import math
import statistics


def median(values):
    return statistics.median(values)


def interval(values):
    """With five rounds or fewer it is their range, which is less sure."""
    values = sorted(values)
    count = len(values)
    outside = 0
    for rank in range(count // 2):
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 0.05:
            break
    else:
        rank = count // 2
    rank = max(0, rank - 1)
    return values[rank], values[count - 1 - rank]


def summary(values):
    low, high = interval(values)
    return {"median": median(values), "low": low, "high": high, "rounds": len(values)}
