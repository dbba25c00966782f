import json

import numpy as np
import pytest

from seqdemo.serve.message import pack
from tests.unpacked import unpacked


def test_arrays_come_back_as_they_went():
    arrays = {
        "u1": np.arange(5, dtype=np.uint8),
        "none": np.array([], dtype=np.float32),
        "f4": np.array([[1.5, -2], [np.float32(0.1), 0]], dtype=np.float32),
        "u2": np.array([7, 65_535, 1], dtype=np.uint16),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    header, found = unpacked(pack({"title": "gr\u00fcn \U0001f600"}, arrays))
    assert header["title"] == "gr\u00fcn \U0001f600"
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array.ravel(), err_msg=name)


@pytest.mark.parametrize("n", range(1, 6))
def test_every_array_stands_where_a_browser_can_read_it(n):
    message = pack({"pad": "x" * n}, {"bytes": np.zeros(n, np.uint8), "floats": np.zeros(2, np.float32)})
    length = int.from_bytes(message[:4], "little")
    places = json.loads(message[4 : 4 + length])["arrays"].values()
    assert (4 + length) % 4 == 0
    assert all(place["offset"] % 4 == 0 for place in places)


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        pack({"probability": float("nan")}, {})
