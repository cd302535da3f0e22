"""Completion of commands and options in the user's shell, written by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from fxloom import api

FILES = {"paths", "store", "out", "source", "target"}  # options that name files or folders


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion script of ``shell``; MissingExtraError if shtab is not installed."""
    shtab = api.require("shtab", "completion", "shell completion")
    for action in _actions(parser):
        if action.dest in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    script: str = shtab.complete(parser, shell)
    return script


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options of ``parser`` and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
