import json
import shutil

import pytest
import torch

from seqdemo.checkpoints import bundle, folder, shards
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError
from tests.checkpoints.kinds import change_json, split, weight_files


@pytest.fixture
def bundled(checkpoint_folders, tmp_path):
    folders = {name: checkpoint_folders[name] for name in ("lstm", "rnn", "transformer")}
    left_out = bundle.write(tmp_path, {**folders, "none": tmp_path / "none"}, tmp_path / "bundle")
    assert left_out == []
    return tmp_path / "bundle", folders


def test_what_comes_out_is_a_checkpoint_that_answers_almost_as_what_went_in(bundled, tmp_path):
    path, folders = bundled
    assert bundle.unpack(path, tmp_path / "back") == list(folders)
    for name, before in folders.items():
        one, other = folder.load(before), folder.load(tmp_path / "back" / name)
        assert other.metrics == one.metrics
        assert other.vocabulary.words == one.vocabulary.words
        for key, tensor in one.model.state_dict().items():
            step = tensor.abs().amax(-1, keepdim=True) / 127 if tensor.ndim == 2 else tensor.abs() / 1000
            assert ((other.model.state_dict()[key] - tensor).abs() <= step + 1e-6).all(), key
        texts = ["a fine film", "a dull film"]
        assert other.predict_proba(texts) == pytest.approx(one.predict_proba(texts), abs=0.05)


@pytest.fixture
def in_parts(checkpoint_folders, tmp_path):
    """A classifier whose weights are in several files."""
    path = shutil.copytree(checkpoint_folders["lstm"], tmp_path / "parts" / "lstm")
    split(path)
    assert len(weight_files(path)) == 3
    return path


def test_weights_in_several_files_go_the_same_way_as_in_one(in_parts, checkpoint_folders, tmp_path):
    for name, path in (("whole", checkpoint_folders["lstm"]), ("parts", in_parts)):
        bundle.write(tmp_path, {"lstm": path}, tmp_path / f"{name}-bundle")
        bundle.unpack(tmp_path / f"{name}-bundle", tmp_path / f"{name}-back")
    assert folder.load(tmp_path / "parts-back" / "lstm").sha256 == folder.load(tmp_path / "whole-back" / "lstm").sha256


def test_a_checkpoint_that_is_not_whole_or_of_no_known_kind_is_named_before_anything_is_written(in_parts, tmp_path):
    (in_parts / shards.shard_name(2, 3)).unlink()
    with pytest.raises(CheckpointMissingError, match=r"lstm is no checkpoint: model-00002-of-00003\.safetensors not"):
        bundle.write(tmp_path, {"lstm": in_parts}, tmp_path / "bundle")
    change_json(in_parts / "config.json", kind="novels")
    with pytest.raises(CheckpointCorruptError, match="'novels' are not known here; known are language model, dates"):
        bundle.write(tmp_path, {"lstm": in_parts}, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_matrices_take_a_byte_an_entry(bundled):
    path, folders = bundled
    entries = sum(p.numel() for before in folders.values() for p in folder.load(before).model.parameters())
    weights = sum(file.stat().st_size for file in path.glob("weights-*"))
    assert weights < 2 * entries + 20_000


def test_files_stay_below_their_size_and_what_does_not_fit_is_named(checkpoint_folders, tmp_path, monkeypatch):
    folders = {name: checkpoint_folders[name] for name in ("lstm", "rnn", "gru")}
    bundle.write(tmp_path, folders, tmp_path / "all")
    size = sum(path.stat().st_size for path in (tmp_path / "all").glob("weights-*"))
    monkeypatch.setattr(bundle, "MAX_FILE_BYTES", size // 3)
    monkeypatch.setattr(bundle, "MAX_FILES", 3)
    left_out = bundle.write(tmp_path, folders, tmp_path / "bundle")
    files = list((tmp_path / "bundle").iterdir())
    assert len(files) <= 3
    assert all(path.stat().st_size <= size // 3 for path in files if path.suffix == ".safetensors")
    assert left_out
    assert left_out[0] != "lstm", "what is worth most comes first"
    assert bundle.unpack(tmp_path / "bundle", tmp_path / "back") == [name for name in folders if name not in left_out]


def test_a_bundle_that_is_damaged_or_not_whole_is_refused(bundled, tmp_path):
    path, _ = bundled
    with pytest.raises(CheckpointMissingError, match=r"is no bundle: bundle\.json cannot be read"):
        bundle.unpack(tmp_path / "nothing", tmp_path / "back")
    weights = path / "weights-1.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointCorruptError, match=r"weights-1\.safetensors is not what was written"):
        bundle.unpack(path, tmp_path / "back")
    weights.unlink()
    with pytest.raises(CheckpointMissingError, match=r"lacks weights-1\.safetensors"):
        bundle.unpack(path, tmp_path / "back")
    manifest = path / "bundle.json"
    manifest.write_bytes(manifest.read_bytes()[:-1])
    with pytest.raises(CheckpointCorruptError, match=r"bundle\.json is not what was written"):
        bundle.unpack(path, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_finished_is_said(tmp_path):
    with pytest.raises(CheckpointMissingError, match="holds no finished checkpoint of lstm"):
        bundle.write(tmp_path, {"lstm": tmp_path / "lstm"}, tmp_path / "bundle")


def test_a_language_model_goes_the_same_way(tmp_path):
    from seqdemo.checkpoints import language_model
    from seqdemo.models import registry
    from seqdemo.models.language import RecurrentLanguageModel
    from seqdemo.text import Vocabulary

    torch.manual_seed(0)
    words = Vocabulary(["<pad>", "<unk>", *(f"w{k}" for k in range(18))])
    model = RecurrentLanguageModel(registry.make_config("gru", vocab_size=20, d_embed=8, d_hidden=8))
    language_model.save(
        tmp_path / "lm-gru",
        name="gru",
        model=model,
        vocabulary=words,
        metrics={"validation_perplexity": 3.0},
        history=[],
        training={},
    )
    bundle.write(tmp_path, {"lm-gru": tmp_path / "lm-gru"}, tmp_path / "bundle")
    bundle.unpack(tmp_path / "bundle", tmp_path / "back")
    found = language_model.load(tmp_path / "back" / "lm-gru")
    torch.testing.assert_close(
        found.model.decoder.projection.weight, model.decoder.projection.weight, atol=0.01, rtol=0.01
    )
    assert json.loads((tmp_path / "back" / "lm-gru" / "metrics.json").read_text())["validation_perplexity"] == 3.0
