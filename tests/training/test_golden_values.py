"""The losses of the first 20 updates of every trainer, as they were when they were written down.

Whatever moves in the trainers, these stay: fp32, one thread, one update an epoch where a trainer tells losses by the
epoch. Processors differ in the last digits, hence 1e-4.

`PYTHONPATH=. python tests/training/test_golden_values.py` writes them anew.
"""

import json
import pathlib
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo.data import dates as written_dates
from seqdemo.data.examples import Examples
from seqdemo.models import registry
from seqdemo.models.seq2seq import Seq2SeqConfig
from seqdemo.studies import accuracy_by_distance as distance
from seqdemo.studies.reach import Reach
from seqdemo.training import dates, engine, sentiment, task_run
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.events import Step
from seqdemo.training.pretrain import pretrain
from seqdemo.training.settings import RunSettings

FILE = pathlib.Path(__file__).with_name("golden_values.json")
UPDATES = 20
CPU = torch.device("cpu")
SMALL = {
    "recurrent": {"d_embed": 12, "d_hidden": 10, "update_bias": 0.0},  # as it was before it was a setting
    "transformer": {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 24},
}
WORDS = re.findall(
    r"\S+", "a film is good bad dull great and the plot was not but very slow story end first best . , !"
)
QUICK = {
    "epochs": 1,
    "device": "cpu",
    "precision": "fp32",
    "d_hidden": 8,
    "d_embed": 8,
    "dropout": 0.1,
    "update_bias": 0.0,
}
TASKS = {
    "first_token": RunSettings(task="first_token", model="lstm", length=10, **QUICK),
    "adding": RunSettings(task="adding", model="gru", length=6, schedule="cosine", **QUICK),
    "copy": RunSettings(task="copy", model="rnn", length=8, optimiser="sgd", **QUICK),
    "synthetic": RunSettings(task="synthetic", model="transformer", distance=5, samples=200, batch_size=8, **QUICK),
}


def reviews(name, _):
    """Reviews: every part of the recipe that draws chance or adds to the loss is on."""
    rng = np.random.default_rng(0)
    ids = [rng.integers(2, 30, int(length)) for length in rng.integers(3, 12, 24)]
    ends = [np.array([len(text) // 2, len(text) - 1]) for text in ids]
    examples = Examples(ids, rng.integers(0, 2, 24), ends)
    config = TrainingConfig(
        epochs=UPDATES,
        batch_size=24,
        learning_rate=5e-3,
        patience=UPDATES,
        precision="fp32",
        adversarial=1.0,
        short_epochs=2,
        average_decay=0.9,
        keep="last",
    )
    torch.manual_seed(3)
    model = registry.build(name, registry.make_config(name, vocab_size=30, **SMALL[registry.MODELS[name].family.name]))
    return [entry["train_loss"] for entry in sentiment.fit(model, examples, examples, config, device=CPU).history]


def task(name, folder):
    """Sequence tasks of the training page, which tell each update of a short run."""
    events = []
    task_run.train(TASKS[name], out=folder / "result", on_event=events.append)
    return [event.loss for event in events if isinstance(event, Step)][:UPDATES]


def language(name, folder):
    """Language models: the next word, in both directions for the BiLSTM, and hidden words for the Transformer."""
    rng = np.random.default_rng(1)
    for split, n in (("train", 60), ("unsupervised", 60)):
        texts = [" ".join(rng.choice(WORDS, 22)) for _ in range(n)]
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")
    config = PretrainingConfig(
        epochs=1.0, batch_size=4, window=32, learning_rate=1e-2, n_frequent=8, n_sampled=4, precision="fp32"
    )
    sizes = SMALL[registry.MODELS[name].family.name]
    pretrain(name, out=folder / "out", config=config, overrides=sizes, data=str(folder), device=CPU, tokens=1)
    history = json.loads((folder / "out" / "history.json").read_text(encoding="utf-8"))
    return [entry["train_loss_nats"] for entry in history][:UPDATES]


def translator(attention, way, _):
    """Dates: with attention and without, given the right characters and the model's own."""
    sizes = {"n_inputs": len(written_dates.INPUTS), "n_outputs": len(written_dates.OUTPUTS)}
    shape = Seq2SeqConfig(**sizes, attention=attention, d_embed=8, d_hidden=16, d_attention=8)
    _, progress = dates.fit(
        shape, dates.DatesConfig(epochs=UPDATES, texts=16, batch_size=16, way=way, precision="fp32")
    )
    return [entry["train_loss"] for entry in progress.history]


class Told(Reach):
    """Writes down the loss of every update."""

    def __init__(self, run):
        super().__init__(run)
        self.told = []

    def losses(self, batch):
        for loss in super().losses(batch):
            self.told.append(loss.item())
            yield loss


def study(name, _):
    """The trainer of accuracy by distance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distance, "UPDATES", UPDATES)
        learner = Told(distance.Run(task="first_token", variant=name, length=12, seed=1))
        engine.Run(learner).go()
    return learner.told


TRAINERS = {
    **{f"reviews {name}": (reviews, name) for name in registry.MODELS},
    **{f"task {name}": (task, name) for name in TASKS},
    **{f"language {name}": (language, name) for name in registry.MODELS},
    "dates with attention": (translator, True, "teacher"),
    "dates without attention, free running": (translator, False, "own"),
    **{f"study {name}": (study, name) for name in list(distance.VARIANTS)[:2]},
}


def losses_of(name, folder):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        trainer, *what = TRAINERS[name]
        return trainer(*what, folder)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", TRAINERS)
def test_the_first_20_losses_of_every_trainer_are_what_they_were(name, tmp_path):
    losses = losses_of(name, tmp_path)
    assert len(losses) == UPDATES
    assert losses == pytest.approx(json.loads(FILE.read_text(encoding="utf-8"))[name], abs=1e-4)


if __name__ == "__main__":
    import tempfile

    found = {}
    for name in TRAINERS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = [round(loss, 6) for loss in losses_of(name, pathlib.Path(folder))]
            print(name, found[name][0], found[name][-1])
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")
