"""The config of a stream: one strict YAML file, checked once, then a frozen value."""
