"""Publishing the trained models on the Hugging Face Hub, and pinning in the manifest what was published."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence

import huggingface_hub

from seqdemo.checkpoints import folder, hub, manifest, schema, shards
from seqdemo.checkpoints.download import explain
from seqdemo.errors import CheckpointMissingError, HubError


def publish(
    owner: str,
    *,
    names: Sequence[str],
    pretrained: pathlib.Path,
    token: str | None = None,
    private: bool = False,
    endpoint: str | None = None,
    on_done: Callable[[hub.Repository], None] | None = None,
) -> dict[str, hub.Repository]:
    """Uploads models, one repository each, tags them, and pins their commits in the manifest.

    Running it again uploads what has changed and moves the tag; a failure leaves the
    models before it published and pinned.

    Args:
        owner: A user or an organisation on the Hub that the token may write to.
        names: Which models.
        pretrained: Holds one folder a model, and the manifest.
        token: A token with write access; by default `HF_TOKEN`, or the one of `hf auth login`.
        private: Whether new repositories are private.
        endpoint: Another Hub than `HF_ENDPOINT` or huggingface.co.
        on_done: Called after each model with its repository and commit.

    Returns:
        Repository and commit of each model.

    Raises:
        CheckpointMissingError: A file of a model is not there; nothing was uploaded.
        CheckpointCorruptError: A model does not load, or the manifest cannot be read; nothing was uploaded.
        HubError: Why the Hub could not be written to, in a sentence.
    """
    for name in names:
        if not (pretrained / name / schema.CARD).is_file():
            raise CheckpointMissingError(f"{pretrained / name} has no {schema.CARD}; train the model first.")
        folder.load(pretrained / name)
    token = token or huggingface_hub.get_token()
    if token is None:
        raise HubError("Publishing needs a token with write access: set HF_TOKEN, or run `hf auth login`.")
    manifest.update(pretrained)
    api = huggingface_hub.HfApi(endpoint=endpoint, token=token)
    published = {}
    for name in names:
        repository = hub.repository_id(owner, name)
        try:
            commit = _upload(api, repository, pretrained / name, private=private)
        except Exception as error:  # the client lets errors of three libraries through
            reason = explain(error, repository=repository, revision=hub.TAG)
            raise HubError(f"{repository} could not be published. {reason}") from error
        entries = manifest.read(pretrained)
        entries[name] = manifest.Entry(repository=repository, commit=commit, files=entries[name].files)
        manifest.write(pretrained, entries)
        published[name] = hub.Repository(repository, commit)
        if on_done is not None:
            on_done(published[name])
    return published


def _upload(api: huggingface_hub.HfApi, repository: str, path: pathlib.Path, *, private: bool) -> str:
    api.create_repo(repository, private=private, exist_ok=True)
    commit = api.upload_folder(
        repo_id=repository,
        folder_path=path,
        allow_patterns=list(shards.with_shards(schema.FILES, shards.index_of(path))),
        delete_patterns="*",
        commit_message=f"{path.name} of seqdemo {hub.TAG}",
    ).oid
    tagged = {tag.name: tag.target_commit for tag in api.list_repo_refs(repository).tags}
    if tagged.get(hub.TAG) not in {None, commit}:
        api.delete_tag(repository, tag=hub.TAG)
    if tagged.get(hub.TAG) != commit:
        api.create_tag(repository, tag=hub.TAG, revision=commit)
    return commit
