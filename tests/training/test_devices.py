import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.training.devices import available, choose, find


def test_the_processor_is_always_there_with_its_name_and_memory():
    found = available()
    assert found[-1].name == "cpu"
    assert found[-1].label.startswith("CPU: ")
    assert found[-1].memory_bytes is None or found[-1].memory_bytes > 1e8


def test_auto_takes_the_first_and_a_device_that_is_not_there_the_processor():
    assert choose("auto") == available()[0]
    assert choose("cpu").name == "cpu"
    wanted = choose("cuda")
    assert wanted.name == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_device_that_is_asked_for_must_be_there():
    assert find() == find("auto") == torch.device(available()[0].name)
    assert find("cpu") == torch.device("cpu")
    here = {device.name for device in available()}
    for name in {"cuda", "mps", "cuda:99", "xpu", "meta", "gpu", ""} - here:
        with pytest.raises(ConfigError, match=f"There is no device '{name}' here; this machine has .*cpu"):
            find(name)
