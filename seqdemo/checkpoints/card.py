"""The model card: what stands in a checkpoint's `README.md`, made from its own figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seqdemo import paths
from seqdemo.models import registry

DATA_SET = "stanfordnlp/imdb"


def model_card(
    *, name: str, config: Mapping[str, Any], metrics: Mapping[str, Any], baseline: Mapping[str, Any] | None = None
) -> str:
    """Writes the text of a model card, with the YAML block that the Hub reads.

    Args:
        name: The model's name in the registry.
        config: What `config.json` holds.
        metrics: What `metrics.json` holds.
        baseline: `test_accuracy` and `test_interval` of the bag-of-words baseline; the
            measured one in `pretrained/studies` by default, and none where that is missing.

    Returns:
        Markdown.

    Raises:
        UnknownModelError: There is no such model.
    """
    spec = registry.spec(name)
    baseline = _measured_baseline() if baseline is None else baseline
    architecture, training = config["architecture"], config["training"]
    beside = f" A bag-of-words baseline has {_accuracy(baseline)} on the same reviews." if baseline else ""
    stored = ", ".join(f"`{table}`" for table in config["int8_tables"])
    int8 = f"; {stored} as int8 with one scale a row" if stored else ""
    return f"""---
{_yaml(name, metrics)}
---

# {spec.label} for the sentiment of film reviews

{spec.summary} It reads an English film review and gives the probability
that its verdict is positive. Written from scratch and trained for a program that opens
up five sequence models side by side.

| | |
|---|---|
| Test accuracy | {_accuracy(metrics)}, 95 % interval; {metrics["test_n"]:,} reviews |
| Test loss | {metrics["test_loss_nats"]:.3f} nats |
{_calibration(metrics)}| Validation accuracy | {_per_cent(metrics["validation_accuracy"])} % |
| Parameters | {metrics["parameters"]:,} |
| Vocabulary | {architecture["vocab_size"]:,} words |
| Longest input | {config["max_tokens"]} tokens; of a longer review its start and its end |

The test reviews are of `{DATA_SET}`'s test split, and the figure is of the stored file.{beside}

## How it was trained

{_pretraining(metrics)}On the training split of `{DATA_SET}`, less the reviews held out for validation:
{metrics["epochs"]} epochs, of which {_kept(metrics, training)},
in {_duration(metrics["seconds"])} on {metrics["device"]}, {metrics["precision"]},
seed {metrics["seed"]}, torch {metrics["torch"]}, code {metrics["commit"] or "outside of a checkout"}.
{_averaged(metrics)}
{_table("Architecture", architecture)}

{_table("Training", training)}

## Limits

- English film reviews only. On other texts and languages its answers mean little.
- It knows the words of its vocabulary; every other word looks the same to it.
- It learned from long reviews; short texts, and those that negate or compare, are read less surely.
- A probability near 50 % is no verdict, and no answer is a fact about a film or a person.

## How to use it

```python
import seqdemo

model = seqdemo.load("{name}")  # or the path of this folder
model.predict_proba(["A slow start, but what an ending!"])  # P(positive), float32 (1,)
model.trace("A slow start, but what an ending!")  # every step of the computation
```

`model.safetensors` holds the weights as fp16{int8}; `vocab.txt` one word a line; `config.json` the
shape; `metrics.json` and `history.json` what was measured. Nothing in here is a pickle.

## Licence

The weights are under the MIT licence. The reviews are the Large Movie Review Dataset
(Maas et al. 2011, "Learning Word Vectors for Sentiment Analysis"), published for
research; its texts belong to their authors. No review text is part of this repository,
only single words and learned numbers.
"""


def _yaml(name: str, metrics: Mapping[str, Any]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    data = ModelCardData(
        language="en",
        license="mit",
        library_name="seqdemo",
        pipeline_tag="text-classification",
        tags=["sentiment-analysis", "from-scratch", "education", "pytorch", name],
        datasets=[DATA_SET],
        metrics=["accuracy"],
        model_name=f"seqdemo-{name}-imdb",
        eval_results=[
            EvalResult(
                task_type="text-classification",
                task_name="Sentiment of film reviews",
                dataset_type=DATA_SET,
                dataset_name="IMDB",
                dataset_split="test",
                metric_type="accuracy",
                metric_name="Accuracy",
                metric_value=metrics["test_accuracy"],
            )
        ],
    )
    return data.to_yaml(line_break="\n").strip()


def _calibration(metrics: Mapping[str, Any]) -> str:
    if "temperature" not in metrics:
        return ""
    after, before = metrics["test_calibration_error"], metrics["test_calibration_error_before"]
    return (
        f"| Calibration error | {100 * after:.1f} points; {100 * before:.1f} before its logits were divided by the "
        f"temperature {metrics['temperature']:.2f}, chosen on validation reviews |\n"
    )


def _kept(metrics: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    if training.get("keep") == "last":
        return "the last is kept"
    return f"epoch {metrics['best_epoch']} was the best on the validation reviews and is kept"


def _pretraining(metrics: Mapping[str, Any]) -> str:
    if "pretrained_on" not in metrics:
        return ""
    return (
        f"It starts from a language model of the same layers (validation perplexity "
        f"{metrics['pretrained_on']['perplexity']:.0f}), learned on the training and the unlabelled reviews.\n"
    )


def _averaged(metrics: Mapping[str, Any]) -> str:
    if "averaged" not in metrics:
        return ""
    parts = [{**part["training"], "dropout": part["dropout"]} for part in metrics["averaged"]]
    differing = [name for name in parts[0] if len({str(part.get(name)) for part in parts}) > 1]
    told = "; ".join(
        ", ".join(f"`{name}` {part[name]}" for name in differing)
        + f" ({_per_cent(entry['validation_accuracy'])} % of the validation reviews)"
        for part, entry in zip(parts, metrics["averaged"], strict=True)
    )
    return (
        f"The weights are the mean of {len(parts)} such runs (Wortsman et al. 2022), the time is that of all: {told}. "
        "Curve and settings below are those of the first.\n"
    )


def _measured_baseline() -> Mapping[str, Any] | None:
    try:
        found = json.loads((paths.PRETRAINED / "studies" / "bag_of_words.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found if isinstance(found, dict) else None


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}"


def _accuracy(figures: Mapping[str, Any]) -> str:
    low, high = figures["test_interval"]
    return f"{_per_cent(figures['test_accuracy'])} % ({_per_cent(low)} to {_per_cent(high)} %)"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _table(title: str, entries: Mapping[str, Any]) -> str:
    rows = (f"| `{entry}` | {str(value).replace('|', '/')} |" for entry, value in entries.items())
    return "\n".join([f"| {title} | |", "|---|---|", *rows])
