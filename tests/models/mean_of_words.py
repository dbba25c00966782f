"""A sixth model, as a newcomer would write it: the mean of the word vectors, and a linear head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdemo.models.language import Decoder, LanguageModel
from seqdemo.models.registry import Family, ModelSpec
from seqdemo.models.sequence import SequenceModel, whole_lengths
from seqdemo.text import PAD_ID


@dataclass(frozen=True, kw_only=True)
class MeanConfig:
    vocab_size: int
    d_embed: int = 8
    n_outputs: int = 1


class MeanOfWords(SequenceModel):
    config: MeanConfig
    has_prefix_states = False

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_embed, padding_idx=PAD_ID)
        self.head = nn.Linear(config.d_embed, config.n_outputs)

    def forward(self, ids, lengths):
        return self.logits_from_embeddings(self.embedding(ids), lengths)

    def logits_from_embeddings(self, x, lengths):
        lengths = whole_lengths(x) if lengths is None else lengths
        real = torch.arange(x.shape[1], device=x.device)[None, :, None] < lengths[:, None, None]
        return self.head((x * real).sum(1) / lengths[:, None])

    def logits_at_steps(self, x, lengths, *, ahead=True):
        del ahead  # it never sees what comes
        n_words = torch.arange(1, x.shape[1] + 1, device=x.device)[None, :].clamp(max=lengths[:, None])
        return self.head(x.cumsum(1) / n_words[:, :, None])

    def record(self, ids: Tensor):
        return self(ids[None], torch.tensor([len(ids)]))[0], {}


class MeanLanguageModel(LanguageModel):
    says_next_word = False

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.mean = MeanOfWords(config)
        self.decoder = Decoder(config.d_embed, config.d_embed, config.vocab_size)
        self.decoder_backward = None

    @property
    def body(self):
        return self.mean


SPEC = ModelSpec(
    name="mean",
    label="Mean of words",
    colour="#999999",
    dash="1 1",
    summary="Knows which words there are, and nothing of their order.",
    family=Family(
        name="mean",
        module=__name__,
        config="MeanConfig",
        model="MeanOfWords",
        entries=lambda settings: {"d_embed": settings.d_embed},
        language_model=f"{__name__}.MeanLanguageModel",
        given=("d_embed",),
    ),
)
