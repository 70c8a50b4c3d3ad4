"""The parts of training that need no TensorFlow: the split, the figures, the archive, the views."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tasks.ecg.training import figures, labels, mitdb
from tasks.ecg.training.augment import disturbed, jittered
from tasks.ecg.training.examples import match


def test_nobody_who_judges_was_trained_on() -> None:
    trained = {*mitdb.DS1, *mitdb.PACED_TRAINED}
    assert len(mitdb.DS1) == len(mitdb.DS2) == 22
    assert not trained & {*mitdb.DS2, "104", "217"}
    assert len({*mitdb.DS1, *mitdb.DS2, *mitdb.PACED}) == 48


def test_a_missing_database_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(mitdb.DataMissing, match="PhysioNet"), mitdb.unpacked(tmp_path / "none.tar.xz"):
        pass


def test_no_name_in_an_archive_leads_out_of_its_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo("../outside.hea")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"100"))
    with pytest.raises(mitdb.DataMissing), mitdb.unpacked(tmp_path / "bad.tar"):
        pass
    assert not (tmp_path / "outside.hea").exists()


def test_a_folder_without_record_100_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mitdb.DataMissing, match="record 100"), mitdb.unpacked(tmp_path):
        pass


def test_every_beat_symbol_has_a_group_and_classes_have_targets() -> None:
    assert set(labels.GROUP) == mitdb.BEAT_SYMBOLS
    assert np.array_equal(labels.targets(list(labels.CLASSES)), np.eye(8, dtype=np.float32))
    assert labels.targets(["F"])[0] @ np.arange(8) == pytest.approx(2)
    assert not labels.targets(["Q"]).any()


def test_group_probabilities_add_up() -> None:
    said = np.random.default_rng(0).dirichlet(np.ones(8), 20).astype(np.float32)
    grouped = labels.group_probabilities(said)
    assert np.allclose(grouped.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(grouped[:, 0], said[:, [0, 1, 2]].sum(axis=1))


def test_the_figures_are_those_of_a_worked_example() -> None:
    counts = figures.confusion(np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15]), 2)
    assert counts.tolist() == [[20, 5], [10, 15]]
    assert figures.accuracy(counts) == pytest.approx(0.7)
    assert figures.kappa(counts) == pytest.approx(0.4)
    sensitivity, predictive, f1 = figures.by_class(counts)
    assert sensitivity.tolist() == pytest.approx([0.8, 0.6])
    assert predictive.tolist() == pytest.approx([2 / 3, 0.75])
    assert f1.tolist() == pytest.approx([40 / 55, 30 / 45])


def test_a_perfect_answer_has_a_j_kappa_of_one_and_always_normal_none() -> None:
    truth = np.repeat([0, 1, 2], [90, 5, 5])
    assert figures.j_kappa(figures.confusion(truth, truth, 5)) == pytest.approx(1)
    assert figures.j_kappa(figures.confusion(truth, truth * 0, 5)) == pytest.approx(0)


def test_found_peaks_are_matched_to_the_nearest_true_beat() -> None:
    rows, beats = match(np.array([98, 250, 405]), np.array([100, 200, 400]), 10)
    assert rows.tolist() == [0, 2]
    assert beats.tolist() == [0, 2]
    assert match(np.array([], np.int64), np.array([5]), 10)[0].tolist() == []


def test_disturbing_keeps_length_and_order_and_is_the_same_for_one_seed() -> None:
    signal = np.sin(np.arange(7200) / 20).astype(np.float32)
    one, two = (disturbed(signal, 360.0, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, two)
    assert len(one) == len(signal)
    assert not np.allclose(one, signal)
    moved = jittered(np.arange(0, 7200, 300), 360.0, np.random.default_rng(3))
    assert np.all(np.diff(moved) > 0)
