"""`python -m console`: the process that serves the API; `triageline up` starts it."""

import sys

from console.bootstrap import main

sys.exit(main())
