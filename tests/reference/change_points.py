"""Bayesian change points by the paper's Algorithm 1, with scipy's Student densities: slow and obvious."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student


def run_probabilities(x: np.ndarray, mean: float, var: float, longest: int = 240) -> np.ndarray:
    """P(run = l | bars to t) by Algorithm 1, (bars, longest + 1); the last column is for that run length and longer."""
    mu, beta = np.full(longest + 1, mean), np.full(longest + 1, var)
    kappa, alpha = 1.0 + np.arange(longest + 1), 1.0 + 0.5 * np.arange(longest + 1)
    p, out = np.zeros(longest + 1), []
    p[0] = 1.0
    for value in x:
        joint = p * student.pdf(value, 2.0 * alpha, mu, np.sqrt(beta * (kappa + 1.0) / (alpha * kappa)))
        p = np.concatenate([[0.01 * joint.sum()], 0.99 * joint[:-1]])
        p[-1] += 0.99 * joint[-1]
        p /= p.sum()
        beta = np.concatenate([[var], (beta + kappa * (value - mu) ** 2 / (2.0 * (kappa + 1.0)))[:-1]])
        mu = np.concatenate([[mean], ((kappa * mu + value) / (kappa + 1.0))[:-1]])
        out.append(p)
    return np.array(out)
