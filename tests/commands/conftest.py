"""What the tests of this room share."""

from tests.s3_server import s3  # noqa: F401 - a fixture
