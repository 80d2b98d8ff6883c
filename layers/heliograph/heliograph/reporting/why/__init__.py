"""Why a decision was made."""
