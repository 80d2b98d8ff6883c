"""Start the local cloud and deploy the built stack on it; stop it and leave nothing behind."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from heliograph_cli.failures import Trouble
from heliograph_cli.local import process
from heliograph_cli.local.stack import LocalStack, failures
from heliograph_cli.local.stack import channels as channels_of
from heliograph_cli.waiting import until_still

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".local/cloud/bin/python"
SAM = ROOT / ".local/sam/bin/sam"
BUILT = ROOT / ".aws-sam/build/template.yaml"
HOME = Path(os.environ.get("HELIOGRAPH_LOCAL", ROOT / ".local"))
"""Where the local cloud lives; with another one a second local cloud can run beside the first."""
DIRECTORY = HOME / "run"
STATE = HOME / "state.json"

PORTS = range(4580, 4600)
"""The first free one is taken, so that two checkouts can each have a local cloud."""
REGION = "eu-west-1"
STACK = "heliograph"
PARAMETERS = {
    "EmailSender": "Heliograph <hello@heliograph.test>",
    "EmailIdentity": "heliograph.test",
    "SmsOriginationIdentity": "HELIOGRAPH",
    "SmsPerSecond": "100",
    "PushProvider": "pinpoint",
    "SettleAfterSeconds": "5",
    "EngagementSeconds": "2",
    "UnsubscribeUrl": "https://heliograph.test/unsubscribe",
    "UnsubscribeMailto": "unsubscribe@heliograph.test",
}
START_PATIENCE = 30.0  # seconds in which it says nothing
TICK = 0.05  # seconds

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running local cloud with the stack on it, as the state file keeps it."""

    endpoint: str
    pid: int
    port: int
    region: str
    stack: str
    directory: str
    started_at: str


def up(
    *,
    port: int | None = None,
    directory: Path = DIRECTORY,
    state_file: Path = STATE,
    stack: str = STACK,
    channels: str = "",
    progress: Progress = lambda _: None,
) -> Cloud:
    """Start a local cloud that outlives this process, unless it runs, and deploy what `make build` built.

    A stack has the channels that it had before, the first time those of the template, unless `channels` names others.

    Raises Trouble when nothing is built, no port is free, a channel that is left out has work, or the cloud or the
    deployment fails.
    """
    if not _built().exists():
        raise Trouble("Nothing is built yet.", "Run `make build`.")
    cloud = running(state_file)
    if cloud and port not in (None, cloud.port):
        raise Trouble(f"The local cloud runs on port {cloud.port} already.", "`heliograph down` stops it.")
    if cloud is None:
        port = _free_port([port] if port else PORTS)
        progress(f"Starting the local cloud on port {port}")
        cloud = _start(port=port, directory=directory, stack=stack)
        state_file.parent.mkdir(parents=True, exist_ok=True)
        state_file.write_text(json.dumps(asdict(cloud), indent=2))
        _await_health(cloud, state_file)
    progress(f"Deploying the stack {cloud.stack}")
    _deploy(cloud, channels)
    return cloud


def webhook_endpoint(cloud: Cloud) -> str:
    """Where the local cloud takes webhooks. Raises Trouble when it is of a version that takes none."""
    with urlopen(f"{cloud.endpoint}/_heliograph/health", timeout=5) as answer:  # noqa: S310  (loopback, http)
        health: dict[str, str] = json.load(answer)
    if "endpoint" not in health:
        raise Trouble(
            "The local cloud that runs is older than this command.", "Run `heliograph down`, then `up` again."
        )
    return health["endpoint"]


def down(*, state_file: Path = STATE, progress: Progress = lambda _: None) -> None:
    """Stop the local cloud that the state file names, and remove its directory; nothing happens when none runs."""
    if not state_file.exists():
        return
    cloud = Cloud(**json.loads(state_file.read_text()))
    if process.is_ours(cloud.pid):
        progress(f"Stopping the local cloud on port {cloud.port}")
        process.stop(cloud.pid)
    shutil.rmtree(cloud.directory, ignore_errors=True)
    state_file.unlink(missing_ok=True)


