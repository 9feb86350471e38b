"""``python -m bayes`` is the command line."""

from bayes.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
