"""Trials on the user's own bars: nothing looks ahead, values do not depend on where a computation begins, and files
hold what is computed."""

from fxloom.verify.report import VerificationReport
from fxloom.verify.run import verify

__all__ = ["VerificationReport", "verify"]
