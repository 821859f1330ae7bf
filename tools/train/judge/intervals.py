"""Confidence intervals."""
import math


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of n > 0 samples (Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927)."""
    z = 1.96
    centre, half = (share + z * z / (2 * n)) / (1 + z * z / n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), centre + half
