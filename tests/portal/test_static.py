"""Static files are collected when one has changed, and only then."""

from pathlib import Path

import pytest
from pytest_django import Settings

from portal.runner import static
from portal.state import State


@pytest.fixture
def source(tmp_path: Path, settings: Settings) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "look.css").write_text("body { margin: 0 }")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "var" / "static"
    hashed = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    return source


def collected(state: State) -> dict[str, str]:
    return {path.name: path.read_text() for path in state.static.glob("look.*css")}


def test_it_collects_once(source: Path, tmp_path: Path) -> None:
    state = State(tmp_path / "var")
    static.collect(state)
    files = collected(state)
    assert set(files.values()) == {"body { margin: 0 }"}
    assert len(files) == 2, "under its own name and under that of its content"
    (state.static / "look.css").write_text("untouched by a second time")
    static.collect(state)
    assert (state.static / "look.css").read_text() == "untouched by a second time"


def test_it_collects_again_after_a_change_and_forgets_what_is_gone(source: Path, tmp_path: Path) -> None:
    state = State(tmp_path / "var")
    static.collect(state)
    (source / "look.css").write_text("body { margin: 1rem }")
    static.collect(state)
    assert set(collected(state).values()) == {"body { margin: 1rem }"}
