"""Studies on a real Ray cluster of two nodes, one of which is lost."""

import builtins
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from teachgym.base.files import read_json
from teachgym.study.cells.cell import CellOptions
from teachgym.study.cells.finished import RESULT
from teachgym.study.compare import compare
from teachgym.study.executors.ray_executor import run_cells_on_ray
from teachgym.study.executors.runner import Observer, RunOptions, run_cells
from teachgym.study.replay import differences
from teachgym.study.settings import Cell, StudySettings
from tests.study import toy_study
from tests.study.ray_cluster import Cluster, cluster
from tests.study.test_compare import Diary
from tests.waiting import wait_for

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),  # one cluster, of one test process
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OPTIONS = RunOptions(workers=1, cell=CellOptions(checkpoint_seconds=0.2))


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


def cells(folder: Path, student: str, count: int, *, steps: int = 300) -> list[tuple[Cell, Path]]:
    made = [Cell(toy_study.ENV, "alp-gmm", student, seed, steps, 3) for seed in range(count)]
    return [(cell, folder / "study" / "cells" / cell.folder_name) for cell in made]


def run_on(
    found: Cluster,
    chosen: list[tuple[Cell, Path]],
    observer: Observer,
    *,
    gpus: float = 0.0,
    options: RunOptions = OPTIONS,
) -> None:
    chosen[0][1].parent.parent.mkdir(parents=True, exist_ok=True)
    run_cells_on_ray(chosen, options, observer, address=found.address, gpus=gpus)


def check_equal(chosen: list[tuple[Cell, Path]], folder: Path) -> None:
    """To cells that were never interrupted, in local processes."""
    whole = [(cell, folder / "whole" / cell.folder_name) for cell, _ in chosen]
    run_cells(whole, RunOptions(workers=2), Observer())
    for (_, place), (_, expected) in zip(chosen, whole, strict=True):
        assert list(differences(place, expected)) == []


def waiting(gate: Path) -> str:
    return f"{toy_study.WAITING},gate={gate}"


def under_way(chosen: list[tuple[Cell, Path]]) -> int:
    """How many cells have two checkpoints."""
    return sum(len(list((folder / "checkpoints").glob("[0-9]*.npz"))) == 2 for _, folder in chosen)


@contextmanager
def beside(action: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """Do something in another thread while cells run; it is told whether they still do."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(action, lambda: not over.is_set())
        try:
            yield
        finally:
            over.set()
        done.result()


def test_a_study_on_a_cluster_equals_one_of_local_processes(two_nodes: Cluster, tmp_path: Path) -> None:
    chosen = StudySettings(
        env=toy_study.ENV,
        student=toy_study.QUICK,
        teachers=("random", "alp-gmm"),
        seeds=1,
        budget=300,
        evaluations=3,
        runs=tmp_path / "ray",
        name="study",
        executor="ray",
        ray_address=two_nodes.address,
    )
    diary = Diary()
    found = compare(chosen, observer=diary)
    assert not found.stored.missing
    assert sum(line.startswith("finished") for line in diary.lines) == 2
    local = replace(chosen, runs=tmp_path / "local", executor="local")
    compare(local)
    for cell in chosen.grid():
        place = Path("cells") / cell.folder_name
        assert list(differences(chosen.folder / place, local.folder / place)) == []
    assert not list(chosen.folder.rglob("standing.json"))


def test_a_node_that_is_lost_costs_nothing_but_time(two_nodes: Cluster, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    chosen = cells(tmp_path, waiting(gate), 3, steps=2000)  # so that each node has one of them at least
    diary = Diary()

    def lose_a_node(running: Callable[[], bool]) -> None:
        wait_for(lambda: under_way(chosen) == 3, while_running=running)
        two_nodes.second.kill()
        wait_for(lambda: sum(node["Alive"] for node in ray.nodes()) == 1, while_running=running)  # it is missed
        gate.touch()

    with beside(lose_a_node):
        run_on(two_nodes, chosen, diary)
    two_nodes.second = two_nodes.add()
    assert sum(line.startswith("finished") for line in diary.lines) == 3
    runs = [read_json(folder / "provenance.json") for _, folder in chosen]
    taken_up = [of_cell for of_cell in runs if len(of_cell) > 1]
    assert 1 <= len(taken_up) <= 2, "the cells of one node of two"
    assert all(of_cell[1]["from_step"] > 0 for of_cell in taken_up), "from their checkpoints"
    assert sum(line.startswith("retried") for line in diary.lines) == len(taken_up)
    check_equal([one for one, of_cell in zip(chosen, runs, strict=True) if len(of_cell) > 1], tmp_path)


def test_cells_that_fail_or_die_fail_alone_with_their_logs(two_nodes: Cluster, tmp_path: Path) -> None:
    students = [toy_study.FAILING, toy_study.QUICK, toy_study.KILLED]
    chosen = []
    for number, student in enumerate(students):
        cell = Cell(toy_study.ENV, "random", student, number, 300, 3)
        chosen.append((cell, tmp_path / "study" / "cells" / cell.folder_name))
    diary = Diary()
    run_on(two_nodes, chosen, diary, options=replace(OPTIONS, retries=0))
    failed = {line.split(":")[0]: line for line in diary.lines if line.startswith("failed")}
    assert failed.keys() == {"failed random-seed-0", "failed random-seed-2"}
    assert "the student lost its way" in failed["failed random-seed-0"]
    assert "signal 9" in failed["failed random-seed-2"]
    assert "about to fail" in (chosen[0][1] / "log.txt").read_text()
    assert read_json(chosen[0][1] / "failure.json")["reason"]
    assert (chosen[1][1] / RESULT).exists()


@pytest.mark.parametrize(("gpus", "at_once"), [(0.5, 3), (1.0, 2)])
def test_cells_share_a_gpu_or_not(two_nodes: Cluster, tmp_path: Path, gpus: float, at_once: int) -> None:
    """Three cells: each node has two CPUs and one GPU, so that halves of it let all run, and wholes let two."""
    gate = tmp_path / "gate"
    chosen = cells(tmp_path, waiting(gate), 3)
    most = 0

    class Counter(Observer):
        def __init__(self) -> None:
            self.running: set[str] = set()

        def started(self, cell: Cell) -> None:
            nonlocal most
            self.running.add(cell.folder_name)
            most = max(most, len(self.running))

        def finished(self, cell: Cell) -> None:
            self.running.remove(cell.folder_name)

    def let_them_go_on(running: Callable[[], bool]) -> None:
        wait_for(lambda: under_way(chosen) >= at_once, while_running=running)
        gate.touch()

    with beside(let_them_go_on):
        run_on(two_nodes, chosen, Counter(), gpus=gpus)
    assert most == at_once


def test_an_address_without_a_cluster_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no Ray cluster answers at '127.0.0.1:1'"):
        run_cells_on_ray(cells(tmp_path, toy_study.QUICK, 1), OPTIONS, Observer(), address="127.0.0.1:1")


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return true_import(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'teachgym\[ray\]'"):
        run_cells_on_ray(cells(tmp_path, toy_study.QUICK, 1), OPTIONS, Observer())


def test_a_node_that_does_not_see_the_run_folder_says_so(two_nodes: Cluster, tmp_path: Path) -> None:
    diary = Diary()
    chosen = cells(tmp_path / "nowhere", toy_study.QUICK, 1)
    run_cells_on_ray(chosen, OPTIONS, diary, address=two_nodes.address)
    (line,) = [line for line in diary.lines if line.startswith("failed")]
    assert "every node must see the run folder at the same path" in line
