"""Streamlit looks for components in all installed packages whenever an app starts: here once for a process.

That takes longer than most pages. Ours are in no package's list, so that the answer is the same each time.
"""

import functools

from streamlit.components.v2 import manifest_scanner

manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)
manifest_scanner.scan_component_manifests()
