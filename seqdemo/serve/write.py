"""Write, answered: what the language models of three cells hold likely next, and what they write on."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdemo import environment
from seqdemo.checkpoints import find
from seqdemo.errors import CheckpointError, ConfigError
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.service import without_server_paths
from seqdemo.serve.translate import percent
from seqdemo.serve.worker import Ids, Kind
from seqdemo.studies.study import listed
from seqdemo.text import MAX_CHARACTERS, as_written, at_shown, read_with
from seqdemo.trace import SIGNALS

if TYPE_CHECKING:
    from seqdemo.checkpoints.language_model import LanguageModel, Word
    from seqdemo.explain.beginnings import Beginnings
    from seqdemo.models.writing import Chances
    from seqdemo.serve.service import Service
    from seqdemo.text import Reading

NEXT, WRITING, SURPRISE = "next", "writing", "surprise"
BARS = 10
MAX_WORDS = 80
"""That are written at once."""
MAX_SEED = 9_999
MOST_SURPRISING = 200
"""Words of a text whose surprise is told: of a longer one the last."""
INSTEAD = 4
"""Words that are named beside a written one."""
UNITS_SHOWN = 48
"""Rows of the picture of a hidden state: more than one can tell apart."""
KEEPING = ("forget_gate", "update_gate")
"""The gates that say how much of a state stays; a cell has one of them at most."""
_CHANCES_AT_ONCE = 48
_NAMED = 5
_NOTHING = {True: "The models are loading", False: "No language model is here."}
AT_ONCE = 128
"""Words that are read without a pause: some 20 ms of the slowest cell on a core with AVX2 alone."""


@dataclass(frozen=True, kw_only=True)
class Next:
    """What one model holds likely next.

    Attributes:
        words: The likeliest, each with the chance that it is drawn with.
        not_shown: The chances of all that is never offered: the end of a text, unknown words, words that are not shown.
        n_others: Words that may be written and are none of these.
        n_drawn: Words that temperature and cuts leave.
    """

    words: list[tuple[Word, float]]
    not_shown: float
    n_others: int
    n_drawn: int


@dataclass(frozen=True, kw_only=True)
class Written:
    """What one model wrote, and what its cell did meanwhile.

    Attributes:
        words: Each word, and the likeliest others in its place.
        gate: Which gate keeps the state, one of `KEEPING`; None where none does.
        kept: At each word the mean of that gate over all units, from 0 to 1, float32 (n_words,); empty without one.
        hidden: The states after each word, of the units that change most, from the earliest to be active to the
            latest: 255 levels from -1 to 1, uint8 (n_shown, n_words).
    """

    words: list[tuple[Word, list[Word]]]
    gate: str | None
    kept: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """How likely one model held each of the last words of a text.

    Attributes:
        p: Of each word, float64 (n,).
    """

    p: npt.NDArray[np.float64]


def next_pieces(
    model: LanguageModel, asked: tuple[Ids, float, int, float], known: Beginnings
) -> Generator[None, None, Next]:
    """The likeliest next words; the text is read in pieces.

    Args:
        model: Whom to ask.
        asked: The words that stand before, temperature, top-k (0 for all) and top-p.
        known: What is known of beginnings; added to.
    """
    ids, temperature, top_k, top_p = asked
    chances = yield from read_whole(model, ids, known)
    unfiltered = is_unfiltered()
    odds = model.drawn_with(chances, _sampling(temperature, top_k, top_p), unfiltered=unfiltered)
    words = model.likeliest(chances, BARS, unfiltered=unfiltered)
    drawn = [float(odds[model.vocabulary.ids[word.text]]) for word in words]
    left_out = model.left_out(unfiltered=unfiltered)
    return Next(
        words=list(zip(words, drawn, strict=True)),
        not_shown=float(chances[left_out].sum()),
        n_others=len(chances) - len(left_out) - len(words),
        n_drawn=int((odds > 0).sum()),
    )


def surprise_pieces(model: LanguageModel, asked: tuple[Ids], known: Beginnings) -> Generator[None, None, Surprise]:
    """How likely each of the last words of a text was held, read in pieces.

    Args:
        model: Whom to ask.
        asked: The words, at least one.
        known: What is known of beginnings; added to.
    """
    from seqdemo.models import writing

    (ids,) = asked
    read, state = yield from read_before_the_last(model, ids, min(len(ids), MOST_SURPRISING) + 1, known)
    parts: list[npt.NDArray[np.float64]] = []
    while len(read) > 1:
        p, _ranks, state = writing.chances_in_text(model.one_way, read[: _CHANCES_AT_ONCE + 1], state)
        parts.append(p)
        read = read[_CHANCES_AT_ONCE:]
        yield
    return Surprise(p=np.concatenate(parts))


def read_before_the_last(
    model: LanguageModel, ids: Ids, n_last: int, known: Beginnings
) -> Generator[None, None, tuple[Ids, Any]]:
    """Reads all but the last words of a text, going on from the longest beginning that is known.

    Args:
        model: Who reads.
        ids: The text.
        n_last: So many words are left unread, the end of the text before among them.
        known: What is known of beginnings; added to.

    Returns:
        The words that are left, and the state before them.
    """
    from seqdemo.checkpoints.language_model import after_the_end_of_a_text
    from seqdemo.explain import beginnings
    from seqdemo.models import writing

    words = after_the_end_of_a_text(ids)
    most = max(0, len(words) - n_last)
    done, state = beginnings.longest_known(model, words[:most], known)
    while done < most:
        now = min(AT_ONCE, most - done)
        state = writing.state_after(model.one_way, words[done : done + now], state)
        done += now
        beginnings.keep_state(model, words[:done], state, known)
        yield
    return words[most:], state


def read_whole(model: LanguageModel, ids: Ids, known: Beginnings) -> Generator[None, None, Chances]:
    """The chances of all words after a text; a word that was added to a known text costs one step."""
    from seqdemo.checkpoints.language_model import after_the_end_of_a_text
    from seqdemo.explain import beginnings
    from seqdemo.models import writing

    last, state = yield from read_before_the_last(model, ids, 1, known)
    chances, state = writing.read_on(model.one_way, last, state)
    beginnings.keep_state(model, after_the_end_of_a_text(ids), state, known)
    return chances


def writing_pieces(
    model: LanguageModel, asked: tuple[Ids, int, float, int, float, int], known: Beginnings
) -> Generator[None, None, Written]:
    """A text written on: read in pieces, then a word a piece.

    Args:
        model: Who writes.
        asked: The words that stand before, how many to write, temperature, top-k (0 for all), top-p and seed.
        known: What is known of beginnings; added to.
    """
    from seqdemo.models import writing

    ids, n_words, temperature, top_k, top_p, seed = asked
    words: list[tuple[Word, list[Word]]] = []
    read, state = yield from read_before_the_last(model, ids, 1, known)
    unfiltered = is_unfiltered()
    sampling = _sampling(temperature, top_k, top_p)
    for word, chances in model.write(read, sampling, seed, state=state, unfiltered=unfiltered):
        likeliest = model.likeliest(chances, INSTEAD + 1, unfiltered=unfiltered)
        others = [other for other in likeliest if other.text != word.text]
        words.append((word, others[:INSTEAD]))
        if len(words) == n_words:
            break
        yield
    yield
    written = [model.vocabulary.ids[word.text] for word, _ in words]
    signals = writing.gates_while_reading(model.one_way, np.array([*read, *written]), state)
    return _written(words, {name: signal[len(read) :] for name, signal in signals.items()})


def _written(words: list[tuple[Word, list[Word]]], signals: Mapping[str, npt.NDArray[np.float32]]) -> Written:
    from seqdemo.explain import steps

    hidden = signals["hidden"]  # (n_words, n_units)
    some = np.sort(np.argsort(-hidden.std(axis=0), kind="stable")[:UNITS_SHOWN])
    some = some[steps.by_activity(hidden[:, some])]
    gate = next((name for name in KEEPING if name in signals), None)
    return Written(
        words=words,
        gate=gate,
        kept=np.empty(0, dtype=np.float32) if gate is None else signals[gate].mean(axis=1),
        hidden=steps.quantised(hidden[:, some].T, 1.0),
    )


def is_unfiltered() -> bool:
    """Whether slurs and sexual words may be offered and written; `SEQDEMO_UNFILTERED=1` lets them."""
    return environment.UNFILTERED.read() is True


KINDS = {
    NEXT: Kind(rank=1, pieces=next_pieces),
    WRITING: Kind(rank=1, pieces=writing_pieces),
    SURPRISE: Kind(rank=2, pieces=surprise_pieces),
}


async def surprise(service: Service, question: Question) -> Mapping[str, Any]:
    """`POST /api/v1/surprise {"text"}`: how likely each model held each word, given those before it.

    Returns:
        `words`: the last `MOST_SURPRISING`, as they were typed. `models`: name → `bits`, one figure a word, `unknown`,
        the places of words that this model does not know, and `says`, the whole in a sentence. `title`; `loading` and
        `failed` as of `next_words`. Where there is no word, all of it is empty.
    """
    asked = await ask_about(service, question, find.writers())
    readings, shown = asked.readings, next(iter(asked.readings.values()), None)
    if shown is None or not shown.tokens:
        return {"title": "", "words": [], "models": {}, **asked.told}
    found: dict[str, Surprise] = await asked.answers(service, SURPRISE, (), question.visitor)
    words = shown.words[-MOST_SURPRISING:]
    bits = {name: _at_words(-np.log2(each.p), readings[name], shown) for name, each in found.items()}
    unknown = {
        name: _at_words(reading.unknown.astype(np.float64), reading, shown) > 0 for name, reading in readings.items()
    }
    return {
        "title": surprise_finding(bits, unknown, words),
        "words": words,
        "models": {
            name: {
                "bits": bits[name].round(2).tolist(),
                "unknown": np.flatnonzero(unknown[name]).tolist(),
                "says": _perplexity_says(each),
            }
            for name, each in found.items()
        },
        **asked.told,
    }


def surprise_finding(
    bits: Mapping[str, npt.NDArray[np.float64]], unknown: Mapping[str, npt.NDArray[np.bool_]], words: Sequence[str]
) -> str:
    """Who is most surprised by which word, in one sentence; by a word that it knows where there is one."""
    known = {name: each if unknown[name].all() else np.where(unknown[name], -1.0, each) for name, each in bits.items()}
    name = max(known, key=lambda name: float(known[name].max()))
    at = int(known[name].argmax())
    return f"In your text the {MODELS[name].label} is most surprised by “{words[at]}”, {bits[name][at]:.0f} bits"


def _at_words(figures: npt.NDArray[np.float64], reading: Reading, shown: Reading) -> npt.NDArray[np.float64]:
    """Figures of a model's last words at the last words that are shown; bits of parts of one word add up."""
    of_all = np.zeros(len(reading.ids))
    of_all[len(of_all) - len(figures) :] = figures
    return at_shown(of_all, reading, shown)[-MOST_SURPRISING:]


