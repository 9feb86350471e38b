"""``python -m bayes`` is the command line."""

from __future__ import annotations

import signal
import sys

__all__ = ["start"]


def start() -> int:
    """Run the command line as a program; an interrupt while it is still loading is one line too."""
    try:
        from bayes.cli import main

        return main()
    except KeyboardInterrupt:
        print("bayes: interrupted; nothing was written", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the work is done: what follows ends without a word


if __name__ == "__main__":
    raise SystemExit(start())
