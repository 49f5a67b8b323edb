"""The page and its server, a thin room over `regionwise.filling.fill_photo`.

Nothing that a request brings is written to disk or looked up there: photos, masks and results live
in memory, bounded, and are forgotten after a while. Needs `pip install "regionwise[web]"`.
"""
