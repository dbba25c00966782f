"""What pages are made of: navigation, shared resources, widgets.

Importing it settles what must be settled before torch is imported.
"""

import os

# Each visitor runs in a thread of their own; were torch to start a pool in each of them,
# answers would stall for up to a second on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
