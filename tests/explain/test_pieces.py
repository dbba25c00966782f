"""Long computations pause between their pieces, and come to the same however small these are."""

import copy
import types

import numpy as np
import pytest

from seqdemo.explain import attributions, deletion, pieces

IDS = np.random.default_rng(5).integers(2, 30, 60)


@pytest.fixture
def classifier(build_small):
    model = copy.deepcopy(build_small("gru")).requires_grad_(False).eval()
    return types.SimpleNamespace(model=model)


def begun(name, classifier):
    return {
        "integrated_gradients": lambda: attributions.integrated_gradients_pieces(classifier, IDS),
        "leave_one_out": lambda: attributions.leave_one_out_pieces(classifier, IDS),
        "delete": lambda: deletion.delete_pieces(classifier, IDS, {"leave_one_out": np.arange(60.0)}),
    }[name]()


def numbers(found):
    if isinstance(found, deletion.Deletion):
        return found.random
    return found.values if isinstance(found, attributions.IntegratedGradients) else found


def test_a_computation_is_run_to_its_end_and_gives_what_it_returns():
    ran = []

    def counted():
        for number in range(3):
            ran.append(number)
            yield
        return "done"

    assert pieces.finished(counted()) == "done"
    assert ran == [0, 1, 2]


@pytest.mark.parametrize("name", ["integrated_gradients", "leave_one_out", "delete"])
def test_no_piece_reads_more_words_than_it_may_and_all_come_to_the_same(classifier, name, monkeypatch):
    sizes = []
    read = type(classifier.model).logits_from_embeddings

    def counted(self, x, lengths):
        sizes.append(x.shape[0] * x.shape[1])
        return read(self, x, lengths)

    monkeypatch.setattr(type(classifier.model), "logits_from_embeddings", counted)
    whole = pieces.finished(begun(name, classifier))
    assert 60 < max(sizes) <= pieces.TOKENS_A_PIECE
    monkeypatch.setattr(attributions, "TOKENS_A_PIECE", 1)
    monkeypatch.setattr(attributions, "_GRADIENT_TOKENS", 1)
    sizes.clear()
    small, n_read = begun(name, classifier), []
    while True:
        before = len(sizes)
        try:
            next(small)
        except StopIteration as done:
            np.testing.assert_allclose(numbers(done.value), numbers(whole), atol=1e-6)
            break
        finally:
            n_read.append(len(sizes) - before)
    assert max(n_read) == 1, "a pause between any two"
    assert len(n_read) > 30
