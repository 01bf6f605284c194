"""Examples that stand beside a stream's config: records, and what should come of them."""