async def next_words(service: Service, question: Question) -> Mapping[str, Any]:
    """`POST /api/v1/next {"text", "temperature"?, "top_k"?, "top_p"?}`: the likeliest next words of three cells.

    Returns:
        `models`: name → its `words`, each with `text`, `written` (with the space that belongs before it), its
        probability `p`, `drawn` (the one that it is drawn with) and `percent`; `others` and `not_shown` in words.
        `title`, `notices`; `loading` names models that will still come, `failed` those that cannot.

    Raises:
        RefusedError: A setting is out of bounds.
    """
    settings = _settings(question)
    asked = await ask_about(service, question, find.writers())
    found: dict[str, Next] = await asked.answers(service, NEXT, settings, question.visitor)
    return {
        "title": finding(found, asked.text) if found else _NOTHING[bool(asked.told["loading"])],
        "notices": notices(asked.readings, question.n_characters),
        "models": {
            name: {
                "words": [
                    {
                        "text": word.text,
                        "written": next(as_written([word.text], asked.text)),
                        "p": word.probability,
                        "drawn": drawn,
                        "percent": percent(word.probability),
                    }
                    for word, drawn in each.words
                ],
                **_rest(each),
            }
            for name, each in found.items()
        },
        **asked.told,
    }


async def write(service: Service, question: Question) -> Mapping[str, Any]:
    """`POST /api/v1/write {"text", "words"?, "seed"?, "temperature"?, "top_k"?, "top_p"?}`: the text written on.

    Returns:
        `models`: name → its `words`, each with `text`, `written`, `p`, `bits`, `percent` and `instead` (the likeliest
        others, in words), `says`, the whole in a sentence, and what its cell did: `keeps`, a sentence, `kept`, the mean
        of the gate that keeps the state at each word (empty where there is none), `hidden`, `units` rows of a level a
        word from 0 (-1) over 128 (0) to 255 (1), in base64. `title` of the texts, `kept_title` of the cells; `loading`
        and `failed` as of `next_words`.

    Raises:
        RefusedError: A setting is out of bounds.
    """
    settings = _settings(question)
    n_words, seed = question.entry("words", int, 40), question.entry("seed", int, 1)
    _check("words", n_words, 1, MAX_WORDS)
    _check("seed", seed, 0, MAX_SEED)
    asked = await ask_about(service, question, find.writers())
    how = (n_words, *settings, seed)
    found: dict[str, Written] = await asked.answers(service, WRITING, how, question.visitor)
    return {
        "title": written_finding(found) if found else "",
        "kept_title": kept_finding(found),
        "models": {
            name: {
                "words": _shown(each, asked.text),
                "says": says(each),
                "keeps": keeps(each),
                "kept": each.kept.astype(float).round(4).tolist(),
                "hidden": base64.b64encode(each.hidden.tobytes()).decode(),
                "units": len(each.hidden),
            }
            for name, each in found.items()
        },
        **asked.told,
    }


