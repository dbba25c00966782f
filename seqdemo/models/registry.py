"""The five models: names, labels, colours, shapes and how each is built.

A sixth costs one file for its code and one entry in `MODELS`; pages and trainers ask what a model can do, never which
it is. This file imports no torch, so that pages can name and colour the models before torch is there.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from seqdemo.errors import ConfigError, UnknownModelError, listed
from seqdemo.text import MAX_TOKENS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from seqdemo.models.language import LanguageModel
    from seqdemo.models.recurrent import RecurrentConfig
    from seqdemo.models.sequence import SequenceModel as SequenceModel
    from seqdemo.models.transformer import TransformerConfig

    Config: TypeAlias = RecurrentConfig | TransformerConfig

C = TypeVar("C", bound="DataclassInstance")


@dataclass(frozen=True, kw_only=True)
class Family:
    """Models that are built by one module.

    Attributes:
        name: Of the family.
        module: Where it is.
        config: Its config's class there, a frozen dataclass.
        model: The class there, a `models.sequence.SequenceModel`.
        has_states: Whether one state after the other is computed, so that it can be stepped through.
        has_attention: Whether every word looks at the others.
        entries: The settings of a short run, as `training.settings.RunSettings` names them → entries of the config.
        language_model: Where the `models.language.LanguageModel` of these layers is; empty where there is none.
        given: Entries of the config that are its language model's where a classifier starts from one.
    """

    name: str
    module: str
    config: str
    model: str
    has_states: bool = False
    has_attention: bool = False
    entries: Callable[[Any], dict[str, Any]]
    language_model: str = ""
    given: tuple[str, ...] = ()


def _recurrent_entries(settings: Any) -> dict[str, Any]:
    same = ("d_embed", "d_hidden", "n_layers", "dropout", "readout", "recurrent_init", "forget_bias", "update_bias")
    return {name: getattr(settings, name) for name in same} | {"embed_dropout": settings.dropout}


def _transformer_entries(settings: Any) -> dict[str, Any]:
    width = settings.d_hidden
    return {
        "d_model": width,
        "n_heads": 4 if width % 8 == 0 else 2,
        "n_layers": settings.n_layers,
        "d_ff": 2 * width,
        "embed_dropout": settings.dropout,
        "dropout": settings.dropout,
        "max_tokens": MAX_TOKENS,
    }


RECURRENT = Family(
    name="recurrent",
    module="seqdemo.models.recurrent",
    config="RecurrentConfig",
    model="RecurrentClassifier",
    has_states=True,
    entries=_recurrent_entries,
    language_model="seqdemo.models.language.RecurrentLanguageModel",
    given=("d_embed", "d_hidden"),
)
TRANSFORMER = Family(
    name="transformer",
    module="seqdemo.models.transformer",
    config="TransformerConfig",
    model="TransformerClassifier",
    has_attention=True,
    entries=_transformer_entries,
    language_model="seqdemo.models.language.MaskedLanguageModel",
    given=("d_model", "n_heads", "n_layers", "d_ff"),
)


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What is known of a model without building it.

    Attributes:
        name: Its name in commands, folders and links.
        label: Its name on screen.
        colour: Its colour on every page (Okabe & Ito 2008, safe for colour-blind eyes).
        dash: Its SVG stroke pattern, so that colour is never the only sign.
        summary: One sentence for a visitor.
        family: What builds it, and what it can do.
        gates: Matrices from one state to the next that its cell has; 0 where there is no state.
        fixed: Config entries that make it this model.
        presets: Named sets of further config entries; the first is the default.
    """

    name: str
    label: str
    colour: str
    dash: str
    summary: str
    family: Family
    gates: int = 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"standard": {}})

    @property
    def has_states(self) -> bool:
        """Whether it can be stepped through, state after state."""
        return self.family.has_states

    @property
    def has_attention(self) -> bool:
        """Whether every word looks at the others."""
        return self.family.has_attention

    @property
    def directions(self) -> int:
        """In which it reads."""
        return 2 if self.fixed.get("bidirectional") else 1


MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="rnn",
            label="RNN",
            colour="#D55E00",
            dash="2 3",
            summary="Mixes each word into one state, which every further word overwrites.",
            family=RECURRENT,
            gates=1,
            fixed={"cell": "rnn"},
        ),
        ModelSpec(
            name="gru",
            label="GRU",
            colour="#E69F00",
            dash="8 3",
            summary="Two gates decide what of its state each word may replace.",
            family=RECURRENT,
            gates=3,
            fixed={"cell": "gru"},
        ),
        ModelSpec(
            name="lstm",
            label="LSTM",
            colour="#0072B2",
            dash="",
            summary="A separate memory line with gates that write, keep and show.",
            family=RECURRENT,
            gates=4,
            fixed={"cell": "lstm"},
        ),
        ModelSpec(
            name="bilstm",
            label="BiLSTM",
            colour="#56B4E9",
            dash="8 3 2 3",
            summary="Two LSTMs, one reading forwards and one backwards.",
            family=RECURRENT,
            gates=4,
            fixed={"cell": "lstm", "bidirectional": True},
        ),
        ModelSpec(
            name="transformer",
            label="Transformer",
            colour="#009E73",
            dash="14 3",
            summary="Twelve layers in which every word looks at every other word.",
            family=TRANSFORMER,
            presets={
                "compact": {"d_model": 128, "n_heads": 4, "n_layers": 12, "d_ff": 256},
                "full": {
                    "d_model": 512,
                    "n_heads": 8,
                    "n_layers": 12,
                    "d_ff": 1024,
                    "embed_dropout": 0.15,
                    "dropout": 0.15,
                },
            },
        ),
    )
}


def spec(name: str) -> ModelSpec:
    """Finds a model by name.

    Raises:
        UnknownModelError: There is none of that name; the message lists the known ones.
    """
    if name not in MODELS:
        raise UnknownModelError(f"There is no model called {name!r}; known are {', '.join(MODELS)}.")
    return MODELS[name]


def make_config(name: str, *, vocab_size: int, preset: str | None = None, **overrides: Any) -> Config:
    """Puts a model's config together.

    Args:
        name: A name in `MODELS`.
        vocab_size: Words in the vocabulary, padding and unknown included.
        preset: One of the model's presets; its first by default.
        **overrides: Config entries that differ from the preset.

    Returns:
        The checked config.

    Raises:
        UnknownModelError: Unknown model.
        ConfigError: Unknown preset, unknown entry or a value that cannot be built.
    """
    found = spec(name)
    preset = next(iter(found.presets)) if preset is None else preset
    if preset not in found.presets:
        raise ConfigError(f"{found.label} has the presets {', '.join(found.presets)}; got {preset!r}.")
    return config_from_dict(name, {**found.fixed, **found.presets[preset], **overrides, "vocab_size": vocab_size})


def config_from_dict(name: str, entries: Mapping[str, Any]) -> Config:
    """Reads a model's config back from plain values, as `config.json` holds them.

    Raises:
        UnknownModelError: Unknown model.
        ConfigError: An entry that the model does not have, lacks, or cannot be built with.
    """
    found = spec(name)
    config_type, _ = _types(found.family)
    config = config_of(config_type, entries, found.label)
    for entry, value in found.fixed.items():
        if (got := getattr(config, entry)) != value:
            raise ConfigError(f"{found.label} has {entry}={value!r}; got {got!r}.")
    return cast("Config", config)


def config_of(kind: type[C], entries: Mapping[str, Any], of: str) -> C:
    """A config from plain values.

    Args:
        kind: Its class, a dataclass that checks its own values.
        entries: The values by name, perhaps a stranger's.
        of: What it is a config of, for messages.

    Raises:
        ConfigError: An entry that it does not have, lacks, or cannot be built with.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(entries) - set(fields))
    missing = sorted(
        name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in entries
    )
    if unknown or missing:
        raise ConfigError(
            f"The config of {of} has the entries {', '.join(fields)}; "
            f"unknown: {listed(unknown)}; missing: {listed(missing)}."
        )
    try:
        return kind(**entries)
    except TypeError as error:
        raise ConfigError(f"The config of {of} holds a value of the wrong type: {error}.") from error


def build(name: str, config: Config) -> SequenceModel:
    """Builds the module of a model, with fresh weights from torch's global generator."""
    _, module_type = _types(spec(name).family)
    return cast("SequenceModel", module_type(config))


def build_language_model(name: str, config: Config) -> LanguageModel:
    """Builds the language model of a model's layers, with fresh weights from torch's global generator.

    Raises:
        UnknownModelError: Unknown model.
        ConfigError: It has none, or none of this shape.
    """
    found = spec(name)
    module, _, kind = found.family.language_model.rpartition(".")
    if not module:
        raise ConfigError(f"{found.label} has no language model.")
    return cast("LanguageModel", getattr(importlib.import_module(module), kind)(config))


def _types(family: Family) -> tuple[type[Any], type[Any]]:
    module = importlib.import_module(family.module)
    return getattr(module, family.config), getattr(module, family.model)
