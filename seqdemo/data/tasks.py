"""Made-up sequences whose answer is known and whose difficulty is their length.

Each task draws fresh sequences from a numpy generator. Token ids begin at 1, since 0 is padding;
drawn inputs are padded with zeros on the right where rows differ in length. Shapes: n sequences
of at most T steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqdemo.data import grammar

Answer = Literal["yes or no", "class", "number", "class at every step"]
"""What is asked: the probability of the second of two labels, a class, a number, or a class a step."""
CORRECT_WITHIN = 0.04
"""An answer to the adding task counts as correct within this (Hochreiter & Schmidhuber 1997, section 5.4)."""
ADDING_BASELINE_MSE = 1 / 6
"""Mean squared error of always answering 1 to the adding task: the variance of a sum of two uniform numbers."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Sequences with their answers.

    Attributes:
        inputs: Token ids int64 (n, T), or real-valued float32 (n, T, 2).
        lengths: Steps of each sequence, int64 (n,).
        targets: Classes from 0, int64 (n,), numbers float32 (n,), or a class at every step, int64 (n, T).
    """

    inputs: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]
    targets: npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task that a model can be trained on at any length.

    Attributes:
        name: Its name in results.
        label: Its name on screen.
        question: What has to be answered, in one sentence.
        draw: `(rng, n, length)` → n sequences of that length.
        vocab_size: Token ids and padding; 0 where inputs are real-valued.
        n_classes: Classes to choose from; 1 where the answer is a number.
        chance: Share that is answered correctly without looking at the sequence.
        at_every_step: Whether every step has an answer, rather than the whole sequence one.
        uncounted: A class whose steps are left out of the accuracy, since they ask for nothing.
        foretells: Whether the answer at each step is the next word, so that who reads ahead has nothing to learn.
    """

    name: str
    label: str
    question: str
    draw: Callable[[np.random.Generator, int, int], Batch]
    vocab_size: int
    n_classes: int
    chance: float
    at_every_step: bool = False
    uncounted: int | None = None
    foretells: bool = False

    @property
    def answer(self) -> Answer:
        """What is asked."""
        return "number" if self.n_classes == 1 else "class at every step" if self.at_every_step else "class"


def first_token(rng: np.random.Generator, n: int, length: int) -> Batch:
    """The first token, 1 or 2, is the class; then noise tokens 3 to 10 follow.

    The simplest form of the latching problem (Bengio, Simard & Frasconi 1994, section 3).

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each.

    Returns:
        Ids (n, length) and classes 0 or 1.
    """
    ids = rng.integers(3, 11, (n, length))
    targets = rng.integers(0, 2, n)
    ids[:, 0] = targets + 1
    return Batch(inputs=ids, lengths=np.full(n, length), targets=targets)


