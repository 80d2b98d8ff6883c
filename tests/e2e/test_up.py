"""`heliograph up` once more: the stack has what it had, further channels too."""

from __future__ import annotations

from pathlib import Path

from aws.deployed import deployed
from aws.local_cloud import free_port


def test_a_stack_with_a_further_channel_is_brought_up_again_as_it_was(tmp_path: Path) -> None:
    with deployed(tmp_path, port=free_port()) as stack:
        for words in (["--channels", "email,webhook"], []):
            done = stack.heliograph("up", *words)
            assert done.returncode == 0, done.stderr
            assert stack.queue_url("outbox-webhook-bulk")
        narrowed = stack.heliograph("up", "--channels", "email")
        assert narrowed.returncode == 0, narrowed.stderr
        assert not [queue for queue in stack.work() if "webhook" in queue]
