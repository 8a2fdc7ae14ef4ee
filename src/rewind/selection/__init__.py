"""Memory + instruction → key frames, moments and a digest: relevance, density peaks, spans, a bounded memory."""

from rewind.selection.choose import Selection, choose_frames
from rewind.selection.density_peaks import Peaks, density_peaks
from rewind.selection.digest import Digest, digest
from rewind.selection.moments import spans

__all__ = ["Digest", "Peaks", "Selection", "choose_frames", "density_peaks", "digest", "spans"]
