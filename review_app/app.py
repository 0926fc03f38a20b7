"""The review app: `btfer app` starts it, and so does `streamlit run` with the path of this file, from any folder.

Streamlit reads this file twice: as a module, whose `app` is the server, and as the script that draws a page.
"""

import sys
from pathlib import Path

import streamlit as st

# Streamlit puts this file's folder on the path; the package `review_app` is in the one above.
_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:  # it is drawn many times
    sys.path.insert(0, _ROOT)

if __name__ == "__main__":
    from review_app import pages

    pages.draw()
else:
    from starlette.middleware import Middleware
    from streamlit import config

    import btfer.review  # noqa: F401  # read while the server starts: who opens the first page does not wait for it
    from review_app.own_hosts import OwnHosts

    # The checkout's settings hold in its folder only; from any other, Streamlit would report visits to its makers.
    if not config.is_manually_set("browser.gatherUsageStats"):
        config.set_option("browser.gatherUsageStats", False)
    app = st.App(__file__, middleware=[Middleware(OwnHosts)])
