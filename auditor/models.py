"""The tables: an append-only log, what is projected from it, and what was deleted."""

from django.db import models


class Root(models.Model):
    """A media folder; `path` is its real path, as text.

    `marker` is the UUID in its marker file, or None where no marker proves it.
    `identity` is its device and inode, which stand in for a marker in a folder that cannot be written to.
    `mounts` are the relative paths at which file systems were mounted inside it when it was last covered.
    `noted_until` is the position of the log at which a run last noted every name that was missing.
    `resolved_until` is the position up to which the records of each missing name are among the candidates.
    `told_until` is the last candidate of which the watcher has told whether it is an orphan.
    """

    path = models.TextField(unique=True)
    registered_at = models.DateTimeField(auto_now_add=True)
    marker = models.UUIDField(null=True)
    identity = models.CharField(max_length=64, default="")
    mounts = models.JSONField(default=list)
    noted_until = models.PositiveBigIntegerField(default=0)
    resolved_until = models.PositiveBigIntegerField(default=0)
    told_until = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.path


class Overview(Root):
    """The admin's page of how all roots are: a proxy gives it its place in the admin and its permission."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = "overview"


class Head(models.Model):
    """The end of the log, in one row; every append locks it, so that positions have no holes.

    `pruning_until` is the position up to which events may be deleted: 0 but within the transaction of a prune.
    """

    log_id = models.UUIDField()
    position = models.PositiveBigIntegerField(default=0)
    batch = models.PositiveBigIntegerField(default=0)
    seal = models.CharField(max_length=64)
    pruning_until = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="auditor_head_one_row")]

    def __str__(self) -> str:
        return f"position {self.position}"


class Verified(models.Model):
    """Up to where the log was verified last, in one row: a batch, its last position and its seal.

    `keyed_since` is the first batch that is sealed with a key, if there is one.
    """

    batch = models.PositiveBigIntegerField()
    position = models.PositiveBigIntegerField()
    seal = models.CharField(max_length=64)
    keyed_since = models.PositiveBigIntegerField(null=True)
    verified_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="auditor_verified_one_row")]

    def __str__(self) -> str:
        return f"verified up to position {self.position}"


class Batch(models.Model):
    """The events of one append, sealed to the batch before."""

    number = models.PositiveBigIntegerField(primary_key=True)
    uid = models.UUIDField(unique=True)
    first_position = models.PositiveBigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    recorded_at = models.DateTimeField()
    events_hash = models.CharField(max_length=64)
    previous_seal = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"batch {self.number}"

    @property
    def last_position(self) -> int:
        """The position of its last event."""
        return self.first_position + self.count - 1


class Event(models.Model):
    """One fact, in its stored form; see `auditor.auditlog.events` for what each type means."""

    position = models.PositiveBigIntegerField(primary_key=True)
    type = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField(default=1)
    root = models.ForeignKey(Root, models.PROTECT, null=True, related_name="+", db_index=False)
    path = models.TextField(default="")
    occurred_at = models.DateTimeField()
    run_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["root", "path", "position"], name="auditor_event_by_path"),
            models.Index(fields=["type", "position"], name="auditor_event_by_type"),
            models.Index(
                fields=["run_id", "position"],
                name="auditor_event_by_run",
                condition=models.Q(run_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.type} {self.path}"


class MissingFile(models.Model):
    """A name whose last event says gone; `is_directory` makes it a prefix. Projected from the events."""

    root = models.ForeignKey(Root, models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    is_directory = models.BooleanField()
    position = models.PositiveBigIntegerField()
    moved_to = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "path", "is_directory"], name="auditor_missing_once")]

    def __str__(self) -> str:
        return self.path


class Span(models.Model):
    """A time in which the watcher vouches for a root: from `opened_at` to `covered_until`."""

    uid = models.UUIDField(primary_key=True)
    root = models.ForeignKey(Root, models.CASCADE, related_name="spans")
    identity = models.CharField(max_length=64)
    opened_at = models.DateTimeField()
    opened_position = models.PositiveBigIntegerField()
    covered_until = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_reason = models.CharField(max_length=40, default="")
    closed_detail = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["root"], condition=models.Q(closed_at__isnull=True), name="auditor_one_open_span"
            )
        ]

    def __str__(self) -> str:
        return f"{self.root} from {self.opened_at:%Y-%m-%d %H:%M:%S}"


class Checkpoint(models.Model):
    """A full comparison of references with the disk, made inside an open span.

    `fields` says what was compared: {"app.Model.field": {"journal": str, "has_too_many_odd": bool}}.
    """

    position = models.PositiveBigIntegerField(primary_key=True)
    span = models.ForeignKey(Span, models.CASCADE, related_name="checkpoints")
    made_at = models.DateTimeField()
    fields = models.JSONField()

    def __str__(self) -> str:
        return f"checkpoint at {self.position}"


class UncheckedReference(models.Model):
    """A reference that was written, and that nobody has looked at since: the reference journal.

    Triggers on the audited tables write it, in the writer's own transaction; see `auditor.journal.triggers`.
    `field` is 'app.Model.field', of the model whose table holds the column, and `key` its row's key as text.
    An entry may be there twice.
    """

    field = models.CharField(max_length=255)
    key = models.TextField()

    def __str__(self) -> str:
        return f"{self.field} of {self.key}"


class Candidate(models.Model):
    """A reference worth a look, each time: its file was missing, or the log cannot speak for its name.

    `field` and `key` are those of the reference journal.
    """

    field = models.CharField(max_length=255)
    key = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["field", "key"], name="auditor_candidate_once")]

    def __str__(self) -> str:
        return f"{self.field} of {self.key}"


class Run(models.Model):
    """One clean-up that was allowed to delete, and how it ended."""

    uid = models.UUIDField(primary_key=True)
    command = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    user = models.CharField(max_length=150, default="")
    deleted = models.PositiveBigIntegerField(default=0)
    kept = models.PositiveBigIntegerField(default=0)

    class Meta:
        permissions = [("restore_run", "Can bring back what a run deleted")]

    def __str__(self) -> str:
        return f"{self.command} {self.uid}"


class Tombstone(models.Model):
    """What is kept of one row that a run deleted or changed: as JSON in `payload`, and the SHA-256 of that.

    `restored_at` is when a later run brought it back; `erased_at` is when the payload was erased for privacy.
    """

    class Kind(models.TextChoices):
        """What the run did: it was an orphan, a cascade took it, a key in it was emptied, or a name was changed."""

        ORPHAN = "orphan"
        CASCADE = "cascade"
        EMPTIED = "emptied"
        RELINKED = "relinked"

    # The run's row is written in the same transaction: to have the database look it up for each row, and keep an index
    # more, would take a fifth of the time of a clean-up.
    run = models.ForeignKey(Run, models.PROTECT, related_name="tombstones", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    model = models.CharField(max_length=200)
    key = models.TextField()
    payload = models.TextField()
    sha256 = models.CharField(max_length=64)
    restored_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="auditor_tombstone_by_run")]

    def __str__(self) -> str:
        return f"{self.model}:{self.key}"


class Acknowledgement(models.Model):
    """A loss that a person knows of: this record, as long as its field holds this name, is not reported again."""

    model = models.CharField(max_length=200)
    key = models.TextField()
    field = models.CharField(max_length=200)
    name = models.TextField()
    acknowledged_at = models.DateTimeField()
    user = models.CharField(max_length=150, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "key", "field"], name="auditor_acknowledged_once")]

    def __str__(self) -> str:
        return f"{self.model}:{self.key}"


class ClockReading(models.Model):
    """Two clocks read together when the log had reached `position`; see `auditor.auditlog.elapsed`.

    `read_at` is by the database's clock; `uptime_ms` is a machine's time since its start, and `boot` names that start.
    """

    position = models.PositiveBigIntegerField()
    read_at = models.DateTimeField()
    boot = models.CharField(max_length=36)
    uptime_ms = models.PositiveBigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["position"], name="auditor_clock_by_position")]

    def __str__(self) -> str:
        return f"{self.read_at:%Y-%m-%d %H:%M:%S} at position {self.position}"


class Absence(models.Model):
    """A name that a run saw missing and that nobody has seen since.

    It was missing at the `ClockReading` with the number `reading` already: that of the run, or one that the log
    gave it.
    """

    root = models.ForeignKey(Root, models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    seen_at = models.DateTimeField()
    reading = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="auditor_absent_once")]

    def __str__(self) -> str:
        return self.path


class Fingerprint(models.Model):
    """What a file was like when it was last seen: its size in bytes, and its device and inode."""

    root = models.ForeignKey(Root, models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    size = models.PositiveBigIntegerField()
    identity = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="auditor_fingerprint_once")]

    def __str__(self) -> str:
        return self.path


class Checksum(models.Model):
    """What a file's content was when it was last read: its size in bytes, its last change, and its BLAKE2b as hex.

    `summed_at` is when that was last compared, and `opened_at` when the image was last opened; null is never.
    """

    root = models.ForeignKey(Root, models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    size = models.PositiveBigIntegerField()
    mtime_ns = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    summed_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="auditor_checksum_once")]

    def __str__(self) -> str:
        return self.path


class OpenFinding(models.Model):
    """An error or a warning that a check has found, and that no later one has seen healed.

    `digest` is that of kind, root, path and record: the same for the same thing in every check.
    """

    digest = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=40)
    root = models.TextField()
    path = models.TextField()
    model = models.CharField(max_length=200)
    key = models.TextField()
    field = models.CharField(max_length=200)
    detail = models.TextField()
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"


class IntegrityCheck(models.Model):
    """One check that reached its end: what it looked at, and how much of each kind it found.

    `scope` is {"kinds": […], "models": […], "paths": […], "roots": […]}, in which no models and no paths are all.
    """

    uid = models.UUIDField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    scope = models.JSONField()
    counts = models.JSONField()

    def __str__(self) -> str:
        return f"check {self.uid}"