def finding(found: Mapping[str, Next], text: str) -> str:
    """What the models expect, in one sentence."""
    first: dict[str, list[str]] = {}
    for name, each in found.items():
        first.setdefault(each.words[0][0].text, []).append(name)
    when = "next" if text.strip() else "to begin with"
    if len(first) == 1 and len(found) > 1:
        return f"All {len(found)} expect “{next(iter(first))}” {when}"
    said = ", ".join(
        f"{called(names)} {'expects' if len(names) == 1 else 'expect'} “{word}”" for word, names in first.items()
    )
    return f"{said[0].upper()}{said[1:]} {when}"


def written_finding(found: Mapping[str, Written]) -> str:
    """How the texts differ, in one sentence: whose repeats itself least, if one does."""
    n_different = {name: len({word.text for word, _ in each.words}) for name, each in found.items()}
    most = max(n_different.values())
    best = [name for name, n in n_different.items() if n == most]
    n_words = len(next(iter(found.values())).words)
    if len(best) == len(found):
        return f"Invented by the models: {most} different words among {n_words} in each text"
    return (
        f"Invented by the models: {called(best)} "
        f"{'repeats itself' if len(best) == 1 else 'repeat themselves'} least, {most} different words among {n_words}"
    )


def called(names: Sequence[str]) -> str:
    """Models as a sentence has them: `the RNN and the GRU`."""
    return listed([f"the {MODELS[name].label}" for name in names])


