"""An encoder-decoder with additive attention, and the same without.

One set of weights has two readings, as in `recurrent`: `forward` and `greedy` run on torch's
fused GRU layers and on batches; `record` runs the equations of `cells` over the same tensors and
keeps every number of the formula. Neither writes to the module.

Symbols are the paper's: h_j the encoder's state at character j of the input, s_i the decoder's
state after character i of the answer, e_ij how well they match, a_ij the weights, c_i the context.

Sources:
    Encoder, decoder and attention: Bahdanau, Cho & Bengio 2015, "Neural machine translation by
        jointly learning to align and translate", section 3 and appendix A. The decoder's cell is
        torch's arrangement of the GRU, and the answer is read off s_i by one linear layer.
    Without attention: Cho et al. 2014, "Learning phrase representations using RNN
        encoder-decoder": the same summary of the whole input at every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn, tanh

from seqdemo.errors import ConfigError
from seqdemo.models.cells import Weights, gru_step, unroll

# ruff: noqa: N803 (capitals are matrices, as in the paper)

START_ID, END_ID = 0, 1
"""Indices among the answer's characters: what the decoder is given first, and what ends an answer."""


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig:
    """The shape of an encoder-decoder.

    Attributes:
        n_inputs: Characters of the input with padding (0) and unknown (1).
        n_outputs: Characters of the answer with start (0) and end (1).
        attention: Whether the decoder looks at every state of the encoder anew at each step;
            otherwise it is given the encoder's two last states.
        d_embed: Entries of a character's vector.
        d_hidden: Entries of the encoder's state in each direction, and of the decoder's.
        d_attention: Entries in which states are compared.
    """

    n_inputs: int
    n_outputs: int
    attention: bool = True
    d_embed: int = 32
    d_hidden: int = 128
    d_attention: int = 64

    def __post_init__(self) -> None:
        """Refuses what cannot be built."""
        for name in ("n_inputs", "n_outputs", "d_embed", "d_hidden", "d_attention"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"{name} is a whole number of at least 1; got {value!r}.")
        if type(self.attention) is not bool:
            raise ConfigError(f"attention is true or false; got {self.attention!r}.")


class Attention(NamedTuple):
    """What attention computes in one step, for each row of a batch.

    Attributes:
        query: W s_(i-1), (..., d_attention).
        energies: e_ij, (..., T); minus infinity at padding.
        weights: a_ij, (..., T); 0 at padding, otherwise they sum to 1.
        context: c_i, (..., 2 * d_hidden).
    """

    query: Tensor
    energies: Tensor
    weights: Tensor
    context: Tensor


def additive_attention(s: Tensor, h: Tensor, Uh: Tensor, real: Tensor, W: Tensor, v: Tensor) -> Attention:
    """Where the decoder looks (Bahdanau, Cho & Bengio 2015, eqs. 5 and 6, appendix A.1.2).

    Args:
        s: The decoder's last state s_(i-1), (..., d_hidden).
        h: The encoder's states, (..., T, 2 * d_hidden).
        Uh: U h_j, the same at every step, (..., T, d_attention).
        real: Which characters are no padding, bool (..., T).
        W: (d_attention, d_hidden).
        v: (d_attention,).
    """
    query = s @ W.T
    e = tanh(query.unsqueeze(-2) + Uh) @ v
    e = e.masked_fill(~real, -torch.inf)
    a = torch.softmax(e, dim=-1)
    c = (a.unsqueeze(-2) @ h).squeeze(-2)
    return Attention(query, e, a, c)


class Encoded(NamedTuple):
    """What the decoder knows of a batch of texts.

    Attributes:
        states: h_j, (B, T, 2 * d_hidden).
        keys: U h_j, (B, T, d_attention); empty without attention.
        real: Which characters are no padding, bool (B, T).
        summary: The last state of each direction, (B, 2 * d_hidden).
        start: s_0, (B, d_hidden).
    """

    states: Tensor
    keys: Tensor
    real: Tensor
    summary: Tensor
    start: Tensor


class Step(NamedTuple):
    """One step of the decoder.

    Attributes:
        logits: (B, n_outputs).
        state: s_i, (B, d_hidden).
        attention: Where it looked; None without attention.
    """

    logits: Tensor
    state: Tensor
    attention: Attention | None


class Candidate(NamedTuple):
    """One answer that beam search found.

    Attributes:
        ids: The characters, the end included where it was reached.
        log_probability: The sum of their logarithms, in nats.
    """

    ids: list[int]
    log_probability: float


