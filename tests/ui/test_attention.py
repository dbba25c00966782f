import json

import numpy as np
import pytest

from seqdemo.explain import rollout
from seqdemo.ui import attention, resources

PAGE = "../../pages/attention.py"


def unpack(message):
    length = int.from_bytes(message[:4], "little")
    header, body = json.loads(message[4 : 4 + length]), message[4 + length :]
    return header, {
        name: np.frombuffer(body, place["dtype"], place["size"], place["offset"])
        for name, place in header["arrays"].items()
    }


def sent(app):
    """The message that the component was sent."""
    (proto,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "attention"]
    return unpack(proto.bytes)


@pytest.fixture
def page(app, loaded):
    """The page with every model loaded."""
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def test_something_is_on_screen_before_anything_is_typed(page):
    header, arrays = sent(page)
    assert header["kind"] == "looks"
    assert header["title"]
    model = resources.models()[attention.NAME]
    looks = rollout.look(model, attention.DEFAULT.text)
    np.testing.assert_array_equal(arrays["query"].reshape(looks.query.shape), looks.query)
