"""How many anomalies an analyst would find: replays with an oracle in the analyst's place."""
