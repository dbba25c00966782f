"""Binary messages of routes, read as the browser reads them."""

import json

import numpy as np


def unpacked(message):
    """The header and the arrays of a binary message."""
    length = int.from_bytes(message[:4], "little")
    header, body = json.loads(message[4 : 4 + length]), message[4 + length :]
    places = header.pop("arrays")
    return header, {
        name: np.frombuffer(body, place["dtype"], place["size"], place["offset"]) for name, place in places.items()
    }
