"""What operators do: reconcile, replay, dead letters, doctor."""
