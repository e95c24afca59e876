"""What a loan costs each month."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

#: What is asked for a month: 6 % for a year.
INTEREST = Decimal("0.06") / 12


def monthly_rate(amount: Decimal, months: int) -> Decimal:
    """The same rate for every month, interest and repayment together, in whole cents."""
    rate = amount * INTEREST / (1 - (1 + INTEREST) ** -months)
    return rate.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
