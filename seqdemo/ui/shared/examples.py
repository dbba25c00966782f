"""Reviews to begin with, one for each thing that is hard about reading opinions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A review and what it tries a model with.

    Attributes:
        kind: Its name on the button.
        text: The review.
    """

    kind: str
    text: str


EXAMPLES: tuple[Example, ...] = (
    Example(
        "Contrast",
        "The first hour is slow and the jokes fall flat, and I nearly left. But then the brother comes home, "
        "and what follows is so warm, so funny and so finely acted that I forgave it everything.",
    ),
    Example(
        "Plain",
        "A wonderful little film. The acting is superb, the music is beautiful, and I smiled all the way home.",
    ),
    Example(
        "Negation",
        "This is not the masterpeice everyone promised. It isn't funny, it never gets exciting, "
        "and I can't say that I cared about anyone in it.",
    ),
    Example(
        "Opinion first",
        "I loved every minute of this film. It begins in a small harbour town, where a young clerk finds a letter "
        "behind the counter of the post office. The letter was written forty years before and never sent. He takes "
        "the night train to the city to look for the woman whose name is on the envelope, and on the way he meets a "
        "retired sailor, who remembers her brother. They go from house to house, from one street to the next, and in "
        "the evening they sit in the station and wait. Meanwhile his employer has noticed that the letter is missing "
        "and sends two men after him. On the third day they reach the river, and an old ferryman tells them what "
        "happened in the winter of the flood.",
    ),
    Example(
        "Opinion last",
        "A detective comes back to the village where he was born, because a farmer has disappeared. He talks to the "
        "priest, to the doctor and to the woman at the inn. Snow falls, the road is closed, and the telephone does "
        "not work. In the barn he finds a lamp, a coat and a map with a cross on it. The following morning the whole "
        "village walks up to the lake. It is two hours long, and it is the dullest, most badly written film that I "
        "have seen this year.",
    ),
    Example(
        "Sarcasm",
        "Oh great, another two hours of men explaining explosions to each other. What a brilliant idea to cut out "
        "the story. I especially enjoyed the moment when it ended.",
    ),
)
"""The first one stands in the box when the page is opened."""
