import torch

from seqdemo.training.devices import available, choose, has_fast_bf16


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


def test_bf16_in_hardware_is_a_yes_or_a_no():
    assert has_fast_bf16(torch.device("cpu")) in {True, False}
    assert not has_fast_bf16(torch.device("meta"))
