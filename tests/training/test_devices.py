import os
import re

import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.training.devices import available, choose, find


def test_the_processor_is_always_there_with_its_name_and_memory():
    found = available()
    assert found[-1].name == "cpu"
    assert re.fullmatch(rf"CPU: \S.*, {os.cpu_count()} cores", found[-1].label)
    assert found[-1].memory_bytes is None if os.name == "nt" else found[-1].memory_bytes > 1e8


@pytest.fixture
def two_devices(monkeypatch):
    """A machine with an Apple GPU and no other, as torch tells of it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


def test_auto_takes_the_first_and_a_device_that_is_not_there_the_processor(two_devices):
    assert [device.name for device in available()] == ["mps", "cpu"]
    assert [choose(name).name for name in ("auto", "mps", "cpu", "cuda")] == ["mps", "mps", "cpu", "cpu"]
    assert [find(name).type for name in (None, "auto", "mps", "cpu")] == ["mps", "mps", "mps", "cpu"]


def test_a_device_that_is_asked_for_must_be_there():
    here = {device.name for device in available()}
    for name in {"cuda", "mps", "cuda:99", "xpu", "meta", "gpu", ""} - here:
        with pytest.raises(ConfigError, match=f"There is no device '{name}' here; this machine has .*cpu"):
            find(name)
