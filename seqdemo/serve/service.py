"""What one server answers with: its checkpoints, training runs, worker and visitors, made once and shared by all."""

from __future__ import annotations

import asyncio
import pathlib
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from seqdemo import paths
from seqdemo.bounded import Bounded
from seqdemo.errors import SeqdemoError
from seqdemo.models.registry import MODELS
from seqdemo.runs.files import is_id
from seqdemo.serve.answering import Answering
from seqdemo.serve.http import Question, RefusedError
from seqdemo.serve.visitors import Visitors
from seqdemo.serve.worker import Kind, Worker

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.checkpoints.language_model import LanguageModel
    from seqdemo.checkpoints.store import ModelStatus, ModelStore
    from seqdemo.checkpoints.translator import Translator
    from seqdemo.runs.jobs import Jobs
    from seqdemo.runs.view import View

T = TypeVar("T")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWN_BYTES = 256 * 1024**2


class Service:
    """All that routes and pages ask."""

    def __init__(self, store: ModelStore, jobs: Jobs, kinds: Mapping[str, Kind]) -> None:
        """Starts nothing.

        Args:
            store: The checkpoints that came with the app.
            jobs: The training runs, among whose results are visitors' own models.
            kinds: What the worker can be asked beside verdicts.
        """
        self.store = store
        self.jobs = jobs
        self.worker = Worker(kinds)
        self.visitors = Visitors()
        self._shipped: dict[pathlib.Path, Any] = {}
        self._own: Bounded[tuple[str, str], Classifier] = Bounded(_OWN_BYTES)

    def answering(self, chosen: Mapping[str, str]) -> Answering:
        """The models that answer a visitor.

        Args:
            chosen: Name of a model → id of the run whose result is to take its place; one that is gone, or that is of
                another kind, takes none.
        """
        shipped = self.store.ready()
        own = {name: view for name, run_id in chosen.items() if (view := self.own_view(name, run_id)) is not None}
        if not self.store.settled:  # until then no model answers under a name that is not its own
            models: dict[str, Classifier] = {name: model for name, model in shipped.items() if name not in own}
        else:
            models = dict(shipped)
            for name, view in list(own.items()):
                try:
                    models[name] = self.own_model(view)
                except SeqdemoError:  # deleted or changed since: the shipped one answers
                    del own[name]
        statuses = [status for status in self.store.statuses() if status.name not in models]
        return Answering(
            models={name: models[name] for name in MODELS if name in models},
            own=own,
            loading=tuple(status.name for status in statuses if status.state != "failed"),
            failed={status.name: why(status) for status in statuses if status.state == "failed"},
        )

    def asked(self, question: Question) -> Answering:
        """The models that a question names, or those that came with the app.

        Args:
            question: Its entry `models` is an object: name of a model → id of the run whose result takes its place, or
                the SHA-256 of the weights that are to answer.

        Raises:
            RefusedError: There is no such model, or other weights than those asked for would answer.
        """
        wanted: Mapping[str, Any] = question.entry("models", dict, {})
        for name, which in wanted.items():
            if name not in MODELS or not isinstance(which, str):
                raise RefusedError(
                    f"The entry 'models' maps names to run ids or SHA-256; the names are {', '.join(MODELS)}, "
                    f"not {name[:40]!r}."
                )
        answering = self.answering(wanted)
        for name, which in wanted.items():
            model = answering.models.get(name)
            if _SHA256.fullmatch(which) and model is not None and model.sha256 != which:
                raise RefusedError(
                    f"Other weights of the {MODELS[name].label} are in use here: {model.sha256}.", HTTPStatus.CONFLICT
                )
        return answering

    def own_view(self, name: str, run_id: str) -> View | None:
        """The run of that id, where its result is a text model of that kind."""
        view = self.jobs.view(run_id) if is_id(run_id) else None
        return view if view is not None and view.is_text_model and view.settings.model == name else None

    def own_model(self, view: View) -> Classifier:
        """The text model that a visitor's run left in its folder; such a result changes no more.

        Raises:
            CheckpointError: It cannot be used.
        """
        from seqdemo.checkpoints import folder as checkpoint

        key = (view.id, str(view.folder))
        found = self._own.get(key)
        if found is None:
            found = checkpoint.load(key[1])
            self._own.put(key, found, 4 * found.n_parameters + 200 * len(found.vocabulary))
        return found

    def translator(self, name: str) -> Translator:
        """A translator of dates that came with the app, read at the first question.

        Args:
            name: Its folder in `pretrained/`.

        Raises:
            CheckpointError: It cannot be used.
        """
        from seqdemo.checkpoints import translator

        return self._read_once(name, translator.load)

    def language_model(self, name: str) -> LanguageModel:
        """A language model that came with the app, read at the first question.

        Args:
            name: Its folder in `pretrained/`.

        Raises:
            CheckpointError: It cannot be used.
        """
        from seqdemo.checkpoints import language_model

        return self._read_once(name, language_model.load)

    def _read_once(self, name: str, load: Callable[[pathlib.Path], T]) -> T:
        folder = paths.PRETRAINED / name
        if folder not in self._shipped:
            self._shipped[folder] = load(folder)
        found: T = self._shipped[folder]
        return found

    async def ask(self, kind: str, checkpoint: Any, asked: Any, visitor: str = "") -> Any:
        """An answer of the worker, awaited.

        Raises:
            BusyError: Too many questions wait.
            asyncio.CancelledError: A newer question of the same visitor took its place.
        """
        return await asyncio.wrap_future(self.worker.submit(kind, checkpoint, asked, visitor))


def why(status: ModelStatus) -> str:
    """One sentence: why this source, or why there are no weights."""
    return without_server_paths(status.note)


def without_server_paths(sentence: str) -> str:
    """A sentence about a checkpoint as visitors may read it: paths as from the project's folder."""
    return sentence.replace(str(paths.PRETRAINED), paths.PRETRAINED.name)
