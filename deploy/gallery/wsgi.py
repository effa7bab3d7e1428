"""The gallery for a WSGI server: `gunicorn deploy.gallery.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.gallery.settings")
application = get_wsgi_application()