def known(state_file: Path = STATE) -> Cloud | None:
    """The local cloud that was started here and not stopped, whether it still runs or not."""
    return Cloud(**json.loads(state_file.read_text())) if state_file.exists() else None


def is_running(cloud: Cloud) -> bool:
    """Whether a local cloud still runs."""
    return process.is_ours(cloud.pid)


def running(state_file: Path = STATE) -> Cloud | None:
    """The local cloud that the state file names, if it runs; what a dead one left is removed."""
    cloud = known(state_file)
    if cloud and not is_running(cloud):
        down(state_file=state_file)
        return None
    return cloud


def runtime() -> str:
    """The Lambda runtime that the local cloud has: its own Python, whatever a template says."""
    version = "import sys; print('python%d.%d' % sys.version_info[:2])"
    return subprocess.run([PYTHON, "-c", version], check=True, capture_output=True, text=True).stdout.strip()


def architecture() -> str:
    """This machine's processor, as Lambda calls it."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def _start(*, port: int, directory: Path, stack: str) -> Cloud:
    shutil.rmtree(directory, ignore_errors=True)
    temporary = directory / "tmp"
    temporary.mkdir(parents=True)
    environment = _without_aws() | {
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT / "infra/local"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pid = process.spawn([str(PYTHON), "-m", "localcloud"], environment, log=directory / "log")
    return Cloud(
        endpoint=f"http://127.0.0.1:{port}",
        pid=pid,
        port=port,
        region=REGION,
        stack=stack,
        directory=str(directory),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _free_port(ports: Sequence[int]) -> int:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    taken = f"Port {ports[0]} is" if len(ports) == 1 else f"Ports {ports[0]} to {ports[-1]} are all"
    raise Trouble(f"{taken} taken.", "Name a free one with --port, or stop what runs there.")


def _await_health(cloud: Cloud, state_file: Path) -> None:
    """Raises Trouble when it ends, or when it neither answers nor says anything for too long."""
    log = Path(cloud.directory, "log")

    def look() -> tuple[tuple[bool, int], bool]:
        answers = _answers(f"{cloud.endpoint}/_heliograph/health")
        return (answers, log.stat().st_size), answers or not process.is_alive(cloud.pid)

    answers, _ = until_still(look, patience=START_PATIENCE, most=TICK)
    if not answers:
        said = _ending(log)
        down(state_file=state_file)
        raise Trouble(f"The local cloud did not start:\n{said}")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):  # noqa: S310  (loopback, http)
            return True
    except (URLError, ConnectionError, TimeoutError):
        return False


def _built() -> Path:
    """The built stack; `HELIOGRAPH_BUILT` names another, as that of the tests with messages of their own."""
    return Path(os.environ.get("HELIOGRAPH_BUILT") or BUILT)


def _deploy(cloud: Cloud, named: str) -> None:
    """The channels are named even where they stay: if they are not, the SAM CLI packs those of the template."""
    stack = LocalStack(cloud.stack, cloud.region, cloud.endpoint)
    channels = channels_of(stack, named)
    parameters = PARAMETERS | {"Runtime": runtime(), "Architecture": architecture()}
    parameters |= {"Channels": channels} if channels else {}
    log = Path(cloud.directory, "deploy.log")
    command = [
        str(SAM),
        "deploy",
        "--template-file",
        str(_built()),
        "--stack-name",
        cloud.stack,
        "--region",
        cloud.region,
    ]
    command += [
        "--language-extensions",
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
    ]
    command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--parameter-overrides", *(f"{name}='{value}'" for name, value in parameters.items())]
    began = datetime.now(UTC)
    with log.open("w") as output:
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=_environment_of(cloud), stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode:
        why = "\n".join(failures(stack, began)) or _ending(log)
        raise Trouble(f"The stack could not be deployed:\n{why}\n", f"All of it is in {log}.")


def _environment_of(cloud: Cloud) -> dict[str, str]:
    """The root of the local cloud, and nothing of the user's own AWS accounts."""
    return _without_aws() | {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",
    }


def _without_aws(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(("AWS_", "PYTHON"))}


def _ending(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