def says(written: Written) -> str:
    """A written text in figures."""
    bits = sum(word.bits for word, _ in written.words) / len(written.words)
    different = len({word.text for word, _ in written.words})
    return f"{bits:.1f} bits of surprise a word, {different} different words."


def keeps(written: Written) -> str:
    """How much of its state a cell kept while it wrote, in a sentence."""
    if written.gate is None:
        return "No gate: each word writes the whole state anew."
    least, called = int(written.kept.argmin()), written.gate.replace("_", " ")
    word = written.words[least][0].text
    return (
        f"Kept of its state from word to word: {percent(float(written.kept.mean()))} (mean {called} "
        f"{SIGNALS[written.gate].symbol}), least at \u201c{word}\u201d, {percent(float(written.kept[least]))}."
    )


def kept_finding(found: Mapping[str, Written]) -> str:
    """How much of their states the cells kept while they wrote, in one sentence."""
    by_kept: dict[str, list[str]] = {}
    for name, each in found.items():
        by_kept.setdefault(percent(float(each.kept.mean())) if each.gate else "", []).append(name)
    without = by_kept.pop("", [])
    said = [f"{called(names)} {'keeps' if len(names) == 1 else 'keep'} {share}" for share, names in by_kept.items()]
    if said:
        said[0] += " of its state from word to word" if len(next(iter(by_kept.values()))) == 1 else " of their states"
    if without:
        said.append(f"{called(without)} {'has' if len(without) == 1 else 'have'} no gate that keeps any")
    sentence = ", ".join(said)
    return sentence[:1].upper() + sentence[1:]


