import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import learnsym as ls
from learnsym._memory import gibibytes
from learnsym.measure import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.report import analyze, text_table
from learnsym.report.run.groups import group_runs
from learnsym.training import RunConfig, train

SETTINGS = AnalysisConfig(
    pose=PoseConfig(generators=["rotation"], steps=8, examples=60),
    task_extent=TaskExtentConfig(widths=[0.0, 90.0], steps=2),
    angle_step=90,
    equivariance_samples=2,
    equivariance_examples=16,
    bootstrap=50,
    workers=1,
)


TRAINING = ls.objectives.choosers.TrainingLoss()


def config(label: str, **changes) -> RunConfig:
    data = ls.data.DataConfig(name="digits", label=label, size=12, train=40, val=20, test=20)
    return RunConfig(
        data=data,
        net=ls.nets.NetConfig(width=4, depth=2),
        method=ls.methods.registry["augerino"](test_copies=2, orbit=2),
        train=ls.training.TrainConfig(steps=3, batch_size=16, eval_every=1, threads=1),
        analysis=SETTINGS,
        **{"chooser": TRAINING, "twins": ["learned", "plain"], "seeds": [0, 1], **changes},
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    train(config("first"), root / "first")
    turned = config("second")
    plant = ls.data.PlantConfig(rotation=60.0)
    train(replace(turned, data=replace(turned.data, plant=plant), seeds=[0]), root / "second")
    return root


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "runs"))


@pytest.fixture(scope="module")
def analysed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(trained, tmp_path_factory.mktemp("analysed") / "runs"))
    analyze(root, progress=False)
    return root


def test_it_writes_degrees_of_all_data_sets_and_both_notions(analysed: Path):
    degrees = ls.read_degrees(analysed / "symmetry.json")
    assert {degree.data for degree in degrees} == {"first", "second"}
    assert {degree.notion for degree in degrees} == {"task", "distribution"}
    learned = [degree for degree in degrees if degree.data == "first" and degree.method == "augerino"]
    assert len(learned) == 6 and all(degree.low is not None for degree in learned)
    assert all(degree.low is None for degree in degrees if degree.data == "second" and degree.method == "augerino")


def test_it_writes_the_page_and_the_figures(analysed: Path):
    page = (analysed / "report.html").read_text(encoding="utf8")
    assert "first" in page and "second" in page and "Student" in page
    names = {path.name for path in (analysed / "figures").iterdir()}
    assert {f"{kind}-first.{ending}" for kind in ("angles", "extent", "poses") for ending in ("svg", "png")} <= names


def test_the_second_time_nothing_is_computed(analysed: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "learnsym.report.run.store.Piece.compute", lambda piece: pytest.fail(f"computed {piece.path.name}")
    )
    before = (analysed / "symmetry.json").read_text()
    analysis = analyze(analysed, progress=False)
    assert (analysed / "symmetry.json").read_text() == before
    assert analysis.report.is_file() and "learned" in text_table(analysis)


def test_a_single_run_can_be_analysed(runs: Path):
    settings = replace(SETTINGS, pose=PoseConfig(generators=[]), task_extent=TaskExtentConfig(widths=[]))
    found = analyze(runs / "first" / "learned-0", settings=settings, progress=False)
    assert [data.label for data in found.data] == ["first"]
    assert [twin.name for twin in found.data[0].twins] == ["learned"]
    assert (runs / "first" / "learned-0" / "report.html").is_file()


def test_the_chooser_is_named(tmp_path: Path):
    chooser = ls.objectives.choosers.registry["validation"](batch=8, copies=2)
    train(config("chosen", chooser=chooser, seeds=[0]), tmp_path / "runs")
    settings = replace(SETTINGS, pose=PoseConfig(generators=[]), task_extent=TaskExtentConfig(widths=[]))
    found = analyze(tmp_path / "runs", settings=settings, progress=False)
    assert {degree.method for degree in found.degrees} == {"augerino, validation"}


def test_settings_of_the_analysis_can_be_changed(runs: Path):
    overrides = ["--analysis.angle_step", "180", "--analysis.task_extent.widths", "[]", "--analysis.pose.generators=[]"]
    found = analyze(runs / "second", overrides=overrides, progress=False)
    assert [len(twin.by_angle.x) for twin in found.data[0].twins if twin.by_angle] == [2, 2]
    assert found.data[0].extent is None
    with pytest.raises(ValueError, match=r"train\.steps: is not a key of the analysis"):
        analyze(runs / "second", overrides=["--train.steps", "3"])
    with pytest.raises(ValueError, match=r"angle_stop"):
        analyze(runs / "second", overrides=["--analysis.angle_stop", "3"])


def test_a_generator_that_the_symmetry_lacks_is_named_instead_of_failing(runs: Path):
    settings = replace(
        SETTINGS, pose=PoseConfig(generators=["boost"]), task_extent=TaskExtentConfig(generator="boost", widths=[0.0])
    )
    found = analyze(runs / "first", settings=settings, progress=False)
    notes = " ".join(found.data[0].notes)
    assert "No law of poses along 'boost'" in notes and "No task extent" in notes
    assert not found.data[0].poses and "No law of poses" in found.report.read_text(encoding="utf8")


def test_seeds_are_replicates_and_labels_are_in_natural_order(runs: Path):
    groups = group_runs(runs)
    assert [group.label for group in groups] == ["first", "second"]
    assert {twin: len(members) for twin, members in groups[0].twins().items()} == {"learned": 2, "plain": 2}


@pytest.mark.parametrize(
    ("file", "content", "remedy"),
    [
        ("config.yaml", "data: [", "cannot be read"),
        ("config.yaml", "colour: 1", "cannot be read"),
        ("metrics.jsonl", "{{{\n", "train again"),
        ("state.pt", "nonsense", "delete it"),
    ],
)
def test_an_unreadable_run_is_named_with_a_remedy(runs: Path, file: str, content: str, remedy: str):
    broken = runs / "first" / "plain-0"
    (broken / file).write_text(content)
    with pytest.raises(ValueError, match=remedy) as error:
        analyze(runs, progress=False)
    assert "plain-0" in str(error.value)


def test_a_run_without_weights_is_named_with_a_remedy(runs: Path):
    for name in ("state.pt", "weights.safetensors"):
        (runs / "second" / "plain-0" / name).unlink()
    with pytest.raises(ValueError, match="finish it with learnsym train"):
        analyze(runs, progress=False)


def test_a_folder_without_runs_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="holds no run"):
        analyze(tmp_path)


def test_symmetry_json_is_strict_json(analysed: Path):
    content = json.loads((analysed / "symmetry.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert content["version"] == 1


def test_results_are_the_same_within_any_memory(runs: Path):
    run = runs / "first" / "learned-0"
    settings = replace(SETTINGS, pose=PoseConfig(generators=[]), task_extent=TaskExtentConfig(widths=[]))
    wide = analyze(run, settings=settings, progress=False)
    with pytest.raises(ValueError, match=r"^memory: got 1K, and one example takes \d+K; give ") as caught:
        analyze(run, settings=replace(settings, memory=2**-20), progress=False)
    least = gibibytes(str(caught.value).split()[-3])
    kept = next(run.glob("analysis/learned-*.json"))
    kept.unlink()
    tight = analyze(run, settings=replace(settings, memory=least), progress=False)
    assert kept.is_file()
    (one,), (other,) = wide.data[0].twins, tight.data[0].twins
    assert one.by_angle == other.by_angle and one.accuracy == other.accuracy
    assert one.error.mean == pytest.approx(other.error.mean, rel=1e-4)
