"""From the typed fields of events to the columns that detectors see."""
