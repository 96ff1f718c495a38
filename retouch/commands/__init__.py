"""The commands; NumPy, which they load, shall use one thread for products of matrices.

Ours are small: a second thread of OpenBLAS waits, at work, for longer than it helps.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
