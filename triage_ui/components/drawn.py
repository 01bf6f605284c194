"""HTML that a script of ours draws (``draw.js``) instead of Dash's renderer.

The renderer keeps each component awake: every change of the page asks all of them whether they
changed. The 180 of a preview cost the browser 80 ms at each move of the cursor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from triage_ui.components.dom import Node


def drawn(children: Component | Sequence[Component] | Mapping[str, Sequence[Node] | str]) -> str:
    """Return HTML components, none of which a callback names, as JSON for ``data-drawn``.

    For several places of one sender: by their ids.
    """
    return json.dumps(children, cls=PlotlyJSONEncoder)
