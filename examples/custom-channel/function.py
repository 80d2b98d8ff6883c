"""A custom channel as Amazon Pinpoint called it: people's endpoints, and what to tell them. This one posts to a chat.

It runs unchanged behind Heliograph's webhook channel: deploy it as `<stack>_webhook_chatbot`, and give people addresses
such as `chatbot:42`.
"""

import json
import os
from typing import Any
from urllib.request import Request, urlopen


def handler(event: dict[str, Any], context: object) -> None:
    """Tell everybody what `Data` says; `Address` is what follows the colon in their address."""
    for endpoint_id, endpoint in event["Endpoints"].items():
        said = {"chat": endpoint["Address"], "text": event["Data"], "reference": f"{event['CampaignId']}/{endpoint_id}"}
        request = Request(os.environ["CHAT_URL"], json.dumps(said).encode(), {"Content-Type": "application/json"})  # noqa: S310 - your own URL
        with urlopen(request, timeout=10):  # noqa: S310
            pass
