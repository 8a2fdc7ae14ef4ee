"""Features on disk: encode once, ask for ever."""

from rewind.store.features import Manifest, StoredFeatures
from rewind.store.keys import Recipe, default_folder, file_hash, remembered_hash, replace_file, replacing
from rewind.store.lock import BusyError, locked
from rewind.store.manage import StoredVideo, find_stored, list_store, prune_store, remove_stored
from rewind.store.shards import SAMPLES, GoneError, Part, row_bytes
from rewind.store.shelf import Shelf
from rewind.store.stretch import Stretch

__all__ = [
    "SAMPLES",
    "BusyError",
    "GoneError",
    "Manifest",
    "Part",
    "Recipe",
    "Shelf",
    "StoredFeatures",
    "StoredVideo",
    "Stretch",
    "default_folder",
    "file_hash",
    "find_stored",
    "list_store",
    "locked",
    "prune_store",
    "remembered_hash",
    "remove_stored",
    "replace_file",
    "replacing",
    "row_bytes",
]
