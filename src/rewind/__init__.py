"""Rewind: ask anything of hours of video, and get the answer with the moments that prove it."""
