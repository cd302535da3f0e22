"""Options and dispatch. Commands import the libraries that they need, so that --help stays quick."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import ClassVar, NoReturn, TypeAlias

import fxloom
from fxloom.cli.show import Screen

SHELLS = ("bash", "zsh", "tcsh")
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
Command = Callable[[argparse.Namespace, Screen], int]
COMMANDS = {  # the module of each command
    "init": "filling", "ingest": "filling", "populate": "filling", "copy": "filling", "audit": "checking",
    "verify": "checking", "redundancy": "checking", "catalogue": "reading", "matrix": "reading",
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """A parser whose errors never show an address that may contain a password."""

    words: ClassVar[Sequence[str]] = ()  # the command line

    def error(self, message: str) -> NoReturn:
        super().error(_without_addresses(message))


def _without_addresses(message: str) -> str:
    from fxloom.api import without_addresses

    return without_addresses(message, _Parser.words)


def _make_streams_usable() -> None:
    """Keep a closed output, or a character that it cannot encode, from stopping a command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end of the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 only if everything requested was done; 2 if what was requested does not exist or makes no sense: an option, a
    name, a pair or months of which the store has no bars; 130 after Ctrl-C; 1 in any other case.
    """
    _make_streams_usable()
    _Parser.words = sys.argv[1:] if argv is None else argv
    top = parser()
    options = top.parse_args(_zones_joined(_Parser.words))
    if not (options.command or options.version or options.completion):
        top.error("a command is required")
    screen = Screen(options.json)
    try:
        return _run(options, top, screen)
    except KeyboardInterrupt:
        print("fxloom: interrupted; finished work is kept: run the command again to continue", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: one line for the user, the traceback on request
        return _report(error, options.debug)


def _run(options: argparse.Namespace, top: argparse.ArgumentParser, screen: Screen) -> int:
    if options.version:
        return _show_version(options.debug, screen)
    if options.completion:
        from fxloom.cli.completion import completion

        screen.say(completion(top, options.completion))
        return DONE
    if options.command == "demo":
        from fxloom.cli.demo import demo

        return demo(options, screen, main)
    return _command(options.command)(options, screen)


def _show_version(debug: bool, screen: Screen) -> int:
    """Show the version; with --debug, everything that a bug report needs."""
    screen.say(f"fxloom {fxloom.__version__}")
    if debug:
        from fxloom.api import about

        for name, value in about().items():
            if name != "fxloom":
                screen.say(f"{name}: {value}")
    return DONE


def _zones_joined(argv: Sequence[str]) -> list[str]:
    """``--zone -05:00`` as ``--zone=-05:00``: argparse would mistake the offset for an option."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1] == "--zone" and re.match(r"-\d", word):
            joined[-1] = f"--zone={word}"
        else:
            joined.append(word)
    return joined


def _report(error: Exception, debug: bool) -> int:
    from fxloom.api import ExecutorError, LockedError, MissingExtraError, NoBarsError, StoreError, UnsafeCacheError

    if debug:
        raise error
    stated = StoreError | LockedError | MissingExtraError | UnsafeCacheError | ExecutorError
    known = isinstance(error, stated | KeyError | ValueError)
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    hint = "" if known else " (unexpected error; --debug shows the traceback)"
    kind = "" if known else f"{type(error).__name__}: "
    print(_without_addresses(f"fxloom: {kind}{text}{hint}"), file=sys.stderr)
    return USAGE if isinstance(error, KeyError | ValueError | NoBarsError) else FAILED


def _command(name: str) -> Command:
    module = importlib.import_module(f"fxloom.cli.{COMMANDS[name]}")
    found: Command = getattr(module, name)
    return found


def parser() -> argparse.ArgumentParser:
    """The parser of all commands and options."""
    top = _Parser(
        prog="fxloom",
        description="Features of the 28 major currency pairs from one-minute bars: causal, checked, resumable.",
        epilog="Begin with `fxloom demo`, or with your own files: `fxloom ingest --store lake FILES`, then "
        "`fxloom populate --store lake` and `fxloom audit --store lake`. Exit status: 0 if everything requested was "
        "done; 1 if not; 2 if the command asks for what does not exist: an option, pair, month, table or feature.",
    )
    top.add_argument(
        "--version", action="store_true", help="print the version; with --debug, also those of its libraries"
    )
    top.add_argument("--completion", choices=SHELLS, help="print a script for command completion in this shell")
    explained = "show the traceback of errors"
    top.add_argument("--debug", action="store_true", help=explained)
    top.set_defaults(json=False)
    shared = _Parser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print the result as JSON")
    shared.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=explained)
    stored = _Parser(add_help=False, parents=[shared])
    stored.add_argument("--store", default="fxloom-store", help="a folder, or postgresql://... (default: %(default)s)")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for add in (_init, _ingest, _populate, _audit, _matrix, _verify, _redundancy):
        add(commands, stored)
    _copy(commands, shared)
    _catalogue(commands, shared)
    _demo(commands, shared)
    return top


Subparsers: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _init(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("init", parents=[stored], help="create a store: write its settings")
    p.add_argument(
        "--baseline", metavar="DATE", help="the rate index is 100 at a pair's first close on or after this date"
    )
    p.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="type of stored features")
    p.add_argument("--rebase", action="store_true", help="recalculate the baseline prices of the stored pairs")
    p.add_argument("--ddl", action="store_true", help="print the DDL for PostgreSQL and exit")


