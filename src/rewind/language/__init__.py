"""Tokens → words: the prompt's layout, the bundled decoder, Hub decoders, times in text."""
