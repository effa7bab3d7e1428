"""Draws what the demo prints as a terminal, for the README: the text here is what a test finds in the real output."""

from html import escape

SHOWN = """\
$ rm media/photos/10000041*.jpg media/photos/10000040[89]*.jpg media/videos/VID_00[0-2]*.mp4
(39 files)
[…]
$ python manage.py cleanup_orphaned_media --dry-run
[…]
Audit log: complete up to 2 s ago, 39 deletions since the last checkpoint

======================================================================
ORPHANED RECORDS FOUND:
======================================================================
Photos: 10 orphaned out of 414 total
Videos: 29 orphaned out of 157 total
======================================================================
[…]
Affected albums:
  - Evan Photos: 10 photos, 29 videos

Also deleted: 8 custom album links, 2 renditions, 41 tag links
Set to empty: 1 album cover
[…]
$ python manage.py cleanup_orphaned_media --force
[…]
✓ Database cleaned successfully!
[…]
$ python manage.py restore_orphaned_media --force
[…]
✓ Records restored!
"""
TITLE = "make demo"
WIDTH, LINE, LEFT, TOP = 780, 19, 20, 34  # pixels
KINDS = {"$": "typed", "✓": "good", "[": "soft", "=": "soft"}
STYLE = """
    rect { fill: #16191d; stroke: #3a4048; }
    text { fill: #d7dbe0; font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }
    .typed { fill: #8fc3ff; }
    .good { fill: #7fd39a; }
    .soft { fill: #8d97a3; }
  """


def drawing() -> str:
    """The picture, as SVG."""
    lines = SHOWN.splitlines()
    height = TOP + LINE * len(lines)
    texts = "\n".join(drawn(line, TOP + LINE * at) for at, line in enumerate(lines) if line)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">
  <title id="title">{TITLE}</title>
  <style>{STYLE}</style>
  <rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>
{texts}
</svg>
"""


def drawn(line: str, y: int) -> str:
    kind = KINDS.get(line[0])
    style = f' class="{kind}"' if kind else ""
    return f'  <text x="{LEFT}" y="{y}"{style} xml:space="preserve">{escape(line, quote=False)}</text>'
