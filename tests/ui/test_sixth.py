"""A sixth model costs one file and one entry in the registry: every page is drawn with it."""

import pytest
from streamlit.testing.v1 import AppTest

from seqdemo import paths
from seqdemo.checkpoints import folder
from seqdemo.models import registry
from seqdemo.models.registry import MODELS
from seqdemo.training import settings
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES
from tests.conftest import PATIENCE_S
from tests.models.mean_of_words import SPEC
from tests.ui.conftest import MAIN, forget_models, wait_until_timed


@pytest.fixture
def with_a_sixth(pretrained, vocabulary, monkeypatch):
    """The whole app with six models loaded."""
    monkeypatch.setitem(MODELS, SPEC.name, SPEC)
    monkeypatch.setitem(settings.CHOICES, "model", tuple(MODELS))  # made of the registry when it is imported
    model = registry.build(SPEC.name, registry.make_config(SPEC.name, vocab_size=len(vocabulary)))
    folder.save(
        pretrained / SPEC.name,
        name=SPEC.name,
        model=model,
        vocabulary=vocabulary,
        metrics={"test_accuracy": 0.5},
        history=[{"epoch": 1, "validation_accuracy": 0.5}],
        training={"epochs": 1},
    )
    forget_models()
    assert resources.store().wait(PATIENCE_S)
    wait_until_timed()
    assert SPEC.name in resources.models(), resources.store().statuses()
    yield AppTest.from_file(MAIN, default_timeout=PATIENCE_S)
    forget_models()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_page_is_drawn(with_a_sixth, page):
    app = with_a_sixth.run().switch_page(str(paths.HOME / "pages" / page.file)).run()
    assert not app.exception
    told = "".join(str(getattr(node, "proto", "")) for node in app.main)
    # The stepper shows models with states, the translator has its own, and who writes has a language model; what Memory
    # measures comes later.
    assert (SPEC.label in told) == (page.path not in {"stepper", "translate", "memory", "write"})