def _ingest(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("ingest", parents=[stored], help="read bars from files, folders and archives")
    p.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder or an archive")
    p.add_argument("--pair", help="the pair, if neither content nor file name shows it")
    p.add_argument("--format", default="auto", help="the format, if the content does not show it")
    p.add_argument("--zone", default="auto", help="offset (+2, -05:00), zone name or utc, if the file does not show it")
    p.add_argument(
        "--trust-prices", action="store_true", help="accept files whose prices contradict those of other stored pairs"
    )
    p.add_argument(
        "--trust-zone", action="store_true", help="keep the named zone even if the file's weeks contradict it"
    )
    p.add_argument(
        "--stamp",
        choices=["auto", "open", "close"],
        default="auto",
        help="whether times are the opens or the closes of bars",
    )
    p.add_argument("--replace", action="store_true", help="overwrite stored bars that differ")
    p.add_argument(
        "--volume", choices=["yes", "no"], help="set whether the pairs have volume; without it, a proxy is used"
    )
    p.add_argument(
        "--quotes", choices=["yes", "no"], help="set whether the pairs have quotes; without them, a proxy is used"
    )
    p.add_argument("--workers", type=_workers, help="processes (default: one per processor)")
    p.add_argument("--wait", type=float, default=0.0, metavar="S", help="seconds to wait for another writer")


def _selection(p: argparse.ArgumentParser, months: bool = True) -> None:
    p.add_argument("--pairs", type=_words, help="comma-separated, e.g. eurusd,usdjpy (default: all)")
    if months:
        p.add_argument("--months", help="e.g. 2018-02:2018-05 (default: all that have bars)")
    p.add_argument("--tables", type=_words, help="tables, families or patterns (default: all)")


def _populate(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("populate", parents=[stored], help="compute what is missing or stale")
    _selection(p)
    p.add_argument("--workers", type=_workers, help="processes (default: one per processor)")
    p.add_argument(
        "--plan", action="store_true", help="show what would be computed, with time and disk space, and exit"
    )
    p.add_argument("--force", action="store_true", help="recompute fresh partitions too")
    p.add_argument("--adopt", action="store_true", help="replace rows in PostgreSQL without a record in the store")
    p.add_argument("--wait", type=float, default=0.0, metavar="S", help="seconds to wait for another writer")


def _audit(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("audit", parents=[stored], help="show what the store holds, and what is wrong with it")
    _selection(p)
    p.add_argument("--detail", action="store_true", help="list every partition, with its missing values by reason")
    p.add_argument("--whole", action="store_true", help="read every stored value and verify its checksum")


def _matrix(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("matrix", parents=[stored], help="write features of any tables, joined, to one file")
    p.add_argument("--features", type=_words, required=True, help="features, tables, families, rate, bqx, patterns")
    p.add_argument("--out", required=True, metavar="FILE", help="a .parquet or .csv file")
    p.add_argument("--pairs", type=_words, help="comma-separated (default: all)")
    p.add_argument("--start", metavar="TIME", help="start of the range, inclusive (UTC)")
    p.add_argument("--end", metavar="TIME", help="end of the range, exclusive (UTC)")
    p.add_argument(
        "--missing", choices=["keep", "drop"], default="keep", help="whether to keep rows in which a feature is missing"
    )
    p.add_argument(
        "--allow", choices=["nothing", "missing", "stale", "all"], default="nothing",
        help="accept missing or stale partitions, or both (default: %(default)s)",
    )  # fmt: skip


def _verify(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("verify", parents=[stored], help="test on the stored bars that no feature looks ahead")
    _selection(p, months=False)
    p.add_argument(
        "--samples", type=int, default=0, metavar="N", help="cuts per pair and month (default: 3, or 2 for all pairs)"
    )
    p.add_argument("--budget", default="10m", metavar="TIME", help="stop after this time (default: %(default)s)")
    p.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="K",
        help="random seed for the choice of pairs, months and cuts (default: %(default)s)",
    )
    p.add_argument("--workers", type=_workers, help="processes (default: one per processor)")


def _redundancy(commands: Subparsers, stored: _Parser) -> None:
    p = commands.add_parser("redundancy", parents=[stored], help="find constant and near-duplicate features")
    p.add_argument("--pairs", type=_words, help="comma-separated (default: all)")
    p.add_argument("--months", help="e.g. 2018-02:2018-05 (default: the month with the most values)")
    p.add_argument("--method", choices=["pearson", "spearman"], default="pearson", help="kind of correlation")
    p.add_argument(
        "--threshold", type=float, default=0.999, help="smallest correlation of near-duplicates (default: %(default)s)"
    )


def _copy(commands: Subparsers, shared: _Parser) -> None:
    p = commands.add_parser("copy", parents=[shared], help="copy a store between a folder and PostgreSQL")
    p.add_argument("--from", dest="source", required=True, metavar="A", help="a folder, or postgresql://...")
    p.add_argument("--to", dest="target", required=True, metavar="B", help="a folder, or postgresql://...")


def _catalogue(commands: Subparsers, shared: _Parser) -> None:
    p = commands.add_parser(
        "catalogue", parents=[shared], help="list or search features: unit, range, warm-up, formula"
    )
    p.add_argument("--table", help="a table, a family or a pattern")
    p.add_argument(
        "--search", nargs="+", metavar="WORD", help="rank by topic, name, unit and formula; all words must match"
    )
    p.add_argument("--glossary", action="store_true", help="explain the symbols in the formulas: C, m_W, clock bar")


def _demo(commands: Subparsers, shared: _Parser) -> None:
    p = commands.add_parser("demo", parents=[shared], help="generate a synthetic market, ingest, populate and audit it")
    p.add_argument("--store", default="demo-store", help="a new folder (default: %(default)s)")
    p.add_argument("--workers", type=_workers, help="processes (default: one per processor)")


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"invalid number {text!r}, expected 1 or more")
    return int(text)


def _words(text: str) -> list[str]:
    return [word for word in (part.strip().lower() for part in text.split(",")) if word]
