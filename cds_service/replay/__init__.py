"""Replays fixtures, and compares the answers with the recorded ones."""
