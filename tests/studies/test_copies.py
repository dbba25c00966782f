"""Whether language models recite: runs of words are found where they stand, and what is said of it."""

import numpy as np
import pytest

from seqdemo.studies import copies
from seqdemo.studies.study import Inputs, Stored
from seqdemo.text import PAD_ID, UNKNOWN_ID


@pytest.fixture(scope="module")
def measured(language, language_models):
    return copies.measure(Inputs(models=language_models, data=str(language), limit=4))


def test_real_reviews_of_a_small_language_repeat_it_and_untrained_models_do_not(measured):
    rows = {(row["name"], row["temperature"]): row for row in measured.results["rows"]}
    assert set(rows) == {("reviews", None), *((name, t) for name in ("rnn", "gru") for t in copies.TEMPERATURES)}
    assert rows["reviews", None]["copied"]["4"]["share"] == 1
    assert rows["gru", 1.0]["copied"]["4"]["share"] < 0.5
    assert rows["gru", 1.0]["repeated"] < rows["reviews", None]["repeated"]


def test_the_same_texts_are_written_again_without_unknown_words_and_ends(language_models):
    texts = copies.write(language_models["gru"], 3, 0.8)
    assert [len(text) for text in texts] == [copies.N_WORDS] * 3
    assert not np.isin(texts, (PAD_ID, UNKNOWN_ID)).any()
    assert np.array_equal(texts, copies.write(language_models["gru"], 3, 0.8))
    assert len({tuple(text) for text in texts}) == 3


@pytest.mark.parametrize("n", [2, 4])
def test_a_run_is_found_where_its_words_follow_each_other(n):
    read = np.random.default_rng(0).integers(2, 40, size=500)
    runs = {tuple(read[k : k + n]) for k in range(len(read) - n + 1)}
    made_up = np.random.default_rng(1).integers(2, 40, size=300)
    wanted = np.mean([tuple(made_up[k : k + n]) in runs for k in range(len(made_up) - n + 1)])
    found = copies.copied_runs(read, {"whole": [read[100:160]], "made up": [made_up]}, n, 40)
    assert found["whole"]["share"] == 1
    assert found["made up"]["share"] == pytest.approx(wanted, abs=1e-4)
    assert found["made up"]["low"] <= found["made up"]["share"] <= found["made up"]["high"]


def test_runs_with_an_unknown_word_are_not_counted():
    read = np.array([5, 6, UNKNOWN_ID, 7, 8, 9])
    text = np.array([5, 6, UNKNOWN_ID, 7, 8, 2])
    assert copies.copied_runs(read, {"one": [text]}, 2, 10)["one"]["share"] == pytest.approx(2 / 3, abs=1e-4)


def test_variety_counts_different_pairs_and_runs_that_come_again():
    found = copies.variety([np.array([1, 2, 3, 4, 1, 2, 3, 4])])
    assert found == {"distinct": pytest.approx(4 / 7, abs=1e-3), "repeated": pytest.approx(1 / 5)}


def stored(share_of_models):
    def row(name, temperature, share):
        copied = {str(n): {"share": share, "low": share - 0.001, "high": share + 0.001} for n in copies.RUNS}
        return {"name": name, "temperature": temperature, "copied": copied, "distinct": 0.5, "repeated": 0.1}

    rows = [row("reviews", None, 0.004), row("gru", 0.8, share_of_models), row("gru", 1.0, 0.9)]
    return Stored(study="copies", checkpoints={"gru": "a"}, n=9, seed=1, settings={}, results={"rows": rows})


@pytest.mark.parametrize(
    ("share", "said"), [(0.002, "the models do not recite"), (0.03, "more than people repeat each other")]
)
def test_the_finding_sets_the_models_against_real_reviews(share, said):
    found = copies.finding(copies.frame(stored(share)))
    assert found == (
        f"Of runs of 8 words, {share:.1%} of the GRU's stand in what it has read, 0.4% of real reviews': {said}"
    ).replace("%", "\u00a0%")


def test_figures_of_other_weights_are_left_out():
    table = copies.frame(stored(0.01), {"gru": "other"})
    assert set(table["name"]) == {"reviews"}
    assert copies.finding(table) == "Do the models recite what they have read?"
