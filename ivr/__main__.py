"""`python -m ivr`: the command line."""

import sys

from ivr.cli import main

sys.exit(main())
