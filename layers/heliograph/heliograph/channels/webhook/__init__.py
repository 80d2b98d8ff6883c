"""The custom channel: a signed POST to an endpoint, or a function that gets what Pinpoint's custom channels got."""
