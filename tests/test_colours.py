"""The two colours of signed quantities: apart from each other for every eye, and from what the models wear."""

import itertools

import numpy as np
import pytest

from seqdemo import colours
from seqdemo.models.registry import MODELS

PAPER = {"light": "#ffffff", "dark": "#12171c"}
SEEN = {  # Machado, Oliveira and Fernandes (2009), severity 1
    "by most": np.eye(3),
    "without red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(light):
    """CIELAB, where a step of 2 is just seen."""
    x, y, z = np.cbrt(TO_XYZ @ light / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one, other, eye):
    seen = [lab(np.clip(np.array(SEEN[eye]) @ linear(colour), 0, 1)) for colour in (one, other)]
    return np.linalg.norm(seen[0] - seen[1])


def contrast(one, other):
    light, dark = sorted(((TO_XYZ @ linear(colour))[1] for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [(colours.ABOVE_0[theme], colours.BELOW_0[theme]) for theme in PAPER]
PAIRS.append((colours.ABOVE_0_ON_BOTH, colours.BELOW_0_ON_BOTH))


@pytest.mark.parametrize("eye", SEEN)
def test_above_and_below_0_are_told_apart(eye):
    assert min(apart(*pair, eye) for pair in PAIRS) > 20


def test_no_model_wears_them():
    worn = [spec.colour for spec in MODELS.values()]
    assert min(apart(one, other, "by most") for one, other in itertools.product(itertools.chain(*PAIRS), worn)) > 20


@pytest.mark.parametrize("theme", PAPER)
def test_a_line_in_them_is_seen_on_its_paper(theme):
    for colour in (colours.ABOVE_0[theme], colours.BELOW_0[theme]):
        assert contrast(colour, PAPER[theme]) > 3
    for colour in PAIRS[-1]:
        assert contrast(colour, PAPER[theme]) > 3
