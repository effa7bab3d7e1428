"""Draws the sample photos: small landscapes, no two alike, the same for the same chance."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageColor, ImageDraw, ImageOps

SIZES = [(720, 480), (480, 720), (640, 480), (768, 432), (560, 560)]  # pixels

# Shapes are drawn at twice the size: shrinking them smooths their edges, which Pillow leaves jagged.
REDUCTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one hour of the day; land is the far and the near end of a range."""

    sky: tuple[str, str]
    light: str
    land: tuple[str, str]


PALETTES = [
    Palette(sky=("#27476e", "#f6b48f"), light="#ffe6b8", land=("#8a6a83", "#2a2438")),
    Palette(sky=("#6fb7d6", "#eaf4ef"), light="#fffbe6", land=("#8fb8a8", "#24594f")),
    Palette(sky=("#141a3a", "#5d5a8c"), light="#f3efd9", land=("#3f3f70", "#10132b")),
    Palette(sky=("#f0a35e", "#fbe3c0"), light="#fff6de", land=("#c9806a", "#5a2f3b")),
    Palette(sky=("#a9d3c8", "#f8efe0"), light="#ffdca8", land=("#9aa98a", "#3c4f3e")),
    Palette(sky=("#d98ca6", "#fbe0d3"), light="#fff1e2", land=("#a7789c", "#43305c")),
]


def draw_picture(chance: Random) -> Image.Image:
    """A landscape, a sea or a town at some hour, in one of SIZES."""
    width, height = chance.choice(SIZES)
    palette = chance.choice(PALETTES)
    scene = chance.choice(SCENES)
    picture = _gradient((width * REDUCTION, height * REDUCTION), *palette.sky)
    scene(picture, palette, chance)
    return picture.reduce(REDUCTION)


def encode(picture: Image.Image) -> bytes:
    """The picture as a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=82)
    return file.getvalue()


def draw_mountains(picture: Image.Image, palette: Palette, chance: Random) -> None:
    """Ranges of hills under a sun, the nearest darkest."""
    _draw_sun(picture, palette, chance, height=chance.uniform(0.32, 0.44))
    for depth in range(5):
        _draw_ridge(picture, _mix(*palette.land, depth / 4), chance, height=0.45 + depth * 0.12)


def draw_sea(picture: Image.Image, palette: Palette, chance: Random) -> None:
    """A low sun and its path over the water."""
    width, height = picture.size
    horizon = int(height * chance.uniform(0.5, 0.65))
    sun = _draw_sun(picture, palette, chance, height=horizon / height - 0.06)
    water = _mix(*palette.sky, 0.4), _mix(palette.sky[0], palette.land[1], 0.7)
    picture.paste(_gradient((width, height - horizon), *water), (0, horizon))
    pen = ImageDraw.Draw(picture)
    for y in range(horizon + 16, height, 28):
        reach = (32 + (y - horizon) * 0.3) * chance.uniform(0.5, 1.2)
        colour = _mix(palette.light, palette.land[1], 0.05 + 0.4 * (y - horizon) / (height - horizon))
        pen.rounded_rectangle((sun - reach, y, sun + reach, y + 9), 4, fill=colour)


def draw_town(picture: Image.Image, palette: Palette, chance: Random) -> None:
    """Rows of houses with a few lit windows."""
    _draw_sun(picture, palette, chance, height=chance.uniform(0.3, 0.37))
    for depth in range(3):
        x = -chance.randrange(120)
        while x < picture.width:
            house = chance.randrange(104, 232)
            top = int(picture.height * (0.42 + depth * 0.16 + chance.uniform(-0.09, 0.09)))
            _draw_house(picture, (x, top, x + house, picture.height), palette, depth / 2, chance)
            x += house


SCENES: list[Callable[[Image.Image, Palette, Random], None]] = [draw_mountains, draw_sea, draw_town]


def _draw_sun(picture: Image.Image, palette: Palette, chance: Random, *, height: float) -> int:
    """Where it stands from the left, in pixels; height is a share of the picture's, from the top."""
    x, y = int(picture.width * chance.uniform(0.2, 0.8)), int(picture.height * height)
    pen = ImageDraw.Draw(picture, "RGBA")
    size = min(picture.size) // 11
    for halo, strength in ((3.2, 26), (2.2, 36), (1.5, 50), (1, 255)):
        reach = size * halo
        pen.ellipse(
            (x - reach, y - reach, x + reach, y + reach),
            fill=(*ImageColor.getrgb(palette.light)[:3], strength),
        )
    return x


def _draw_ridge(picture: Image.Image, colour: str, chance: Random, *, height: float) -> None:
    width, bottom = picture.size
    waves = [(chance.uniform(0.5, 6), chance.uniform(0, math.tau), chance.uniform(0.01, 0.06)) for _ in range(4)]
    line = [
        (
            x,
            bottom * (height + sum(size * math.sin(x / width * pace * 2 + start) for pace, start, size in waves)),
        )
        for x in range(0, width + 32, 32)
    ]
    ImageDraw.Draw(picture).polygon([(0, bottom), *line, (width, bottom)], fill=colour)


def _draw_house(
    picture: Image.Image, box: tuple[int, int, int, int], palette: Palette, nearness: float, chance: Random
) -> None:
    left, top, right, bottom = box
    pen = ImageDraw.Draw(picture)
    wall = _mix(*palette.land, nearness * 0.85 + chance.uniform(0, 0.15))
    dark = _mix(wall, "#000000", 0.18)
    pen.rectangle(box, fill=wall)
    if chance.randrange(2) == 0:
        pen.polygon([(left, top), ((left + right) / 2, top - (right - left) * 0.4), (right, top)], fill=wall)
    for y in range(top + 32, bottom, 56):
        for x in range(left + 24, right - 32, 44):
            pen.rectangle((x, y, x + 18, y + 26), fill=chance.choice([palette.light, dark, dark, dark]))


def _gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    # Coloured as one column and widened then, which takes a fifth of the time.
    column = Image.linear_gradient("L").resize((1, size[1]))
    return ImageOps.colorize(column, top, bottom).resize(size, Image.Resampling.NEAREST)


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
