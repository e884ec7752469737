"""`python -m dondoc`: the same as `dondoc`."""

import sys

from dondoc.cli import main

if __name__ == "__main__":
    sys.exit(main())
