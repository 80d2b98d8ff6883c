"""Ingesting a campaign folder: freeze what its run is made of, read all of it, then write to its people."""

from __future__ import annotations

from functools import partial

import msgspec

from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.aws.errors import BusyError
from heliograph.campaigns import segments
from heliograph.campaigns.newcomers import Newcomers
from heliograph.campaigns.segments import Campaign, Uploaded, told
from heliograph.campaigns.spool import RejectedRows, Spool
from heliograph.campaigns.uploads import Phase, Upload, Uploads, admitted, content_of
from heliograph.model.messages import Message
from heliograph.model.requests import Lane
from heliograph.model.runs import Run
from heliograph.runtime import wiring
from heliograph.runtime.observe import logger
from heliograph.text.csv import read_table
from heliograph.text.errors import Code, MalformedError
from heliograph.text.lines import Lines, legible

RACES = 5  # how often somebody else may change the uploads of a campaign before this try gives up
REPLACED = "a newer upload of the folder came before anybody was written to"
SAME = "the same content was uploaded before: this is its run, and nobody is written to twice"


class ReplacedError(Exception):
    """A newer upload of the folder holds in the place of this run."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.run_id)
        self.run = run


def ingest(uploaded: Uploaded) -> None:
    """Start the run of an upload, or go on with it; the same content twice is one run.

    Raises MalformedError when it cannot be read, which its run and the file beside the manifest then say.
    """
    folder, run_id = uploaded.detail.object.key.rpartition("/")[0], segments.run_id_of(uploaded)
    try:
        run = segments.new_run(uploaded)
    except MalformedError as error:
        _answer(folder, Run(run_id=run_id, campaign="", message="", started_at=uploaded.time, problem=str(error)))
        raise
    try:
        _start(run, uploaded, folder)
    except ReplacedError as error:
        replaced = msgspec.structs.replace(error.run, ingested=True, replaced=True, problem=REPLACED)
        wiring.runs().keep(replaced)
        _answer(folder, replaced)
        logger.info("An upload was replaced by a newer one", extra={"run_id": replaced.run_id})


def _start(run: Run, uploaded: Uploaded, folder: str) -> None:
    manifest = StoredObject(uploaded.detail.object.key, uploaded.detail.object.version_id, uploaded.detail.object.etag)
    try:
        campaign, upload, uploads = _admit(run, manifest, folder)
        is_same = upload.run_id != run.run_id
        run = msgspec.structs.replace(run, run_id=upload.run_id, started_at=upload.started_at)
        run = wiring.runs().get(run.run_id) or run
        if is_same:
            run = msgspec.structs.replace(run, uploads=run.uploads + 1)
            wiring.runs().keep(run)
            logger.info("A folder was uploaded with the same content", extra={"run_id": run.run_id})
        if upload.phase is Phase.REPLACED:
            raise ReplacedError(run)
        has_stopped = upload.phase is Phase.SENDING and run.problem
        if not run.ingested or upload.phase is Phase.OPEN or has_stopped:
            run = _ingest(run, upload, uploads, campaign, folder)
        elif is_same:
            _answer(folder, run, note=SAME)
    except MalformedError as error:
        _fail(run, error, folder)
        raise


def _admit(run: Run, manifest: StoredObject, folder: str) -> tuple[Campaign, Upload, Uploads]:
    """Freeze what the run is made of, once: a retry finds what the first try found."""
    bucket = wiring.bucket()
    text = bucket.read(manifest, limit=segments.MANIFEST_LIMIT)
    campaign = segments.read_campaign(text)
    for _ in range(RACES):
        uploads, revision = wiring.campaigns().read(run.campaign)
        if (known := uploads.find(run.run_id)) and known.phase is not Phase.FAILED:
            return campaign, known, uploads
        if manifest.etag not in ("", bucket.current(manifest.key).etag):
            raise ReplacedError(run)
        segment = bucket.current(f"{folder}/{campaign.segment}")
        new = Upload(
            run_id=run.run_id,
            started_at=run.started_at,
            content=content_of(text, segment.etag),
            segment=segment.key,
            version=segment.version,
        )
        admission = admitted(uploads, new, again=campaign.again)
        if admission.uploads is uploads or wiring.campaigns().write(
            run.campaign, admission.uploads, revision=revision, at=wiring.now()
        ):
            return campaign, admission.upload, admission.uploads
    raise BusyError("several uploads of one folder came at once")


def _ingest(run: Run, upload: Upload, uploads: Uploads, campaign: Campaign, folder: str) -> Run:
    """Read all of a segment, keep what it comes to, and queue its people: nobody before everything was read."""
    message = wiring.templates().messages.get(campaign.message)
    if message is None:
        raise MalformedError(
            Code.CAMPAIGN_MESSAGE_UNKNOWN, f"{segments.MANIFEST}: message", f"there is no message {campaign.message}"
        )
    run = msgspec.structs.replace(
        run,
        message=message.name,
        version=message.version,
        reference=campaign.reference,
        ingested=False,
        problem="",
    )
    if not run.audience:
        wiring.runs().keep(run)
    before, bucket = uploads.before(upload), wiring.bucket()
    _refuse_half_done(before)
    segment = StoredObject(upload.segment, upload.version)
    read = partial(_read, run=run, message=message, campaign=campaign, before=before)
    (spool, rejected, run), encoding = legible(lambda: bucket.chunks(segment), read, campaign.encoding)
    with spool:
        manifest = segments.frozen(run, campaign, upload, encoding=encoding, before=before)
        bucket.write(f"runs/{run.run_id}/manifest.json", manifest, "application/json")
        bucket.write(_names(run.run_id), spool.names(), "text/plain; charset=utf-8")
        if name := segments.rejected_rows(run):
            bucket.answer(f"{folder}/{name}", rejected.file(), "text/csv; charset=utf-8")
        _begin(run)
        wiring.runs().keep(run)
        wiring.requests(Lane.BULK).send_bodies(spool.bodies())
    run = msgspec.structs.replace(run, ingested=True)
    wiring.runs().keep(run)
    _answer(folder, run)
    figures = {"audience": run.audience, "reached_before": run.reached, "rejected": run.rejected}
    logger.info("A segment was ingested", extra={"run_id": run.run_id, **figures})
    return run


def _read(
    lines: Lines, *, run: Run, message: Message, campaign: Campaign, before: list[str]
) -> tuple[Spool, RejectedRows, Run]:
    """What a segment comes to, on disk."""
    spool, reached = Spool(), 0

    def pass_over() -> None:
        nonlocal reached
        reached += 1

    try:
        table = read_table(lines, required="recipient_id")
        rejected = spool.rejected(table.columns)
        people = segments.people(table, rejected.add, reached=reached_by(wiring.bucket(), before), pass_over=pass_over)
        for pack, text in segments.packed(people, table.columns, run, message, campaign):
            spool.add(pack, text)
    except BaseException:
        spool.close()
        raise
    run = msgspec.structs.replace(run, audience=spool.people, rejected=rejected.count, reached=reached)
    return spool, rejected, run


def reached_by(bucket: Bucket, runs: list[str]) -> Newcomers | None:
    """Whom earlier runs have reached; None: there were none."""
    if not runs:
        return None
    reached = Newcomers()
    for run_id in runs:
        names = iter(Lines(bucket.chunks(StoredObject(_names(run_id), ""))))
        reached.known(hash(name.rstrip("\n")) for name in names)
    return reached


def _refuse_half_done(before: list[str]) -> None:
    """Nobody can tell whom a run has reached that stopped half-way: it goes on before another one leaves them out."""
    for run_id in before:
        run = wiring.runs().get(run_id)
        if run and run.problem:
            raise MalformedError(
                Code.EARLIER_RUN_STOPPED,
                "campaign",
                f"run {run_id} of it stopped half-way. Mend that ({run.problem}), let it go on with "
                "`heliograph dead-letters redrive segments --parked`, then upload this folder again",
            )


def _names(run_id: str) -> str:
    return f"runs/{run_id}/people.txt"


def _begin(run: Run) -> None:
    """From now on whoever is in the run counts as reached; raises ReplacedError when a newer upload came first."""
    _move(run, Phase.SENDING)


def _move(run: Run, phase: Phase) -> None:
    for _ in range(RACES):
        uploads, revision = wiring.campaigns().read(run.campaign)
        upload = uploads.find(run.run_id)
        if upload is None or upload.phase is Phase.REPLACED:
            raise ReplacedError(run)
        if upload.phase is not Phase.OPEN:
            return
        moved = uploads.moved(run.run_id, phase)
        if wiring.campaigns().write(run.campaign, moved, revision=revision, at=wiring.now()):
            return
    raise BusyError("several uploads of one folder came at once")


def _fail(run: Run, error: MalformedError, folder: str) -> None:
    """Say why a run could not start, or go on, where its owner looks: in the run and beside the manifest."""
    uploads, _ = wiring.campaigns().read(run.campaign)
    if uploads.find(run.run_id):
        _move(run, Phase.FAILED)
    failed = msgspec.structs.replace(run, ingested=True, problem=str(error))
    wiring.runs().keep(failed)
    _answer(folder, failed)


def _answer(folder: str, run: Run, *, note: str = "") -> None:
    """Write what came of an upload beside its manifest."""
    state = "replaced" if run.replaced else "failed" if run.problem else "queued"
    if run.reached and not note:
        note = (
            f"{run.reached} people were reached by earlier runs of this campaign and are left out: "
            "`again = true` in the manifest starts over"
        )
    text = told(run, state=state, note=note)
    wiring.bucket().answer(f"{folder}/result-{run.run_id}.toml", text, "text/plain; charset=utf-8")
