"""The command ``triage``: the only place that picks adapters and wires objects."""
