"""The marketer's desk: build, check and preview the templates."""
