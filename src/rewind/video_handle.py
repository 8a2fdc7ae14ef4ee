"""What a user holds: a video that is opened cheaply, watched once, and asked as often as one likes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from rewind import answering
from rewind.answering import Engine, Recollection
from rewind.errors import ConfigError, VideoError
from rewind.estimate import Estimate, estimate, of_part
from rewind.facts import fact_asked
from rewind.glance import Glances, samples_worth_a_glance
from rewind.loaded import engine, vision_encoder_of
from rewind.outcome import Recalled, WatchReport, info_after
from rewind.replies import answer_of, found_of, told_by_the_file
from rewind.sampling import Dtype, Reading
from rewind.scope import limits_of, scope_of
from rewind.store import GoneError, Recipe, Shelf, StoredFeatures, default_folder, row_bytes
from rewind.timeline import Clock, Timeline
from rewind.values import Answer, Found, Seconds, VideoInfo
from rewind.video import grab, probe
from rewind.video.source import is_pipe
from rewind.watch import Progress, watch_into

if TYPE_CHECKING:
    from PIL import Image

KEPT = 4
Asked = ParamSpec("Asked")
Given = TypeVar("Given")
_PLAYLISTS = frozenset({"hls", "dash", "concat"})


def _again_where_gone(
    method: Callable[Concatenate[Video, Asked], Given],
) -> Callable[Concatenate[Video, Asked], Given]:
    """A question during which its features were removed from the store is asked once more."""

    @wraps(method)
    def asked(video: Video, /, *args: Asked.args, **options: Asked.kwargs) -> Given:
        try:
            return method(video, *args, **options)
        except GoneError:
            if is_pipe(video.source):
                raise
            video._forget()
            return method(video, *args, **options)

    return asked


class Video:
    """One video under one way of sampling. Made by `rewind.open`; holds no state that another video could see."""

    def __init__(
        self, source: str | Path, *, fps: Fraction, reading: Reading, model: str, store: Path | None, dtype: Dtype,
        threads: int | None, waiting: Callable[[], None] | None, image_text: str | None = None,
    ) -> None:  # fmt: skip
        self.source = source
        self.info: VideoInfo = probe(source)
        self.fps, self.reading, self.dtype, self.threads = fps, reading, dtype, threads
        self._model, self._image_text, self._waiting = model, image_text, waiting
        self._vision = vision_encoder_of(model, image_text)
        self._recipe = Recipe(str(fps), reading, dtype, self._vision.name, self._vision.weights_hash)
        # A playlist's own bytes do not tell what the files that it names show.
        live = self.info.live or self.info.container in _PLAYLISTS
        self._shelf = Shelf(source, store or default_folder(), recipe=self._recipe, live=live)
        self._stored: StoredFeatures | None = None
        self._timeline: Timeline | None = None
        self._glances = Glances(source, encoder=self._vision, recipe=self._recipe, reading=reading, threads=threads)
        self._memories: OrderedDict[tuple[str, tuple[int, ...]], Recollection] = OrderedDict()
        self._answers: OrderedDict[tuple[str, float | None, float | None], Answer] = OrderedDict()
        self._pass = Seconds()
        vision = self._vision
        row = row_bytes(vision.deep_shape, vision.fine_shape, (vision.views, vision.classes), dtype=dtype)
        self.estimate = estimate(
            self.info, fps=fps, reading=reading, frame_bytes=row if self.kept else 0,
            bf16=getattr(vision, "precision", "fp32") == "bf16", more_work=getattr(vision, "more_work", 0),
            watched=self._shelf.finished(),
        )  # fmt: skip

    @property
    def kept(self) -> bool:
        """Whether what is watched goes to the store: what a file shows does, but not what comes from elsewhere."""
        return self._shelf.keyed

    # --- watching -----------------------------------------------------------------------------------------------

    def watch(self, *, progress: Progress | None = None) -> WatchReport:
        """Decode, encode and store what is not stored yet. A second call costs nothing, unless what was stored was
        removed meanwhile.

        Where a source failed on the way (a disk, a network, a silent stream), this handle keeps to what came, so that
        its answers agree with each other, and says so; a file opened anew is gone on with.

        Raises: VideoError, StoreError.
        """
        self._forget_what_is_gone()
        if self._stored is not None:
            return self._report(self._stored, resumed=len(self._stored), seconds=Seconds())
        with self._shelf.opened(self._clock, waiting=self._waiting) as stored:
            return self._watch_into(stored, progress)

    def _watch_into(self, stored: StoredFeatures, progress: Progress | None) -> WatchReport:
        resumed = len(stored)
        before = stored.manifest
        if not before.finished:
            self.info = watch_into(
                stored, self.source, info=self.info, encoder=self._vision, reading=self.reading, threads=self.threads,
                total=self.estimate.frames, progress=progress,
            )  # fmt: skip
        self._forget()
        self._stored, self._timeline = stored, stored.timeline()
        self._glances.last = None
        self.info = info_after(stored, self.info)
        after = stored.manifest
        self._pass = Seconds(read=after.read_s - before.read_s, encode=after.encode_s - before.encode_s)
        return self._report(stored, resumed=resumed, seconds=self._pass)

    def _forget(self) -> None:
        """What is stored, and all that was made of it."""
        self._stored = self._timeline = None
        self._memories.clear()
        self._answers.clear()

    def _forget_what_is_gone(self) -> None:
        """A pipe cannot be read again: what is still known of it stays."""
        if self._stored is not None and self._stored.gone and not is_pipe(self.source):
            self._forget()

    def _report(self, stored: StoredFeatures, *, resumed: int, seconds: Seconds) -> WatchReport:
        manifest = stored.manifest
        lost = (*self._shelf.notes, *manifest.degradations)
        # A temporary folder goes with this handle, and a note of the shelf says that it had to take one.
        kept = manifest.size_bytes if self.kept and not self._shelf.notes else 0
        return WatchReport(manifest.frames, lost, seconds, kept, resumed)

    @property
    def stored(self) -> StoredFeatures:
        """Its features, watched where they were not. They may lie in a folder that goes with this handle.

        Raises: VideoError, StoreError.
        """
        self.watch()
        assert self._stored is not None  # noqa: S101  (watch sets it)
        return self._stored

    def estimate_for(
        self, instruction: str, *, from_s: float | None = None, until_s: float | None = None
    ) -> Estimate:  # fmt: skip
        """What answering a question will cost: of a short part of a video that was not watched, that part alone.

        Raises: ConfigError for limits between which no video can lie.
        """
        from_s, until_s = limits_of(self.info, from_s=from_s, until_s=until_s)
        if fact_asked(instruction, self.info) is not None:
            return of_part(self.estimate, 0)
        samples = self._worth_a_glance(instruction, from_s, until_s)
        return self.estimate if samples is None else of_part(self.estimate, len(samples))

    # --- asking -------------------------------------------------------------------------------------------------

    @_again_where_gone
    def ask(
        self, question: str, *, from_s: float | None = None, until_s: float | None = None,
        progress: Progress | None = None,
    ) -> Answer:  # fmt: skip
        """Answer in words, with key frames and moments. A part of the video that the question names (*at 2:30*, *in the
        last minute*) is all that is looked at for it; of *When does it first appear?* the first moment is the answer.
        What the file itself tells (*How long is the video?*) is answered with nothing watched.

        Args:
            from_s: ask as if the video began at this second of its own time.
            until_s: ask as if it ended there (a breakpoint question).
        """
        from_s, until_s = limits_of(self.info, from_s=from_s, until_s=until_s)
        fact = fact_asked(question, self.info)
        if fact is not None:
            return told_by_the_file(self._engine, fact, self.info)
        here, took = self._recollect(question, from_s, until_s, progress, aloud=True)
        known = (question, from_s, until_s)
        if known in self._answers:
            return replace(self._answers[known], seconds=took)
        answer = answer_of(self._engine, here, self.info, took=took)
        self._answers[known] = answer
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return answer

    @_again_where_gone
    def find(
        self, query: str, *, from_s: float | None = None, until_s: float | None = None, threshold: float | None = None,
        limit: int = 5, progress: Progress | None = None,
    ) -> Found:  # fmt: skip
        """Moments that show `query`, best first, or absent. A part of the video that it names is all that is looked at.
        Of a query for what is there *now* (`answering.NOW`) the moment that lasts to the end; memory under the whole
        query would look at the last frame whatever it shows.

        Args:
            threshold: score in 0–1 from which a moment counts; the calibrated one where not given.
        """
        if threshold is not None and not 0 <= threshold <= 1:
            raise ConfigError(f"threshold {threshold}", allowed="0 to 1")
        if limit < 1:
            raise ConfigError(f"limit {limit}", allowed="1 or more")
        from_s, until_s = limits_of(self.info, from_s=from_s, until_s=until_s)
        query, only_now = answering.NOW.subn("", query)
        here, took = self._recollect(query, from_s, until_s, progress)
        return found_of(
            self._engine, here, self.info, took=took, threshold=threshold, limit=limit, only_now=bool(only_now)
        )  # fmt: skip

    def pictures(self, times_s: Sequence[float], *, max_side: int = 720) -> list[Image.Image]:
        """The sampled pictures on screen at these seconds, upright, for a person to look at.

        Raises: VideoError where the source cannot be read again (a pipe).
        """
        timeline, rows = self._sampled(times_s)
        return grab(self.source, [int(timeline.pts[r]) for r in rows], info=self.info, max_side=max_side)

    def sampled_s(self, times_s: Sequence[float]) -> list[float]:
        """The instants, in seconds, of the samples on screen at these seconds: those of `pictures`."""
        timeline, rows = self._sampled(times_s)
        return [float(timeline.instant(row)) for row in rows]

    def _sampled(self, times_s: Sequence[float]) -> tuple[Timeline, list[int]]:
        glanced = self._glances.last
        timeline = glanced.timeline if glanced and glanced.holds(times_s) else self.stored.timeline()
        seconds = timeline.seconds
        return timeline, [max(0, int(seconds.searchsorted(t + 1e-6, side="right")) - 1) for t in times_s]

    def _recollect(
        self, instruction: str, from_s: float | None, until_s: float | None, progress: Progress | None, *,
        aloud: bool = False,
    ) -> tuple[Recalled, Seconds]:  # fmt: skip
        if not instruction.strip():
            raise ConfigError("an empty question", allowed="at least one word")
        self._forget_what_is_gone()
        fresh, engine = self._stored is None, self._engine  # an engine that cannot answer is refused before the work
        if aloud:
            engine.model.speaker.require_room(instruction, room=engine.model.config.instruction_limit)
        glanced, samples = None, self._worth_a_glance(instruction, from_s, until_s)
        if samples is not None:
            glanced, took = self._glances.look(samples, clock=self._clock, info=self.info, progress=progress)
        if glanced is None:
            self.watch(progress=progress)
            assert self._stored is not None and self._timeline is not None  # noqa: S101, PT018  (watch sets both)
            stored, timeline, took = self._stored, self._timeline, self._pass if fresh else Seconds()
        else:
            stored, timeline = glanced.stored, glanced.timeline
        if not len(timeline):
            raise VideoError(f"{self.source}: no frame could be read", allowed="a video with at least one picture")
        scope = scope_of(instruction, self.info, fps=self.fps, from_s=from_s, until_s=until_s)
        rows, wide = scope.rows(timeline), scope.rows_around(timeline)
        stretch, part = stored.stretch(rows.start, rows.stop), timeline[rows]
        around = answering.Around(
            stored.stretch(wide.start, wide.stop), timeline[wide], answering.end_of(timeline[wide], self.info),
            slice(rows.start - wide.start, rows.stop - wide.start),
        )  # fmt: skip
        key = (scope.words, tuple(int(index[k]) for index in (part.index, around.timeline.index) for k in (0, -1)))
        if key in self._memories:
            self._memories.move_to_end(key)
        else:
            self._memories[key] = answering.recollect(engine, stretch, part, scope.words, around=around)
            took = replace(took, memory=self._memories[key].memory_s)
        while len(self._memories) > KEPT:
            self._memories.popitem(last=False)
        first_row = rows.start if glanced is None else int(part.index[0])
        lost = (*self._shelf.notes, *stored.manifest.degradations)
        return Recalled(scope, stretch, part, around, self._memories[key], first_row, lost), took

    def _worth_a_glance(self, instruction: str, from_s: float | None, until_s: float | None) -> range | None:
        """The samples to be read alone for a question, where the video was not watched and they are few of it."""
        if self._stored is not None or not self.kept or self.info.duration_s is None or self.estimate.stored:
            return None
        scope = scope_of(instruction, self.info, fps=self.fps, from_s=from_s, until_s=until_s)
        return samples_worth_a_glance(scope, self._clock, self.info)

    @property
    def _clock(self) -> Clock:
        return Clock(self.info.start_pts, self.info.time_base, self.fps)

    @property
    def _engine(self) -> Engine:
        return engine(self._model, self._image_text)
