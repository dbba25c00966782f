"""What a visitor trained and saved, made without training."""

import dataclasses
import json

from seqdemo.checkpoints import folder
from seqdemo.text import Vocabulary
from seqdemo.training.settings import RunSettings


def write_run(root, model, name, vocabulary):
    """Writes a run saved as `First try`; returns its id.

    It knows other words than the models that came with the app, in another order, and has no word for "good".
    """
    run_id = f"{name:_<16}"
    words = [word if word != "good" else "splendid" for word in reversed(vocabulary.words[2:])]
    folder.save(
        root / run_id / "checkpoint",
        name=name,
        model=model,
        vocabulary=Vocabulary([*vocabulary.words[:2], *words]),
        metrics={},
        history=[],
        training={},
    )
    done = {"event": "done", "at": 1, "reason": "finished", "epochs": 1, "best_epoch": 1, "is_text_model": True}
    done |= {"folder": "", "metrics": {}, "confusion": None, "wrong": []}
    (root / run_id / "settings.json").write_text(json.dumps(dataclasses.asdict(RunSettings(model=name))))
    (root / run_id / "events.jsonl").write_text(json.dumps(done) + "\n")
    (root / run_id / "name.txt").write_text("First try")
    return run_id
