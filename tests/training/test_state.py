import pytest
import torch
from torch import nn

from seqdemo.errors import TrainingError
from seqdemo.training import state


@pytest.fixture
def run():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.randn(4, 3)).sum().backward()
    optimiser.step()
    return model, optimiser


def test_what_was_saved_comes_back_with_the_moments_of_the_optimiser(run, tmp_path):
    model, optimiser = run
    path = tmp_path / "deep" / "state.safetensors"
    state.save(path, {"model": model.state_dict()}, optimiser, progress={"epoch": 3}, settings="s")
    groups, progress = state.load(path, settings="s")
    assert progress == {"epoch": 3}
    assert torch.equal(groups["model"]["weight"], model.weight)
    fresh = torch.optim.AdamW(nn.Linear(3, 2).parameters(), lr=0.1)
    state.restore(fresh, groups)
    for index, entries in optimiser.state_dict()["state"].items():
        for name, tensor in entries.items():
            assert torch.equal(fresh.state_dict()["state"][index][name], tensor)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_other_settings_and_broken_files_are_refused(run, tmp_path):
    model, optimiser = run
    path = tmp_path / "state.safetensors"
    state.save(path, {"model": model.state_dict()}, optimiser, progress={}, settings="one")
    with pytest.raises(TrainingError, match="other settings"):
        state.load(path, settings="another")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(TrainingError, match="cannot be read"):
        state.load(path, settings="one")


def test_where_nothing_can_be_written_one_is_told(run, tmp_path):
    model, optimiser = run
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(TrainingError, match="could not be written"):
        state.save(tmp_path / "file" / "state", {"model": model.state_dict()}, optimiser, progress={}, settings="")
