"""Models of awkward shape: what real projects have and the gallery has not."""

import uuid

from django.core.files.storage import FileSystemStorage
from django.db import models


class Invoice(models.Model):
    """A key that does not increase."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    scan = models.FileField(upload_to="invoices/")


class Profile(models.Model):
    """Only an optional file: nobody should die for an avatar."""

    name = models.CharField(max_length=50)
    avatar = models.ImageField(upload_to="avatars/", blank=True)


class Document(models.Model):
    """The parent of a multi-table child."""

    title = models.CharField(max_length=50)
    file = models.FileField(upload_to="documents/")


class Contract(Document):
    """The child: its file field is the parent's."""

    signed = models.BooleanField(default=False)


class SignedContract(Contract):
    """A proxy: the same rows again."""

    class Meta:
        proxy = True


class Measured(models.Model):
    """Dimension fields: loading an instance opens the file."""

    image = models.ImageField(upload_to="measured/", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)


class Pair(models.Model):
    """Two files, both required."""

    left = models.FileField(upload_to="pairs/")
    right = models.FileField(upload_to="pairs/")


class Upload(models.Model):
    """An abstract parent."""

    file = models.FileField(upload_to="locked/")

    class Meta:
        abstract = True


class Locked(Upload):
    """A record that another one protects; its file field is the abstract parent's."""


class Lock(models.Model):
    """Protects its target from deletion."""

    target = models.ForeignKey(Locked, models.PROTECT)


def elsewhere() -> FileSystemStorage:
    """A storage with a folder of its own."""
    return FileSystemStorage(location="/nonexistent/elsewhere")


class Opened(models.Manager["Archived"]):
    """Hides rows."""

    def get_queryset(self) -> models.QuerySet["Archived"]:
        return super().get_queryset().filter(is_sealed=False)


class Archived(models.Model):
    """A file in another root, foreign keys that may be empty, and a default manager that hides rows."""

    file = models.FileField(storage=elsewhere)
    profile = models.ForeignKey(Profile, models.CASCADE, null=True)
    contract = models.ForeignKey(Contract, models.CASCADE, null=True)
    is_sealed = models.BooleanField(default=False)

    objects = Opened()


class Part(models.Model):
    """A key to its own kind."""

    whole = models.ForeignKey("self", models.CASCADE, null=True, blank=True)
    file = models.FileField(upload_to="parts/", blank=True)


class Page(models.Model):
    """A key of two columns."""

    pk = models.CompositePrimaryKey("book", "number")
    book = models.IntegerField()
    number = models.IntegerField()
    file = models.FileField(upload_to="pages/", blank=True)


class Detail(models.Model):
    """A picture that goes with another record, and opens its file when it is loaded."""

    part = models.ForeignKey(Part, models.CASCADE)
    image = models.ImageField(upload_to="details/", width_field="width", blank=True)
    width = models.PositiveIntegerField(null=True)
