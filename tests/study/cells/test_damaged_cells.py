"""Whatever happens to the files of a finished cell, whoever reads it says which file it was, or runs the cell again."""

import io
import json
import os
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from teachgym.base.checksums import MANIFEST, read_checked, write_checked
from teachgym.base.files import read_arrays, read_json, read_state
from teachgym.cli.evaluate import Evaluate
from teachgym.cli.watch import Watch
from teachgym.study.cells.cell import CellOptions, run_cell
from teachgym.study.cells.finished import RESULT, is_finished, load_finished
from teachgym.study.compare import compare
from teachgym.study.executors.runner import Observer
from teachgym.study.replay import differences, replay
from teachgym.study.results.stored import load_study
from teachgym.study.settings import Cell, StudySettings
from tests.study import toy_study
from tests.study.forgery import forge_manifest
from tests.study.test_compare import Diary
from tests.study.test_interruptions import Stop, cell, run_to_end, run_until

STUDENT = "ppo,slots=2,rollout_steps=32,batch_size=32,epochs=1,hidden=[4]"
ENDLESS = CellOptions(checkpoint_seconds=float("inf"))
FILES = {
    "cell.json",
    "episodes.npz",
    "evaluations.npz",
    "sampling.json",
    "teacher.npz",
    "student.npz",
    "result.json",
    "provenance.json",
}


def run_here(cells: Sequence[tuple[Cell, Path]], options: Any, observer: Observer) -> None:
    """As ``run_cells``, in this process."""
    for one, folder in cells:
        observer.started(one)
        run_cell(one, folder, lambda progress: None, ENDLESS)
        observer.finished(one)


