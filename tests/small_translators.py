"""Two small untrained translators of dates, as tests put them beside small classifiers."""

import torch

from seqdemo.checkpoints import translator
from seqdemo.data import dates
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.serve.translate import ATTENTION, PLAIN

SHARE = {"accuracy": 0.5, "interval": [0.4, 0.6], "n": 100}
METRICS = {
    "test_accuracy": 0.9,
    "test_interval": [0.85, 0.95],
    "test_n": 100,
    "typos": SHARE,
    "held_out": SHARE,
    "forms": [
        {"form": form, "example": dates.example(form), "held_out": form in dates.HELD_OUT, **SHARE}
        for form in (*dates.TRAINED, *dates.HELD_OUT)
    ],
    "lengths": [{"from": low, "to": low + 9, **SHARE} for low in range(11, 101, 10)],
    "times": SHARE,
    "doubt": {
        "threshold": 0.4,
        "dates_marked": {"share": 0.01, "interval": [0.005, 0.02], "n": 100},
        "sure_right": {"share": 0.99, "interval": [0.98, 1.0], "n": 99},
        "kinds": [
            {"kind": kind, "example": "so", "passed": passed, "interval": [0.0, 0.2], "n": 50}
            for kind, passed in (("two dates", 0.1), ("a part missing", 0.02))
        ],
    },
    "validation_n": 100,
    "epochs": 2,
    "seconds": 60.0,
    "device": "cpu",
    "seed": 1,
}
HISTORY = [
    {"way": way, "epoch": epoch, "train_loss_nats": 1.0 / epoch, "validation_accuracy": accuracy}
    for way, accuracies in (("teacher", (0.2, 0.95)), ("own", (0.1, 0.5)))
    for epoch, accuracy in enumerate(accuracies, start=1)
]


def write_translators(root):
    """Writes them into the folder that stands for `pretrained/`."""
    for name in (ATTENTION, PLAIN):
        torch.manual_seed(0)
        shape = Seq2SeqConfig(
            n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), d_hidden=8, attention=name == ATTENTION
        )
        history = [entry for entry in HISTORY if name == ATTENTION or entry["way"] == "teacher"]
        settings = {"texts": 100, "other_share": 0.25}
        model = Seq2Seq(shape)
        metrics = {**METRICS, "parameters": sum(parameter.numel() for parameter in model.parameters())}
        translator.save(root / name, model=model, metrics=metrics, history=history, training=settings)
