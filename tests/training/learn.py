"""What two processes learn that one learns as well: called by a test, and run by torchrun."""

import json
import pathlib
import sys

from seqdemo.training import ranks, run
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.pretrain import pretrain

SIZES = {
    "bilstm": {"d_embed": 8, "d_hidden": 8, "dropout": 0.0, "embed_dropout": 0.0},
    "lstm": {"d_embed": 8, "d_hidden": 8},
    "transformer": {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16},
}
REVIEWS = TrainingConfig(epochs=3, batch_size=7, adversarial=2.0, average_decay=0.9, precision="fp32")
LANGUAGE = PretrainingConfig(epochs=1, batch_size=4, window=8, n_frequent=8, n_sampled=4, precision="fp32")


def learn(name, data, out, device):
    """Learns reviews with the bi-LSTM, a language with the others; returns the events that this process tells."""
    told = []
    settings = {"out": out / name, "overrides": SIZES[name], "data": data, "device": device, "on_event": told.append}
    if name == "bilstm":
        run.train(name, config=REVIEWS, test=False, **settings)
    else:
        pretrain(name, config=LANGUAGE, **settings)
    return [event.plain() for event in told]


if __name__ == "__main__":
    data, out = sys.argv[1], pathlib.Path(sys.argv[2])
    with ranks.together("cpu") as device:
        for name in SIZES:  # in the same two processes, because torch takes seconds to import
            told = learn(name, data, out, device)
            (out / f"{name} of rank {ranks.rank()}.json").write_text(json.dumps(told))
