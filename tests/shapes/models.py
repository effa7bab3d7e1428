"""Models of awkward shape: what real projects have and the gallery has not."""

import uuid
from datetime import timedelta
from decimal import Decimal

import django
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
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


class Passport(models.Model):
    """A short name, and no two records with one file."""

    scan = models.FileField(upload_to="passports/", unique=True, max_length=20)


class Voucher(models.Model):
    """No two records with one file, by a constraint."""

    scan = models.FileField(upload_to="vouchers/")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scan"], name="shapes_voucher_once")]


class Lease(Contract):
    """The child of a child."""

    landlord = models.ForeignKey(Profile, models.SET_NULL, null=True)
    remarks = GenericRelation("Remark", "key", "kind")


class Remark(models.Model):
    """Hangs on any record, by a generic key."""

    # An app without migrations gets its tables before those that have them.
    kind = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
    key = models.CharField(max_length=50)
    about = GenericForeignKey("kind", "key")
    text = models.CharField(max_length=50, unique=True)


class Room(models.Model):
    """Where exhibits are shown."""

    name = models.CharField(max_length=50, unique=True)
    exhibits: "models.ManyToManyField[Exhibit, Showing]" = models.ManyToManyField("Exhibit", through="Showing")


class Exhibit(models.Model):
    """A key of text, a column of every kind that is hard to keep, and keys to its own kind."""

    code = models.CharField(max_length=20, primary_key=True)
    file = models.FileField(upload_to="exhibits/", blank=True)
    facts = models.JSONField(null=True)
    price = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    weight = models.FloatField(null=True)
    pattern = models.BinaryField(null=True)
    lasts = models.DurationField(default=timedelta)
    is_fragile = models.BooleanField(null=True)
    seen_at = models.DateTimeField(auto_now=True)
    twin = models.ForeignKey("self", models.SET_NULL, null=True, related_name="twins")
    base = models.ForeignKey("self", models.CASCADE, null=True, related_name="built_on")
    remarks = GenericRelation(Remark, "key", "kind")


class Showing(models.Model):
    """A link between the two with columns of its own, that only may be there once."""

    room = models.ForeignKey(Room, models.CASCADE)
    exhibit = models.ForeignKey(Exhibit, models.CASCADE)
    place = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "place"], name="shapes_one_at_a_place")]


class Ticket(models.Model):
    """Goes over to another exhibit when its own goes; only one valid ticket has a seat."""

    exhibit = models.ForeignKey(Exhibit, models.SET_DEFAULT, default="spare", db_constraint=False)
    showing = models.OneToOneField(Showing, models.SET_NULL, null=True)
    seat = models.UUIDField(null=True)
    is_valid = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seat"], condition=models.Q(is_valid=True), name="shapes_one_valid_ticket_to_a_seat"
            )
        ]


class Guard(models.Model):
    """Goes with its owner; until then it lets neither of two others go."""

    owner = models.ForeignKey(Exhibit, models.CASCADE, null=True, related_name="guards")
    protects = models.ForeignKey(Exhibit, models.PROTECT, null=True, related_name="protected_by")
    restricts = models.ForeignKey(Exhibit, models.RESTRICT, null=True, related_name="restricted_by")


class Unguarded(models.Model):
    """A key of which neither Django nor the database takes care before it is too late."""

    exhibit = models.ForeignKey(Exhibit, models.DO_NOTHING)


if django.VERSION >= (6, 1):

    class Painting(models.Model):
        """What the database itself cascades from."""

        file = models.FileField(upload_to="paintings/", blank=True)

    class Frame(models.Model):
        """Goes with its painting."""

        painting = models.ForeignKey(Painting, models.DB_CASCADE)

    class Nail(models.Model):
        """Goes with its frame, and so with the painting."""

        frame = models.ForeignKey(Frame, models.DB_CASCADE)

    class Shadow(models.Model):
        """Stays without its painting."""

        painting = models.ForeignKey(Painting, models.DB_SET_NULL, null=True)
        nail = models.ForeignKey(Nail, models.DB_SET_DEFAULT, null=True, db_default=None)
