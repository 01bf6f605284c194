"""Rules from verified anomalies: mined from what analysts confirmed, deployed as config."""
