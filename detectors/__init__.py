"""Numbers only: features, detectors, learning from labels, explanations, clusters.

Nothing in here knows Kafka, SQL, Dash or a clock.
"""