def adding(rng: np.random.Generator, n: int, length: int) -> Batch:
    """The sum of the two marked numbers among many.

    Hochreiter & Schmidhuber 1997, section 5.4, in the form of Le, Jaitly & Hinton 2015, section
    4.1: numbers uniform in [0, 1), one marked in each half of the sequence. (The original answers
    half of that sum, so that the same tolerance is twice as strict here.)

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each, at least 2.

    Returns:
        Pairs of number and mark (n, length, 2) and sums between 0 and 2.
    """
    values = rng.random((n, length), dtype=np.float32)
    rows = np.arange(n)
    first, second = rng.integers(0, length // 2, n), rng.integers(length // 2, length, n)
    marks = np.zeros_like(values)
    marks[rows, first] = marks[rows, second] = 1
    targets = values[rows, first] + values[rows, second]
    return Batch(inputs=np.stack([values, marks], axis=-1), lengths=np.full(n, length), targets=targets)


def temporal_order(rng: np.random.Generator, n: int, length: int) -> Batch:
    """Which of X and Y stood first, and which second, among other symbols.

    Hochreiter & Schmidhuber 1997, section 5.6, task 6a, with the positions scaled to the length:
    begin (5), then distractors 1 to 4 with X (7) or Y (8) once after a tenth to a fifth and once
    after a half to three fifths of the sequence, and end (6).

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each, at least 10.

    Returns:
        Ids (n, length) and the classes XX 0, XY 1, YX 2, YY 3.
    """
    ids = rng.integers(1, 5, (n, length))
    ids[:, 0], ids[:, -1] = 5, 6
    rows, targets = np.arange(n), rng.integers(0, 4, n)
    ids[rows, rng.integers(length // 10, length // 5 + 1, n)] = 7 + targets // 2
    ids[rows, rng.integers(length // 2, 3 * length // 5 + 1, n)] = 7 + targets % 2
    return Batch(inputs=ids, lengths=np.full(n, length), targets=targets)


def parity(rng: np.random.Generator, n: int, length: int) -> Batch:
    """Whether the number of ones is odd, asked once, at the end of the sequence.

    Parity check of Delétang et al. 2023, "Neural networks and the Chomsky hierarchy".

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each.

    Returns:
        Ids (n, length), 1 for a zero and 2 for a one, and classes 0 (even) or 1 (odd).
    """
    return _parity(rng.integers(0, 2, (n, length)), np.full(n, length))


def parity_up_to(rng: np.random.Generator, n: int, length: int) -> Batch:
    """Parity of sequences of 1 to `length` steps, each equally often, as Delétang et al. 2023 train on it.

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of the longest.

    Returns:
        Ids (n, length), padded with 0, and classes 0 (even) or 1 (odd).
    """
    return _parity(rng.integers(0, 2, (n, length)), rng.integers(1, length + 1, n))


def parity_so_far(rng: np.random.Generator, n: int, length: int) -> Batch:
    """Whether the number of ones so far is odd, asked after every step.

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each.

    Returns:
        Ids (n, length), 1 for a zero and 2 for a one, and at every step the class 0 (even) or 1 (odd), (n, length).
    """
    bits = rng.integers(0, 2, (n, length))
    return Batch(inputs=bits + 1, lengths=np.full(n, length), targets=bits.cumsum(1) % 2)


def _parity(bits: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Batch:
    real = np.arange(bits.shape[1])[None, :] < lengths[:, None]
    return Batch(inputs=(bits + 1) * real, lengths=lengths, targets=(bits * real).sum(1) % 2)


COPY_SYMBOLS = 4
"""Symbols that the copy task draws from, ids 1 to 4."""
_BLANK, _GO = COPY_SYMBOLS + 1, COPY_SYMBOLS + 2


def copied_symbols(length: int) -> int:
    """How many symbols are to be remembered in a copy sequence of this length: a quarter of it, ten at most."""
    return min(10, max(1, length // 4))


def copy(rng: np.random.Generator, n: int, length: int) -> Batch:
    """Symbols to remember, a wait, a sign to begin, and then the same symbols as answers, step by step.

    Hochreiter & Schmidhuber's copying problem in the form of Arjovsky, Shah & Bengio 2016, section 5.1, with fewer
    symbols, so that a short sequence is a task as well.

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Steps of each, at least 4.

    Returns:
        Ids (n, length): k symbols, 1 to 4; blanks (5), the last of them a sign (6), and k blanks. Answers at every
        step (n, length): 0 for "nothing asked", and in the last k steps the symbols in their order.
    """
    k = copied_symbols(length)
    symbols = rng.integers(1, COPY_SYMBOLS + 1, (n, k))
    ids = np.full((n, length), _BLANK)
    ids[:, :k] = symbols
    ids[:, length - k - 1] = _GO
    targets = np.zeros((n, length), dtype=np.int64)
    targets[:, length - k :] = symbols
    return Batch(inputs=ids, lengths=np.full(n, length), targets=targets)


def next_word(rng: np.random.Generator, n: int, length: int) -> Batch:
    """The next word of made-up sentences (`data.grammar`), asked after every word.

    Args:
        rng: Where chance comes from.
        n: Sequences.
        length: Words that are read of each.

    Returns:
        Ids (n, length), and at every step the id of the word that follows, (n, length).
    """
    ids = grammar.draw(rng, n, length + 1)
    return Batch(inputs=ids[:, :-1], lengths=np.full(n, length), targets=ids[:, 1:])


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="first_token",
            label="First token decides",
            question="Which of two signals was the very first token? All others are noise.",
            draw=first_token,
            vocab_size=11,
            n_classes=2,
            chance=0.5,
        ),
        Task(
            name="adding",
            label="Adding",
            question="What is the sum of the two marked numbers?",
            draw=adding,
            vocab_size=0,
            n_classes=1,
            chance=1 - (1 - CORRECT_WITHIN) ** 2,  # of answering 1: the sum has a triangular density
        ),
        Task(
            name="temporal_order",
            label="Temporal order",
            question="In which order did the two signals X and Y come: XX, XY, YX or YY?",
            draw=temporal_order,
            vocab_size=9,
            n_classes=4,
            chance=0.25,
        ),
        Task(
            name="parity",
            label="Parity",
            question="Is the number of ones odd? Asked once, at the end.",
            draw=parity,
            vocab_size=3,
            n_classes=2,
            chance=0.5,
        ),
    )
}
"""Tasks with one answer for each sequence; the study of accuracy by distance trains on these."""

COPY = Task(
    name="copy",
    label="Copy",
    question="Which symbols stood at the start, in which order? Asked step by step, after a wait.",
    draw=copy,
    vocab_size=_GO + 1,
    n_classes=COPY_SYMBOLS + 1,
    chance=1 / COPY_SYMBOLS,
    at_every_step=True,
    uncounted=0,
)
PARITY_SO_FAR = Task(
    name="parity",
    label="Parity",
    question="Is the number of ones so far odd? Asked after every step.",
    draw=parity_so_far,
    vocab_size=3,
    n_classes=2,
    chance=0.5,
    at_every_step=True,
)
NEXT_WORD = Task(
    name="next_word",
    label="Next word",
    question="Which word comes next? Asked after every word of made-up sentences, whose verb agrees with their first "
    "noun, however far away it is.",
    draw=next_word,
    vocab_size=len(grammar.WORDS),
    n_classes=len(grammar.WORDS),
    chance=grammar.known(40).commonest,
    at_every_step=True,
    foretells=True,
)
MADE_UP: dict[str, Task] = {
    **TASKS,
    PARITY_SO_FAR.name: PARITY_SO_FAR,
    COPY.name: COPY,
    NEXT_WORD.name: NEXT_WORD,
}
"""The tasks of the training page. Parity is asked after every step there: asked once, at the end, nothing small learns
it in a minute."""
