"""Tells the auditor which gallery files a record cannot do without."""

from auditor.orphans.registry import register

register("gallery.Photo", primary=["image"], derived=["thumbnail"], label="Photos", group="album")
register("gallery.Video", primary=["video"], derived=["thumbnail"], label="Videos", group="album")
