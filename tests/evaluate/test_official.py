"""Real predictions of other systems: our figures are those of the official evaluators, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rewind.cli.evaluate import register
from rewind.evaluate import score_predictions
from rewind.evaluate.grounding import read_activitynet, read_charades
from rewind.evaluate.moviechat import read_moviechat
from rewind.evaluate.nextqa import read_choices

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize(
    ("folder", "predictions", "official"),
    [
        ("qvh_cgdetr", "preds.jsonl", "metrics.json"),
        ("qvh_moment_detr_sample", "sample_val_preds.jsonl", "sample_val_preds_metrics_raw.json"),
    ],
)
def test_qvhighlights(corpus: Path, folder: str, predictions: str, official: str) -> None:
    peers = corpus / "peers" / folder
    truth = corpus / "annotations" / "qvhighlights" / "highlight_val_release.jsonl"
    got = score_predictions("qvhighlights", peers / predictions, truth)
    brief = json.loads((peers / official).read_text())["brief"]
    assert {k: got["metrics"].get(k) for k in brief} == brief
    assert got["n"] == 1550


def test_nextqa(corpus: Path) -> None:
    peers = corpus / "peers" / "nextqa_hga"
    got = score_predictions(
        "nextqa", peers / "HGA-bert-ft-h256-val-example.json", corpus / "annotations" / "nextqa" / "val.csv"
    )
    official = json.loads((peers / "metrics_official.json").read_text())
    del official["source"]
    assert got["metrics"] == official


def test_timechat(corpus: Path) -> None:
    peers = corpus / "peers" / "timechat_tvg"
    got = score_predictions("timechat", peers / "example_pred_file.json", peers / "example_gt_file.json")
    official = json.loads((peers / "metrics_official.json").read_text())
    assert got["metrics"] == {k: v for k, v in official.items() if k.startswith("IOU")}
    assert got["n"] == official["n_pred"]


def test_the_command_prints_one_object(corpus: Path) -> None:
    peers = corpus / "peers" / "timechat_tvg"
    app = typer.Typer()
    register(app)
    given = [
        "--predictions",
        str(peers / "example_pred_file.json"),
        "--annotations",
        str(peers / "example_gt_file.json"),
    ]
    printed = CliRunner().invoke(app, ["evaluate", "timechat", *given, "--json"])
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.stdout)["metrics"]["IOU 0.3"] == 9.0
    assert "IOU 0.3" in CliRunner().invoke(app, ["evaluate", "timechat", *given]).stdout


def test_every_annotation_file_is_read(corpus: Path) -> None:
    folder = corpus / "annotations"
    assert len(read_charades(folder / "charades_sta" / "charades_sta_test.txt")) == 3720
    assert len(read_activitynet(folder / "activitynet_captions" / "val_1.json")) == 17505
    assert len(read_activitynet(folder / "activitynet_captions" / "val_2.json")) > 17000
    assert len(read_moviechat(folder / "moviechat1k" / "test.json")) == 510
    assert len(read_choices(folder / "nextqa" / "val.csv")) == 4996
    assert len(read_choices(folder / "nextgqa" / "val.csv")) == 3358


def test_the_truth_as_its_own_prediction_scores_full(corpus: Path, tmp_path: Path) -> None:
    truth = corpus / "annotations" / "charades_sta" / "charades_sta_test.txt"
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps({q.id: f"{q.start_s} - {q.end_s} seconds" for q in read_charades(truth)}))
    got = score_predictions("charades-sta", predictions, truth)
    assert got["unparsed"] == 0
    assert got["metrics"]["R1@0.7"] > 99.5  # a few truths have no length: no answer can overlap them
