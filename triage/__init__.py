"""The domain: clusters, verdicts, findings, policy, roles, audit, and the store that keeps them."""
