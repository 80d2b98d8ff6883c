"""For how long a provider may go on trying to deliver."""

from datetime import datetime

from heliograph.model.dispatches import Dispatch


def seconds_to_live(dispatch: Dispatch, now: datetime, *, least: int, most: int) -> int | None:
    """Seconds until the message is worthless, within what the provider takes; None: as long as the provider likes."""
    not_after = dispatch.request.not_after
    if not_after is None:
        return None
    return max(least, min(most, int((not_after - now).total_seconds())))
