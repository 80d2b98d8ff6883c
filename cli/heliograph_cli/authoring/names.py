"""Names that other standards define: JMESPath expressions and time zones."""

from zoneinfo import ZoneInfo

import jmespath


def jmespath_expression(text: str) -> str:
    """A JMESPath expression, or empty."""
    if not text:
        return text
    try:
        jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError('is not a JMESPath expression; quote odd names, as in "\\"detail-type\\""') from error
    return text


def time_zone(name: str) -> str:
    """An IANA time zone."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError("is not an IANA time zone") from error
    return name
