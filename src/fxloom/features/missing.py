"""The reasons for missing values that families report, and texts that declarations share."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a row has no value; see "Missing values" in docs/definitions/conventions.md. Families report some of them."""

    WARM_UP = "warm-up"  # there are not enough bars before the row yet
    ABSENT = "absent pair"  # a pair that the value needs is not stored, or its bars have not started yet
    GAP = "gap in the source"  # a pair that the value needs has bars, but is not present at this one
    NO_INPUT = "no input"  # the pair has volume or quotes, but the bars that the value needs lack them
    UNDEFINED = "undefined"  # the formula has no value: 0/0, the correlation of a constant
    FAILED_FIT = "failed fit"  # the model in force could not be fitted
    NONE = "no reason"  # a defect


# Texts for ``undefined`` and ``may_be_constant`` that several families share.
CONSTANT_WINDOW = "the window is constant"
STRAIGHT_WINDOW = "the window is constant or a straight line"
STILL_PRICE = "the price does not move in the window"
NO_VOLUME = "no volume in the window"
NO_SPREAD = "without quotes: the proxy's first 59 bars, or EDGE has no value"
FIXED_SPREAD = "a broker may quote a fixed spread, or an estimate may always be 0"
