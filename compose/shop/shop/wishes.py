"""What a customer may add to an order: a coupon, and a message for the gift card."""

import re

COUPONS = {"WELCOME-10": 10, "SPRING-15": 15, "FRIENDS-20": 20}
"""Percent off."""

_MESSAGE = re.compile(r"[\w ,.'!?-]{0,80}")
"""What our printer has in its font."""


def can_be_printed(message: str) -> bool:
    """Whether the printer can put it on a gift card."""
    return _MESSAGE.fullmatch(message) is not None
