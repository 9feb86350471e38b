"""``python -m bayes`` is the command line."""

from bayes.cli import main

raise SystemExit(main())
