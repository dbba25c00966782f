"""How long one review takes a model on the machine at hand."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

REVIEW = """
I went into this one expecting very little, and for the first twenty minutes that was what I got: a tired detective, a
rainy street, and a voice that explains what the camera has already shown. Then the daughter comes home, and the film
wakes up. Their scenes at the kitchen table are written with patience, and neither of them ever says the thing that
both of them mean. The young actress is a discovery. She listens better than most people talk, and the old hand across
from her is wise enough to leave her the room. I could have done without the chase in the harbour, which looks cheap
and leads nowhere, and the music tells us what to feel when we feel it already. There is also a subplot about a stolen
painting that nobody seems to believe in, least of all the people who have to steal it. But the last half hour is as
good as anything I have seen this year: quiet, funny in the wrong places, and honest about what it costs to forgive
somebody who is not sorry. It is not the masterpiece that the poster promises, and it is a good deal better than its
first reel. Stay for the end, and take somebody you have not called for a while.
"""
"""Written for this purpose."""
N_WORDS = len(REVIEW.split())
RUNS = 9


def milliseconds_per_review(model: Classifier, *, runs: int = RUNS) -> float:
    """Measures one review, from text to P(positive), as a visitor's is answered.

    Args:
        model: The model.
        runs: How often it is measured, after one run that does not count.

    Returns:
        The median, in milliseconds.
    """
    model.predict_proba([REVIEW])
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        model.predict_proba([REVIEW])
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
