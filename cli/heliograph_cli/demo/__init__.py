"""The demo: a made-up shop, its customers, their orders, and a campaign, from the import to the report."""