def settings(runs: Path, **changes: Any) -> StudySettings:
    plain: dict[str, Any] = {
        "env": toy_study.ENV,
        "student": STUDENT,
        "teachers": ("alp-gmm,fit_every=10",),
        "seeds": 2,
        "budget": 150,
        "evaluations": 2,
        "runs": runs,
        "name": "study",
        "trackers": (),
    }
    return StudySettings(**{**plain, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StudySettings:
    """A finished study of two cells; tests copy it."""
    chosen = settings(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("teachgym.study.compare.run_cells", run_here)
        compare(chosen)
    return chosen


@pytest.fixture
def study(whole: StudySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudySettings:
    shutil.copytree(whole.folder, tmp_path / "study")
    monkeypatch.setattr("teachgym.study.compare.run_cells", run_here)
    return settings(tmp_path)


def folders(study: StudySettings) -> tuple[Path, Path]:
    first, second = (study.folder / "cells" / one.folder_name for one in study.grid())
    return first, second


def damages(folder: Path, other: Path, name: str) -> Iterator[tuple[str, bytes | None]]:
    """What may become of a file: a kind of damage, and its content then; None where it is gone."""
    content, seeded = (folder / name).read_bytes(), np.random.default_rng(sorted([*FILES, MANIFEST]).index(name))
    place = int(seeded.integers(len(content)))
    yield "a flipped bit", content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    yield "cut off", content[: int(seeded.integers(len(content)))]
    yield "empty", b""
    yield "garbage", seeded.bytes(len(content))
    yield "gone", None
    if (other / name).read_bytes() != content:
        yield "another cell's", (other / name).read_bytes()


READERS: dict[str, Callable[[Path], object]] = {
    "report": lambda folder: load_finished(folder),
    "evaluate": lambda folder: Evaluate(folder).run(Console(quiet=True)),
    "watch": lambda folder: Watch((folder,)).run(Console(quiet=True)),
    "replay": lambda folder: replay(folder),
}


@pytest.mark.parametrize("name", sorted([*FILES, MANIFEST]))
def test_every_reader_names_the_file_that_is_damaged(study: StudySettings, name: str) -> None:
    folder, other = folders(study)
    assert read_checked(folder / MANIFEST)["sha256"].keys() == FILES
    content = (folder / name).read_bytes()
    for damage, changed in damages(folder, other, name):
        if changed is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(changed)
        if name == MANIFEST and damage == "gone":  # as if it had been killed just before it wrote that
            assert not is_finished(folder)
        else:
            for reader, read in READERS.items():
                with pytest.raises(ValueError, match=name) as caught:
                    read(folder)
                assert str(folder) in str(caught.value), (reader, damage)
                assert "\n" not in str(caught.value), (reader, damage)
        (missing,) = load_study(study.folder).missing
        assert missing.cell.seed == 0, damage
        assert name in missing.reason or damage == "gone", damage
        (folder / name).write_bytes(content)
    assert not load_study(study.folder).missing


@pytest.mark.parametrize("name", ["student.npz", "teacher.npz", "result.json", "cell.json", MANIFEST])
def test_resume_runs_a_damaged_cell_again(study: StudySettings, whole: StudySettings, name: str) -> None:
    folder, _ = folders(study)
    if name == "teacher.npz":
        (folder / name).unlink()
    elif name == "student.npz":
        (folder / name).write_bytes(b"garbage")
    else:  # a digit, so that it is JSON as before
        content = (folder / name).read_text()
        place = next(place for place, letter in enumerate(content) if letter.isdigit() and letter != "9")
        (folder / name).write_text(content[:place] + str(int(content[place]) + 1) + content[place + 1 :])
        assert json.loads((folder / name).read_text())
    diary = Diary()
    found = compare(study, if_used="resume", observer=diary)
    assert [line.split()[0] for line in diary.lines] == ["started", "finished"]
    assert not found.stored.missing
    for mine, expected in zip(folders(study), folders(whole), strict=True):
        assert list(differences(mine, expected)) == []
    load_finished(folder)


def test_one_damaged_checksum_of_the_study_is_named(study: StudySettings) -> None:
    path = study.folder / "study.json"
    path.write_text(path.read_text().replace('"evaluations": 2', '"evaluations": 3', 1))
    for read in (lambda: load_study(study.folder), lambda: compare(study, if_used="resume")):
        with pytest.raises(ValueError, match=r"study\.json is not as it was written"):
            read()


def numbers(text: str) -> dict[str, str]:
    """JSON texts that are no cell's, though parsers take some of them."""
    return {
        "not a number": text.replace("0", "NaN", 1),
        "infinite": text.replace("0", "1e999", 1),
        "endless": text.replace("0", "9" * 5000, 1),
        "deep": "[" * 100_000 + "]" * 100_000,
        "nested": '{"a":' * 500 + "0" + "}" * 500,
        "a number": "3",
        "null": "null",
        "a list": "[[], {}, null]",
        "objects": '{"seed": {}, "budget": [], "versions": 0}',
        "text": text.replace("0", '"0"', 1),
        "a long name": json.dumps({**(json.loads(text) if text[0] == "{" else {}), "teacher": "x" * 1_000_000}),
    }


@pytest.mark.parametrize("name", ["cell.json", "result.json", "sampling.json", "provenance.json"])
def test_json_that_is_forged_together_with_its_checksum_is_refused_or_harmless(study: StudySettings, name: str) -> None:
    folder, _ = folders(study)
    content = (folder / name).read_text()
    for number in numbers(content).values():
        (folder / name).write_text(number)
        forge_manifest(folder)
        stored = load_study(study.folder)
        for one in stored.missing:
            assert name in one.reason or name == "cell.json"
            assert len(one.reason) < 2000
        for read in (READERS["evaluate"], READERS["watch"]):
            try:
                read(folder)
            except ValueError as error:
                assert len(str(error)) < 2000  # noqa: PT017
    assert stored.missing or name == "provenance.json"  # which only a replay reads


def header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


HOSTILE = {
    "endless shape": packed({"a.npy": header("(10" + "0" * 29 + ",)")}),
    "shape whose product overflows": packed({"a.npy": header("(4294967296, 4294967296)")}),
    "empty endless shape": packed({"a.npy": header("(0, 10" + "0" * 29 + ")")}),
    "shape of no size": packed({"a.npy": header("(10" + "0" * 29 + ",)", "<U0")}),
    "negative shape": packed({"a.npy": header("(-1, -1)") + b"\0" * 8}),
    "shape of too many": packed({"a.npy": header("(" + "1, " * 99 + ")") + b"\0" * 8}),
    "an expression": packed({"a.npy": header("-" * 9000 + "1")}),
    "an open bracket": packed({"a.npy": header("((1,)")}),
    "an impossible dtype": packed({"a.npy": header("(1,)", "<f9") + b"\0" * 9}),
    "more than its shape": packed({"a.npy": header("(1,)") + b"\0" * 80}),
    "text beyond Unicode": packed({"__json__.npy": header("()", "<U1") + b"\xff\xff\xff\x7f"}),
    "another packing": packed({"a.npy": header("(1,)") + b"\0" * 8}, zipfile.ZIP_LZMA),
    "a long name": packed({"a" * 60_000: header("(1,)") + b"\0" * 8}),
    "a deep state": packed(
        {"__json__.npy": header("()", "<U20000") + ("[" * 10_000 + "]" * 10_000).encode("utf-32-le")}
    ),
    "a state of a list": packed({"__json__.npy": header("()", "<U19") + '{"__array__": [1] }'.encode("utf-32-le")}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_files_of_arrays_that_are_not_ours_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "student.npz"
    path.write_bytes(HOSTILE[kind])
    with pytest.raises(ValueError, match=r"student\.npz"):
        read_state(path)


def test_a_file_that_unpacks_to_much_more_than_its_size_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teachgym.base.files._MOST_UNPACKED", 10_000_000)  # so that the bomb takes no time to make
    bomb = packed({"a.npy": header("(2500000,)") + bytes(20_000_000)})
    path = tmp_path / "bomb.npz"
    path.write_bytes(bomb)
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"bomb\.npz .* bytes unpack to 20,000,128"):
            read_arrays(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["NaN", "[1, Infinity]", "1e400", "9" * 5000, "[" * 200 + "]" * 200, "\ufeff{}"])
def test_json_that_is_none_or_too_deep_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.json is not a JSON file"):
        read_json(tmp_path / "x.json")


def test_a_study_whose_own_file_is_forged_is_refused_by_name(study: StudySettings) -> None:
    path = study.folder / "study.json"
    entries = read_checked(path)
    for key, value in [
        ("cells", 3),
        ("cells", [{**entries["cells"][0], "teacher": 5}]),
        ("cells", [{**entries["cells"][0], "seed": "0"}]),
        ("cells", [{**entries["cells"][0], "evaluations": "x" * 1_000_000}]),
        ("measures", {**entries["measures"], "scored_by": "returns"}),
        ("measures", {**entries["measures"], "outcome_range": [0, None]}),
        ("measures", {**entries["measures"], "outcome_range": [1, 0]}),
        ("measures", {**entries["measures"], "record_space": [{"name": 3}]}),
        ("provenance", ["me"]),
        ("title", None),
    ]:
        write_checked(path, {**entries, key: value})
        with pytest.raises(ValueError, match=r"study\.json does not describe a study") as caught:
            load_study(study.folder)
        assert len(str(caught.value)) < 2000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_no_file_that_is_waited_for(study: StudySettings) -> None:
    one, _ = folders(study)
    for path in (one / MANIFEST, one / "episodes.npz", study.folder / "study.json"):
        path.unlink()
        os.mkfifo(path)
    with pytest.raises(ValueError, match=r"study\.json is not a regular file"):
        load_study(study.folder)
    with pytest.raises(ValueError, match=r"manifest\.json is not a regular file"):
        load_finished(one)
    with pytest.raises(ValueError, match=r"episodes\.npz is not a regular file"):
        read_arrays(one / "episodes.npz")


@pytest.mark.parametrize("kind", ["a mean less", "another width"])
def test_a_teacher_that_sampled_what_does_not_fit_is_named_with_its_file(study: StudySettings, kind: str) -> None:
    one, _ = folders(study)
    entries = read_json(one / "sampling.json")
    entry = next(entry for entry in entries if entry["kind"] == "GaussianMixture")
    if kind == "a mean less":
        del entry["means"][-1]
    else:
        k = len(entry["weights"])
        entry["means"], entry["covariances"] = np.zeros((k, 3)).tolist(), np.zeros((k, 3, 3)).tolist()
    (one / "sampling.json").write_text(json.dumps(entries))
    forge_manifest(one)
    (missing,) = load_study(study.folder).missing
    assert str(one / "sampling.json") in missing.reason


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Ends whatever writes files just before a file is in its place: the one of that number."""
    number, fsync = 0, os.fsync

    def end_at(wanted: int | None) -> None:
        nonlocal number
        number = 0

        def counted(file: int) -> None:
            nonlocal number
            if number == wanted:
                raise Stop
            number += 1
            fsync(file)

        monkeypatch.setattr("teachgym.base.files.os.fsync", counted)

    return end_at


def test_a_cell_that_is_killed_between_any_two_of_its_files_is_run_again_or_whole(
    tmp_path: Path, killed_at: Callable[[int | None], None]
) -> None:
    one = cell(budget=60, evaluations=1)
    run_cell(one, tmp_path / "whole", lambda progress: None, ENDLESS)
    for number in range(20):
        folder = tmp_path / str(number)
        killed_at(number)
        try:
            run_cell(one, folder, lambda progress: None, ENDLESS)
        except Stop:
            assert not is_finished(folder)
        else:
            break
        killed_at(None)
        assert run_to_end(one, folder, ENDLESS)[-1] == 60
        load_finished(folder)
        assert list(differences(folder, tmp_path / "whole")) == []
    assert number == 12, "settings, provenance, twice the record's three and the teacher, the result, and the manifest"


def test_a_cell_that_is_killed_before_its_checkpoints_are_deleted_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_until(cell(), tmp_path, 200)
    with monkeypatch.context() as patch:
        patch.setattr("teachgym.study.cells.checkpoints.Checkpoints.delete", raise_stop)
        with pytest.raises(Stop):
            run_cell(cell(), tmp_path, lambda progress: None)
    assert list((tmp_path / "checkpoints").iterdir())
    assert run_to_end(cell(), tmp_path) == []
    assert not (tmp_path / "checkpoints").exists()


def raise_stop(checkpoints: Any) -> None:
    raise Stop


def test_the_result_of_another_cell_is_not_deleted(tmp_path: Path) -> None:
    run_cell(cell(), tmp_path, lambda progress: None, ENDLESS)
    content = (tmp_path / RESULT).read_bytes()
    with pytest.raises(ValueError, match="holds another cell"):
        run_cell(cell(seed=2), tmp_path, lambda progress: None, ENDLESS)
    assert (tmp_path / RESULT).read_bytes() == content
    assert load_finished(tmp_path)
