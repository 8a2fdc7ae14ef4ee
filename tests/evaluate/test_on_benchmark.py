"""A model on a benchmark's videos: rows in the benchmark's form, stopped and gone on with, scored as ever."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

import rewind
from rewind.errors import ConfigError
from rewind.evaluate import Judge, on_benchmark, score_predictions
from rewind.evaluate.ledger import Ledger
from rewind.evaluate.on_benchmark import BenchmarkRun, evaluate_benchmark
from rewind.evaluate.tasks import saliency

OPTIONS = ["a dog", "a red star", "the second", "blue", "no"]


@pytest.fixture
def start(film: Path, model: str, store: Path, tmp_path: Path) -> Any:
    """`start("moviechat", annotations)`: a run over the film, its answers in `p.jsonl`."""

    def make(benchmark: str, annotations: Path, **options: Any) -> BenchmarkRun:
        given = {"model": model, "predictions": tmp_path / "p.jsonl", "store": store, **options}
        return BenchmarkRun(benchmark, annotations, **{"videos": film.parent, **given})

    return make


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_moviechat_of_a_world(start: Any, film: Path, model: str, tmp_path: Path) -> None:
    annotations = film.with_suffix(".json")
    run = start("moviechat", annotations)
    result = evaluate_benchmark(run)
    scored = score_predictions("moviechat", run.file, annotations)
    for key in ("metrics", "n", "unparsed", "intervals_95"):
        assert result[key] == scored[key]
    assert set(scored["notes"]) <= set(result["notes"])
    data = json.loads(annotations.read_text())
    video = rewind.open(film, model=model, store=tmp_path / "own")
    answers = {row["id"]: row["prediction"] for row in rows(run.file)}
    assert len(answers) == len(data["global"]) + len(data["breakpoint"])
    for mode, letter in (("global", "g"), ("breakpoint", "b")):
        for i, q in enumerate(data[mode]):
            until = q["time"] / data["info"]["fps"] if "time" in q else None
            assert answers[f"film_{letter}{i}"] == video.ask(q["question"], until_s=until).answer


def test_charades_of_a_world_goes_on_behind_a_half_written_line(
    start: Any, film: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = film.with_suffix(".txt")
    assert annotations.read_text().count("\n") >= 2
    run = start("charades-sta", annotations)
    result = evaluate_benchmark(run)
    data, before = run.file.read_bytes(), rows(run.file)
    run.file.write_bytes(data[: data.index(b"\n") + 30])
    seen: list[tuple[str, int, int | None]] = []
    assert evaluate_benchmark(run, progress=lambda *a: seen.append(a)) == result
    after = rows(run.file)
    assert len(after) == len(before)
    # Other batches sum in another order: scores may differ in the last place, nothing else may.
    for one, other in zip(before, after, strict=True):
        assert one.pop("scores") == pytest.approx(other.pop("scores"), abs=1e-5)
        assert one == other
    assert seen[-1][1:] == (result["n"], result["n"])
    monkeypatch.setattr(rewind, "open", lambda *_, **__: pytest.fail("opened again"))
    assert evaluate_benchmark(run) == result


def test_answers_by_an_image_text_model_are_another_models(
    start: Any, film: Path, discs_clip: Path, tmp_path: Path
) -> None:
    annotations = film.with_suffix(".txt")
    run = start("charades-sta", annotations, image_text=f"hub:{discs_clip}", store=tmp_path / "own")
    result = evaluate_benchmark(run)
    assert result["image_text"] == f"hub:{discs_clip}"
    assert all(f"hub:{discs_clip}" in row["model"] for row in rows(run.file))
    with pytest.raises(ConfigError, match="allowed: one model a file"):
        evaluate_benchmark(start("charades-sta", annotations))
    named = dataclasses.replace(run, predictions=None, image_text="hub:some/clip-b32").file
    assert named.name.endswith("-clip-b32.jsonl")


def test_what_a_video_lost_is_told_by_a_run_that_goes_on_too(
    start: Any, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch_file(*args: Any, **options: Any) -> Any:
        watched = watched_as_it_is(*args, **options)
        return dataclasses.replace(watched, degradations=(*watched.degradations, "3 frames were broken"))

    watched_as_it_is = on_benchmark.watch_file
    monkeypatch.setattr(on_benchmark, "watch_file", watch_file)
    run = start("charades", film.with_suffix(".txt"))
    first = evaluate_benchmark(run)
    assert first["notes"].count("3 frames were broken") == 1
    monkeypatch.setattr(on_benchmark, "watch_file", lambda *_, **__: pytest.fail("watched again"))
    assert evaluate_benchmark(run) == first


def test_found_moments_come_best_first(start: Any, film: Path, model: str, tmp_path: Path) -> None:
    run = start("charades", film.with_suffix(".txt"))
    evaluate_benchmark(run)
    video = rewind.open(film, model=model, store=tmp_path / "own")
    for row in rows(run.file):
        found = video.find(row["query"], limit=10)
        if found.absent:
            assert row["guessed"]
            found = video.find(row["query"], limit=10, threshold=0.0)
        assert row["prediction"] == [[m.start_s, m.end_s] for m in found.moments]
        assert row["scores"] == sorted(row["scores"], reverse=True)


def test_missing_videos_count_as_wrong_and_are_named(start: Any, film: Path, tmp_path: Path) -> None:
    annotations, videos = tmp_path / "c.txt", tmp_path / "videos"
    annotations.write_text("film 0.0 60.0##a red star\ngone 0.0 5.0##a dog\nlost 1 2##a cat\ngone 3 5##a fox\n")
    videos.mkdir()
    (videos / "film.mp4").symlink_to(film)
    (videos / "lost.mp4").write_bytes(b"no video at all")
    run = start("charades-sta", annotations, videos=videos)
    result = evaluate_benchmark(run)
    assert (result["n"], result["unparsed"]) == (4, 3)
    assert "3 questions count as wrong because their video is missing or cannot be read" in result["notes"]
    assert "1 videos missing: gone" in result["notes"]
    assert any(note.startswith("video lost cannot be read") for note in result["notes"])
    (videos / "gone.mp4").symlink_to(film)
    assert evaluate_benchmark(run)["unparsed"] == 1


def test_qvhighlights_has_windows_and_saliency(start: Any, tmp_path: Path) -> None:
    annotations = tmp_path / "val.jsonl"
    truth = [
        {"qid": i, "query": words, "vid": video, "duration": 44, "relevant_windows": [[0, 8]],
         "relevant_clip_ids": [0, 1], "saliency_scores": [[4, 4, 3], [2, 3, 4]]}
        for i, (words, video) in enumerate([("a red star", "film"), ("a blue sign", "film"), ("a dog", "gone")])
    ]  # fmt: skip
    annotations.write_text("".join(json.dumps(row) + "\n" for row in truth))
    run = start("qvhighlights", annotations)
    result = evaluate_benchmark(run)
    assert result["n"] == 3
    assert {"MR-full-mAP", "HL-min-VeryGood-mAP"} <= set(result["metrics"])
    first = rows(run.file)[0]
    assert (len(first["pred_saliency_scores"]), len(set(first["pred_saliency_scores"])) > 5) == (22, True)
    assert all(len(w) == 3 for w in first["pred_relevant_windows"])


def test_saliency_by_hand() -> None:
    assert saliency([0.25, 0.75, 0.5, 0.9, 0.1], [0.0, 1.0, 2.0, 6.0, 20.0], 5) == [0.5, 0.5, 0.0, 0.9, 0.0]


def test_multiple_choice_takes_the_option_nearest_to_the_answer(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "val.csv"
    head = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    options = ",".join(OPTIONS)
    table.write_text(head + f"film,9,6,4,what,1,0,CW,{options}\nfilm,9,6,4,which,2,3,TN,{options}\n")
    result = evaluate_benchmark(start("nextqa", table))
    assert (result["n"], result["unparsed"]) == (2, 0)
    assert any("cosine" in note for note in result["notes"])
    grounded = tmp_path / "gsub_val.json"
    grounded.write_text(json.dumps({"film": {"duration": 44, "location": {"3": [[0, 30]]}, "fps": 30}}))
    run = start("nextgqa", grounded, predictions=tmp_path / "g.jsonl")
    result = evaluate_benchmark(run)
    assert "Acc@GQA" in result["metrics"]
    assert result["unparsed"] == 0
    assert [row["id"] for row in rows(run.file)] == ["film_3"]


def test_what_contradicts_is_refused_before_any_work(
    start: Any, film: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = film.with_suffix(".txt")
    monkeypatch.setattr(rewind, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(ConfigError, match=r"allowed: a name that ends in \.jsonl"):
        start("charades", truth, predictions=tmp_path / "p.json")
    with pytest.raises(ConfigError, match="a judge for moviechat only"):
        start("charades", truth, judge=Judge("http://x/v1", "m"))
    with pytest.raises(ConfigError, match=r"gone\.txt: not there"):
        start("charades", film.with_name("gone.txt"))
    with pytest.raises(ConfigError, match="benchmark 'chess'"):
        start("chess", truth)
    run = start("charades", truth)
    foreign = '{"id": "0", "prediction": [0, 1]}\n{"id": "1", "prediction": [2, 3]}'  # no line end, as many tools write
    run.file.write_text(foreign)
    with pytest.raises(ConfigError, match="answers of an unnamed model"):
        evaluate_benchmark(run)
    assert run.file.read_text() == foreign
    run.file.unlink()
    Ledger(run.file).add({"id": "0", "prediction": [0, 1], "model": "another 0123"})
    with pytest.raises(ConfigError, match=r"answers of another 0123, not of .*tiny [0-9a-f]{16}; .*--predictions"):
        evaluate_benchmark(run)


def test_answers_to_other_questions_of_the_same_ids_are_refused(start: Any, film: Path, tmp_path: Path) -> None:
    annotations = tmp_path / "c.txt"
    annotations.write_text("film 0.0 60.0##a red star\ngone 0.0 5.0##a dog\n")
    run = start("charades", annotations)
    result = evaluate_benchmark(run)
    assert evaluate_benchmark(run) == result
    for other in (
        "film 0.0 60.0##a blue star\ngone 0.0 5.0##a dog\n",
        "film 0.0 60.0##a red star\nfilm 0.0 5.0##a dog\n",
    ):
        annotations.write_text(other)
        with pytest.raises(
            ConfigError, match=r"answers another question [01]; allowed: questions of c\.txt; .*--predictions"
        ):
            evaluate_benchmark(run)
    older = [{k: v for k, v in row.items() if k != "task"} for row in rows(run.file)]  # versions that wrote none
    run.file.write_text("".join(json.dumps(row) + "\n" for row in older))
    with pytest.raises(ConfigError, match="answers another question 1"):
        evaluate_benchmark(run)
    annotations.write_text("film 0.0 60.0##a red star\ngone 0.0 5.0##a dog\n")
    assert evaluate_benchmark(run)["metrics"] == result["metrics"]


def test_a_model_under_another_name_is_the_same_by_its_weights(start: Any, film: Path) -> None:
    run = start("charades", film.with_suffix(".txt"))
    result = evaluate_benchmark(run)
    renamed = [{**row, "model": "elsewhere/tiny " + row["model"].rpartition(" ")[2]} for row in rows(run.file)]
    run.file.write_text("".join(json.dumps(row) + "\n" for row in renamed))
    assert evaluate_benchmark(run) == result
    assert rows(run.file) == renamed
