"""What counting words gives: n-gram models with interpolated modified Kneser-Ney smoothing.

Chen & Goodman 1998, "An empirical study of smoothing techniques for language modeling", section 3:

    P(w | v) = max(c(vw) - D(c(vw)), 0) / Σ c(v·)  +  g(v) · P(w | v without its first word)

where c counts how often the longest runs occur and, of all shorter ones, how many different words stand before them; D
is one of three discounts, for runs seen once, twice or more often; and g gives what they took to the shorter runs. The
shortest are smoothed with the same chance for every word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Order:
    """The runs of one length that stand in the text.

    Attributes:
        keys: Of each run: the number of the run without its last word, times the size of the vocabulary, and its last
            word; in order, int64 (runs,). Its index here is the run's number.
        shares: Of each run, by context: what is left of its count after the discount, over the sum of its context.
        starts: Where the runs of a context begin, by the context's number, int64 (contexts + 1,).
        gamma: By the context's number: what goes to the shorter runs; 1 where nothing follows.
    """

    keys: Ids
    shares: Floats
    starts: Ids
    gamma: Floats


class KneserNey:
    """P(next word | the last words) by counting."""

    def __init__(self, words: Ids, vocab_size: int, order: int) -> None:
        """Counts.

        Args:
            words: The text, vocabulary indices, int64 (n,), n at least `order`.
            vocab_size: Words of the vocabulary.
            order: Words of the longest runs, 1 or more; one fewer stand before the word that is asked for.
        """
        self.vocab_size, self.order = vocab_size, order
        ending = np.zeros(len(words), dtype=np.int64)  # the number of the run that ends with each word; first the empty
        keys: list[Ids] = []
        counts: list[Ids] = []
        for length in range(1, order + 1):
            places = np.arange(length - 1, len(words))
            before = ending[places - 1] if length > 1 else ending
            runs, first, numbers, n_times = np.unique(
                before * vocab_size + words[places], return_index=True, return_inverse=True, return_counts=True
            )
            if length > 1:  # what counts of shorter runs is behind how many words they stand
                counts[-1] = np.bincount(ending[places[first]], minlength=len(keys[-1]))
            keys.append(runs)
            counts.append(n_times)
            ending = np.concatenate([np.zeros(length - 1, dtype=np.int64), numbers])
        n_contexts = [1, *(len(runs) for runs in keys[:-1])]
        self._orders = [_smoothed(*of_length, vocab_size) for of_length in zip(keys, counts, n_contexts, strict=True)]

    def chances(self, before: Ids) -> Floats:
        """P of each word, float64 (vocab_size,).

        Args:
            before: The words before, int64; only the last `order` - 1 are looked at.
        """
        chances, context = np.full(self.vocab_size, 1 / self.vocab_size), 0
        for length in range(1, self.order + 1):
            if length > 1:
                context = self._number(before[len(before) - length + 1 :]) if length - 1 <= len(before) else -1
            if context < 0:
                break
            order = self._orders[length - 1]
            some = slice(order.starts[context], order.starts[context + 1])
            chances *= order.gamma[context]
            chances[order.keys[some] - context * self.vocab_size] += order.shares[some]
        return chances

    def chances_in_text(self, words: Ids) -> tuple[Floats, Ids]:
        """How likely each word was, given those before it.

        Args:
            words: int64 (1 + n,); the first is only read.

        Returns:
            P(word), float64 (n,), and its rank among all words, 1 for the likeliest, int64 (n,).
        """
        p, ranks = np.empty(len(words) - 1), np.empty(len(words) - 1, dtype=np.int64)
        for place in range(1, len(words)):
            chances = self.chances(words[max(0, place - self.order + 1) : place])
            p[place - 1] = own = chances[words[place]]
            ranks[place - 1] = 1 + (chances > own).sum()
        return p, ranks

    def _number(self, run: Ids) -> int:
        """The number of a run of words, -1 where it never occurs."""
        number = 0
        for order, word in zip(self._orders, run.tolist(), strict=False):
            key = number * self.vocab_size + word
            number = int(np.searchsorted(order.keys, key))
            if number == len(order.keys) or order.keys[number] != key:
                return -1
        return number


def _smoothed(keys: Ids, counts: Ids, n_contexts: int, vocab_size: int) -> _Order:
    contexts = keys // vocab_size
    starts = np.searchsorted(contexts, np.arange(n_contexts + 1))
    totals = np.bincount(contexts, weights=counts, minlength=n_contexts)
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    left = np.bincount(contexts, weights=np.minimum(discounts, counts), minlength=n_contexts)
    gamma = np.divide(left, totals, out=np.ones(n_contexts), where=totals > 0)
    shares = np.maximum(counts - discounts, 0) / np.maximum(totals[contexts], 1)
    return _Order(keys, shares, starts, gamma)


def _discounts(counts: Ids) -> Floats:
    """The discounts of runs seen 0, 1, 2, and 3 or more times (Chen & Goodman 1998, equation 26).

    Where a text is too short to have runs seen once to four times, half a count is taken of each.
    """
    n = [int((counts == times).sum()) for times in range(5)]
    if not all(n[1:]):
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n[1] / (n[1] + 2 * n[2])
    return np.array([0.0, *(times - (times + 1) * y * n[times + 1] / n[times] for times in (1, 2, 3))])
