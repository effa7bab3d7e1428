#!/usr/bin/env python
"""Runs the reference site, or any other named by DJANGO_SETTINGS_MODULE."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.gallery.settings")
    execute_from_command_line(sys.argv)
