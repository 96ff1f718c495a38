"""`retouch serve` and its worker, whose climbs hurry.

python tests/retouch/service/hurried.py serve --port 0
python -m tests.retouch.service.hurried '{"model": "default", ...}'
"""

import sys

import cli
from retouch.edits.beauty import FREE
from retouch.service import worker, worker_pool
from tests.climbs import hasty

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        worker_pool.WORKER = "tests.retouch.service.hurried"
        cli.main()
    else:
        with hasty(FREE[:4], tries=3):  # what they change can still be seen
            worker.main()