def notices(readings: Mapping[str, Reading], n_characters: int) -> list[str]:
    """What of a text is not read or not known, in sentences."""
    if not readings:
        return []
    reading = next(iter(readings.values()))
    said = []
    if n_characters > MAX_CHARACTERS:
        said.append(f"Only the first {MAX_CHARACTERS:,} of {n_characters:,} characters are looked at.")
    if reading.n_skipped:
        said.append(f"Only the last {len(reading.tokens):,} of {reading.n_found:,} words and marks are read.")
    unknown = {
        name: [token.text for token, no in zip(each.tokens, each.unknown, strict=True) if no]
        for name, each in readings.items()
    }
    for whose, words in word_notes.shared(unknown).items():
        whom = "the models" if len(whose) == len(readings) else called(whose)
        more = " and others" if len(words) > _NAMED else ""
        said.append(f"Unknown to {whom}, and read as one unknown word: {', '.join(words[:_NAMED])}{more}.")
    return said


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who is asked about which text.

    Attributes:
        text: As much of it as is looked at.
        models: The models that can write.
        readings: What each reads of it.
        told: Which models will still come, and which cannot.
    """

    text: str
    models: Mapping[str, LanguageModel]
    readings: Mapping[str, Reading]
    told: Mapping[str, Any]

    async def answers(self, service: Service, kind: str, settings: tuple[Any, ...], visitor: str) -> dict[str, Any]:
        """Each model's answer of the worker about the words that it reads."""
        asked = [
            service.ask(kind, model, (self.readings[name].ids, *settings), visitor)
            for name, model in self.models.items()
        ]
        return dict(zip(self.models, await asyncio.gather(*asked), strict=True))


async def ask_about(service: Service, question: Question, names: Sequence[str]) -> Asked:
    """Loads language models, and reads what a visitor's question is about.

    Args:
        service: What answers.
        question: The question.
        names: Of the models to ask, as the registry has them.
    """
    text = question.text[:MAX_CHARACTERS]
    models, told = await _loaded(service, names)
    return Asked(text=text, models=models, readings=await asyncio.to_thread(_read, models, text), told=told)


def _read(models: Mapping[str, LanguageModel], text: str) -> dict[str, Reading]:
    if not models:
        return {}
    from seqdemo.checkpoints.language_model import last_words

    vocabularies = {name: model.vocabulary for name, model in models.items()}
    found = read_with(vocabularies, text, max_tokens=MAX_CHARACTERS)
    return {name: last_words(reading) for name, reading in found.items()}


async def _loaded(service: Service, names: Sequence[str]) -> tuple[dict[str, LanguageModel], dict[str, Any]]:
    """Language models, and which of them will still come or cannot."""
    if not service.store.settled:  # torch is on its way
        return {}, {"loading": list(names), "failed": {}}
    models, failed = {}, {}
    for name in names:
        try:
            models[name] = await asyncio.to_thread(service.language_model, f"lm-{name}")
        except CheckpointError as error:
            failed[name] = without_server_paths(str(error))
    return models, {"loading": [], "failed": failed}


def _settings(question: Question) -> tuple[float, int, float]:
    """Temperature, top-k (0 for all words) and top-p."""
    top_k = question.entry("top_k", int, 0)
    temperature, top_p = question.body.get("temperature", 1.0), question.body.get("top_p", 1.0)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (temperature, top_p)):
        raise RefusedError("The entries 'temperature' and 'top_p' are JSON numbers.")
    _sampling(temperature, top_k, top_p)
    return float(temperature), top_k, float(top_p)


def _sampling(temperature: float, top_k: int, top_p: float) -> Any:
    from seqdemo.models.writing import Sampling

    try:
        return Sampling(temperature=temperature, top_k=top_k or None, top_p=top_p)
    except ConfigError as error:
        raise RefusedError(str(error)) from error


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RefusedError(f"The entry {name!r} is from {low} to {high:,}; this is {str(value)[:20]}.")


def _rest(each: Next) -> dict[str, str]:
    others = max(0.0, 1 - each.not_shown - sum(word.probability for word, _ in each.words))
    drawn = f" {each.n_drawn:,} words may be drawn." if each.n_drawn < each.n_others + len(each.words) else ""
    return {
        "others": f"{each.n_others:,} other words: {percent(others)}.{drawn}",
        "not_shown": f"Never written: {percent(each.not_shown)}.",
    }


def _perplexity_says(each: Surprise) -> str:
    from seqdemo.models.writing import perplexity

    found = perplexity(each.p)
    return f"Perplexity {found:,.0f}: as if it chose among so many equally likely words each time."


def _shown(each: Written, text: str) -> list[dict[str, Any]]:
    spaced = as_written((word.text for word, _ in each.words), text)
    return [
        {
            "text": word.text,
            "written": written,
            "p": word.probability,
            "bits": round(word.bits, 2),
            "percent": percent(word.probability),
            "instead": ", ".join(f"{other.text} {percent(other.probability)}" for other in others),
        }
        for (word, others), written in zip(each.words, spaced, strict=True)
    ]