class Seq2Seq(nn.Module):
    """A GRU reads the text in both directions; another writes the answer, character by character."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        """Builds the layers and draws their starting weights."""
        super().__init__()
        self.config = config
        d_hidden = config.d_hidden
        self.input_embedding = nn.Embedding(config.n_inputs, config.d_embed, padding_idx=0)
        # Two layers rather than one of both directions, which on a CPU learns padded texts at half the speed.
        self.left_to_right = nn.GRU(config.d_embed, d_hidden, batch_first=True)
        self.right_to_left = nn.GRU(config.d_embed, d_hidden, batch_first=True)
        self.start = nn.Linear(d_hidden, d_hidden)
        self.output_embedding = nn.Embedding(config.n_outputs, config.d_embed)
        self.decoder = nn.GRUCell(config.d_embed + 2 * d_hidden, d_hidden)
        self.head = nn.Linear(d_hidden, config.n_outputs)
        if config.attention:
            self.W = nn.Parameter(torch.empty(config.d_attention, d_hidden))
            self.U = nn.Parameter(torch.empty(config.d_attention, 2 * d_hidden))
            self.v = nn.Parameter(torch.empty(config.d_attention))
        self._start_weights()

    @torch.no_grad()
    def _start_weights(self) -> None:
        for embedding in (self.input_embedding, self.output_embedding):
            nn.init.normal_(embedding.weight, std=0.1)
        self.input_embedding.weight[0].zero_()
        layers = (self.left_to_right, self.right_to_left, self.decoder)
        for name, parameter in [named for layer in layers for named in layer.named_parameters()]:
            if name.startswith("bias"):
                nn.init.zeros_(parameter)
                continue
            for matrix in parameter.chunk(3):
                (nn.init.orthogonal_ if "_hh" in name else nn.init.xavier_uniform_)(matrix)
        if self.config.attention:
            nn.init.xavier_uniform_(self.W)
            nn.init.xavier_uniform_(self.U)
            nn.init.normal_(self.v, std=0.1)

    def encode(self, ids: Tensor, lengths: Tensor) -> Encoded:
        """Reads a padded batch on the fused layers.

        Args:
            ids: Characters of the texts, int64 (B, T), padded with 0 on the right.
            lengths: Real characters of each row, int64 (B,), each at least 1.
        """
        x = self.input_embedding(ids)  # (B, T, d_embed)
        forwards = self.left_to_right(x)[0]
        backwards = _turned(self.right_to_left(_turned(x, lengths))[0], lengths)
        last = forwards[torch.arange(len(ids), device=ids.device), lengths - 1]
        real = torch.arange(ids.shape[1], device=ids.device)[None, :] < lengths[:, None]
        return self._encoded(torch.cat([forwards, backwards], dim=-1), real, forwards=last, backwards=backwards[:, 0])

    def _encoded(self, h: Tensor, real: Tensor, *, forwards: Tensor, backwards: Tensor) -> Encoded:
        keys = h @ self.U.T if self.config.attention else h[..., :0]
        # h_1← has read the whole text and stands at its beginning (appendix A.2.2).
        return Encoded(h, keys, real, torch.cat([forwards, backwards], dim=-1), tanh(self.start(backwards)))

    def step(self, encoded: Encoded, s: Tensor, y: Tensor) -> Step:
        """One step of the decoder on the fused cell.

        Args:
            encoded: What `encode` gave.
            s: s_(i-1), (B, d_hidden).
            y: The character before, int64 (B,).
        """
        looked = self._attend(encoded, s)
        c = encoded.summary if looked is None else looked.context
        s = self.decoder(torch.cat([self.output_embedding(y), c], dim=-1), s)
        return Step(self.head(s), s, looked)

    def _attend(self, encoded: Encoded, s: Tensor) -> Attention | None:
        if not self.config.attention:
            return None
        return additive_attention(s, encoded.states, encoded.keys, encoded.real, self.W, self.v)

    def forward(self, ids: Tensor, lengths: Tensor, answers: Tensor, *, own: bool = False) -> Tensor:
        """The logits of every character of the answers.

        Args:
            ids: Characters of the texts, int64 (B, T).
            lengths: Real characters of each row, int64 (B,).
            answers: The right characters, the end included, int64 (B, L).
            own: Whether each step is given the character that the model itself wrote before
                (free running) rather than the right one (teacher forcing).

        Returns:
            (B, L, n_outputs).
        """
        encoded = self.encode(ids, lengths)
        s = encoded.start
        y = torch.full_like(answers[:, 0], START_ID)
        logits = []
        for right in answers.unbind(dim=1):
            step = self.step(encoded, s, y)
            s = step.state
            logits.append(step.logits)
            y = step.logits.argmax(-1) if own else right
        return torch.stack(logits, dim=1)

    @torch.inference_mode()
    def greedy(self, ids: Tensor, lengths: Tensor, max_steps: int) -> tuple[Tensor, Tensor]:
        """Writes the likeliest character at every step.

        Returns:
            The characters, int64 (B, max_steps), all of them end after the first end; and the
            logarithm of each answer's probability in nats, (B,).
        """
        encoded = self.encode(ids, lengths)
        s, y = encoded.start, torch.full((len(ids),), START_ID, dtype=torch.int64, device=ids.device)
        ended = torch.zeros_like(y, dtype=torch.bool)
        total = encoded.start.new_zeros(len(ids))
        written = []
        for _ in range(max_steps):
            step = self.step(encoded, s, y)
            s = step.state
            best, y = torch.log_softmax(step.logits, dim=-1)[:, END_ID:].max(-1)  # the start is never written
            y = y + END_ID
            total = total + best.masked_fill(ended, 0)
            y = y.masked_fill(ended, END_ID)
            ended = ended | (y == END_ID)
            written.append(y)
        return torch.stack(written, dim=1), total

    @torch.inference_mode()
    def beam(self, ids: Tensor, width: int, max_steps: int) -> list[Candidate]:
        """Beam search: the likeliest answers found by keeping `width` beginnings at every step.

        Args:
            ids: Characters of one text, int64 (T,).
            width: Beginnings kept; 1 is greedy.
            max_steps: Characters at most.

        Returns:
            At most `width` answers, the likeliest first.
        """
        encoded = self.encode(ids[None], torch.tensor([len(ids)], device=ids.device))
        s = encoded.start
        beginnings = [Candidate([], 0.0)]
        done: list[Candidate] = []
        for _ in range(max_steps):
            last = torch.tensor([found.ids[-1] if found.ids else START_ID for found in beginnings], device=ids.device)
            same = Encoded(*(part.expand(len(beginnings), *part.shape[1:]) for part in encoded))
            step = self.step(same, s, last)
            totals = torch.log_softmax(step.logits, dim=-1).double()
            totals += torch.tensor([found.log_probability for found in beginnings], device=ids.device)[:, None]
            totals[:, START_ID] = -torch.inf  # never written
            best, places = totals.flatten().topk(min(width, totals.numel()))
            rows, grown = [], []
            for total, place in zip(best.tolist(), places.tolist(), strict=True):
                if total == -math.inf:
                    continue
                row, y = divmod(place, totals.shape[1])
                found = Candidate([*beginnings[row].ids, y], total)
                if y == END_ID:
                    done.append(found)
                else:
                    rows.append(row)
                    grown.append(found)
            done = sorted(done, key=lambda found: -found.log_probability)[:width]
            # No beginning can become likelier than it is.
            if not grown or (len(done) == width and done[-1].log_probability >= grown[0].log_probability):
                break
            beginnings, s = grown, step.state[torch.tensor(rows, device=ids.device)]
        else:
            done = sorted([*done, *beginnings], key=lambda found: -found.log_probability)[:width]
        return done

    @torch.inference_mode()
    def record(self, ids: Tensor, answer: Tensor) -> dict[str, Tensor]:
        """Reads one text and writes one answer by the equations, and keeps every number.

        Args:
            ids: Characters of the text, int64 (T,).
            answer: The characters written, the end included, int64 (L,); each is given to the
                step after it.

        Returns:
            `encoder` h_j (T, 2 * d_hidden), `state` s_0 to s_L (L + 1, d_hidden), `context`
            (L, 2 * d_hidden), `logits` (L, n_outputs); with attention also `key` U h_j
            (T, d_attention), `query` W s_(i-1) (L, d_attention), `energy` and `attention` (L, T).
        """
        x = self.input_embedding(ids)  # (T, d_embed)
        forwards = unroll("gru", x, _weights(self.left_to_right, "_l0"))["hidden"]
        backwards = unroll("gru", x.flip(0), _weights(self.right_to_left, "_l0"))["hidden"].flip(0)
        h = torch.cat([forwards, backwards], dim=-1)  # (T, 2 * d_hidden)
        real = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
        encoded = self._encoded(h, real, forwards=forwards[-1], backwards=backwards[0])
        w = _weights(self.decoder, "")
        s, y = encoded.start, torch.full_like(answer[0], START_ID)
        steps: dict[str, list[Tensor]] = {"state": [s], "context": [], "logits": []}
        if self.config.attention:
            steps |= {"query": [], "energy": [], "attention": []}
        for written in answer:
            looked = self._attend(encoded, s)
            c = encoded.summary if looked is None else looked.context
            s = gru_step(torch.cat([self.output_embedding(y), c], dim=-1), s, w).hidden
            y = written
            steps["state"].append(s)
            steps["context"].append(c)
            steps["logits"].append(self.head(s))
            if looked is not None:
                steps["query"].append(looked.query)
                steps["energy"].append(looked.energies)
                steps["attention"].append(looked.weights)
        kept = {name: torch.stack(values) for name, values in steps.items()}
        return {"encoder": h, **kept, **({"key": encoded.keys} if self.config.attention else {})}


def _weights(layer: nn.Module, suffix: str) -> Weights:
    """The four tensors of a fused layer."""
    return Weights(*(getattr(layer, f"{name}{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))


def _turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Turns each row's real characters round and leaves its padding in place.

    Args:
        x: (B, T, d).
        lengths: Real characters of each row, (B,).
    """
    steps = torch.arange(x.shape[1], device=x.device)[None, :]  # (1, T)
    places = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)  # (B, T)
    return x.gather(1, places[:, :, None].expand_as(x))
