"""As a program: users upload avatars through the pages of django-avatar; prints the names that are kept of them."""

import json
import sys
from io import BytesIO

import django
from PIL import Image

USERS, UPLOADS = 2, 2


def main() -> None:
    django.setup()
    from avatar.models import Avatar  # noqa: PLC0415 - there are no models before
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for number in range(USERS):
        browser = Client()
        browser.force_login(User.objects.create_user(f"user{number}"))
        for upload in range(UPLOADS):
            stream = BytesIO()
            Image.new("RGB", (200, 150), (40 * number, 80 * upload, 90)).save(stream, "PNG")
            file = SimpleUploadedFile(f"me{upload}.png", stream.getvalue(), "image/png")
            answer = browser.post(reverse("avatar:add"), {"avatar": file})
            assert answer.status_code == 302, answer.content
    json.dump([str(one.avatar) for one in Avatar.objects.order_by("pk")], sys.stdout)


if __name__ == "__main__":
    main()
