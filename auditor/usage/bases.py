"""Finds names of files in texts, by their last part and in whatever spelling: as in HTML, in JSON, in a URL."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote

from auditor.usage.names import folded

WORD = re.compile(r"[^\W_]+")
JOINTS = "-._"  # what is joined to a word before it by these is only the end of a longer name
JUST_THE_WORD = ("",)  # one for all: there can be a million names
ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrt])")


class Bases:
    """The last parts of names that are looked for.

    A text mentions `a (1).jpg` where it holds that between two ends of words, be there spaces, quotes or brackets in
    it. Upper and lower case and the forms of Unicode count as the same.
    """

    def __init__(self, bases: Iterable[str]) -> None:
        self._names = frozenset(map(folded, bases))
        self._ends: dict[str, tuple[str, ...]] = {}  # {last word: what may follow it in a name}
        self._fronts: set[str] = set()  # what may stand before a name's first word
        self._wordless: list[str] = []
        self._longest = max(map(len, self._names), default=0)
        for name in self._names:
            words = list(WORD.finditer(name))
            if words:
                last, rest = words[-1][0], name[words[-1].end() :]
                rests = self._ends.setdefault(last, (rest,) if rest else JUST_THE_WORD)
                self._ends[last] = rests if rest in rests else (*rests, rest)
                self._fronts.add(name[: words[0].start()])
            else:
                self._wordless.append(name)

    def mentioned_in(self, text: str) -> set[str]:
        """Those of the last parts that the text mentions, without case: see `folded`."""
        found: set[str] = set()
        for form in forms(text):
            found.update(name for name in self._wordless if name in form)
            for last in self._ends.keys() & WORD.findall(form):
                found.update(self._ending_with(last, form))
        return found

    def _ending_with(self, last: str, text: str) -> Iterator[str]:
        for word in re.finditer(rf"(?<![^\W_]){re.escape(last)}(?![^\W_])", text):
            least = max(word.end() - self._longest, 0)
            least = max(least, text.rfind("/", least, word.start()) + 1)
            begins = [one.start() for one in WORD.finditer(text, least, word.end())]
            for rest in self._ends[last]:
                if text.startswith(rest, word.end()):
                    yield from self._between(text, least, begins, word.end() + len(rest))

    def _between(self, text: str, least: int, begins: list[int], end: int) -> Iterator[str]:
        for start in (begin - len(front) for front in self._fronts for begin in begins):
            if start >= least and text[start:end] in self._names and not is_joined(text, start):
                yield text[start:end]


def is_joined(text: str, start: int) -> bool:
    """Whether what starts there only goes on with a word before it, as `b.jpg` does in `a-b.jpg`."""
    while start and text[start - 1] in JOINTS:
        start -= 1
    return start > 0 and text[start - 1].isalnum()


def forms(text: str) -> set[str]:
    """What a text says if it is read as it is, as JSON and HTML, and as a URL; without upper case."""
    plain = _without_escapes(text) if "\\" in text else text
    plain = unescape(plain) if "&" in plain else plain
    every = {text, plain}
    if "%" in plain or "+" in plain:
        every |= {unquote(one, errors="surrogateescape") for one in (plain, plain.replace("+", " "))}
    return {folded(one) for one in every}


def _without_escapes(text: str) -> str:
    written = ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else " ", text)
    # Two halves make one character.
    return written.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
