"""Can everybody tell the seven states apart? The fills of the sheet, measured, also as a deuteranope sees them."""

import math
import re
from itertools import combinations
from pathlib import Path

import pytest

SHEET = (Path(__file__).parent.parent / "web" / "static" / "dondoc.css").read_text(encoding="utf-8")
FILLS = ("ok", "in", "late", "over", "back", "wait", "none")
#: Full deuteranopia, on linear RGB (Machado, Oliveira, Fernandes 2009).
DEUTERANOPE = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)

Three = tuple[float, float, float]


def tokens(theme: str) -> list[dict[str, str]]:
    """The tokens of a theme; the dark ones stand twice in the sheet."""
    blocks = re.findall(r"(:root[^{]*)\{\s*color-scheme: (light|dark);(.*?)\}", SHEET, re.DOTALL)
    found = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body)) for _, scheme, body in blocks if scheme == theme]
    return [each for each in found if "over" in each]


def linear(colour: str) -> Three:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue))  # type: ignore[return-value]


def times(matrix: tuple[Three, ...], vector: Three) -> Three:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)  # type: ignore[return-value]


def lab(rgb: Three) -> Three:
    clipped: Three = tuple(min(max(c, 0.0), 1.0) for c in rgb)  # type: ignore[assignment]
    x, y, z = (value / white for value, white in zip(times(XYZ, clipped), WHITE, strict=True))
    fx, fy, fz = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def difference(one: Three, other: Three) -> float:
    """CIEDE2000 (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = (1 - math.sqrt(mean**7 / (mean**7 + 25**7))) / 2
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    mh = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = 1 + sum(
        k * math.cos(math.radians(n * mh + p))
        for k, n, p in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    )
    sl = 1 + 0.015 * (ml - 50) ** 2 / math.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    turned = math.radians(60 * math.exp(-(((mh - 275) / 25) ** 2)))
    rt = -2 * math.sqrt(mc**7 / (mc**7 + 25**7)) * math.sin(turned)
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_itself_gives_the_published_values(one: Three, other: Three, expected: float) -> None:
    assert difference(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eye", ["normal", "deuteranope"])
def test_the_fills_of_any_two_states_differ_for_every_eye(theme: str, eye: str) -> None:
    blocks = tokens(theme)
    assert len(blocks) == (1 if theme == "light" else 2)
    for block in blocks:
        seen = {name: linear(block[name]) for name in FILLS}
        fills = {name: lab(times(DEUTERANOPE, rgb) if eye == "deuteranope" else rgb) for name, rgb in seen.items()}
        measured = {pair: difference(fills[pair[0]], fills[pair[1]]) for pair in combinations(FILLS, 2)}
        assert len(measured) == 21
        assert not {pair: value for pair, value in measured.items() if value <= 10}
