"""Where nothing says what mastered means, nothing is said of it."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from teachgym.report.write import write_report
from teachgym.study.compare import compare
from teachgym.study.results.summary import summary_table
from teachgym.study.settings import StudySettings


def test_a_study_of_a_schedule_speaks_of_scores_only(tmp_path: Path) -> None:
    settings = StudySettings(
        env="SelfDistillation", teachers=("random", "rule,name=paper"), seeds=2, evaluations=3, runs=tmp_path
    )
    study = compare(settings)
    assert study.comparison is not None
    assert not study.comparison.masters
    shown = StringIO()
    Console(width=120, file=shown).print(summary_table(study.comparison, title=""))
    page = write_report([settings.folder]).read_text()
    for text in (shown.getvalue(), page):
        assert "test score" in text
        assert "mastered" not in text


def test_a_study_of_cubes_in_which_none_is_mastered_speaks_of_returns_only(tmp_path: Path) -> None:
    settings = StudySettings(
        env="Hypercubes,budget=200", teachers=("random", "constant"), seeds=2, evaluations=2, runs=tmp_path
    )
    study = compare(settings)
    assert study.stored.measures.scored_by == "mastered"
    assert study.comparison is not None
    assert study.comparison.score_name == "test return"
    page = write_report([settings.folder]).read_text()
    assert "test return" in page
    assert "% mastered" not in page
