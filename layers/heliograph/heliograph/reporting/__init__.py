"""What happened: figures, pages, timelines."""
