"""The tables: an append-only log, what is projected from it, and what was deleted."""

from django.db import models


class Root(models.Model):
    """A media folder; `path` is its real path, as text.

    `marker` is the UUID in its marker file, or None where no marker proves it.
    `mounts` are the relative paths at which file systems were mounted inside it when it was last covered.
    """

    path = models.TextField(unique=True)
    registered_at = models.DateTimeField(auto_now_add=True)
    marker = models.UUIDField(null=True)
    mounts = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.path


class Head(models.Model):
    """The end of the log, in one row; every append locks it, so that positions have no holes."""

    log_id = models.UUIDField()
    position = models.PositiveBigIntegerField(default=0)
    batch = models.PositiveBigIntegerField(default=0)
    seal = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="auditor_head_one_row")]

    def __str__(self) -> str:
        return f"position {self.position}"


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
            models.Index(fields=["run_id"], name="auditor_event_by_run", condition=models.Q(run_id__isnull=False)),
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

    `fields` says what was compared: {"app.Model.field": {"highest_key": int or null, "odd_keys": [int, …]}}.
    """

    position = models.PositiveBigIntegerField(primary_key=True)
    span = models.ForeignKey(Span, models.CASCADE, related_name="checkpoints")
    made_at = models.DateTimeField()
    fields = models.JSONField()

    def __str__(self) -> str:
        return f"checkpoint at {self.position}"


class Run(models.Model):
    """One clean-up that was allowed to delete, and how it ended."""

    uid = models.UUIDField(primary_key=True)
    command = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    user = models.CharField(max_length=150, default="")
    deleted = models.PositiveBigIntegerField(default=0)
    kept = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.command} {self.uid}"


class Tombstone(models.Model):
    """What is kept of one row that a run deleted or emptied, as JSON in `payload`, and its SHA-256."""

    class Kind(models.TextChoices):
        """Why the row is here: it was an orphan, a cascade took it, or a key in it was set to empty."""

        ORPHAN = "orphan"
        CASCADE = "cascade"
        EMPTIED = "emptied"

    run = models.ForeignKey(Run, models.PROTECT, related_name="tombstones")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    model = models.CharField(max_length=200)
    key = models.TextField()
    payload = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["model", "key"], name="auditor_tombstone_by_record")]

    def __str__(self) -> str:
        return f"{self.model}:{self.key}"
