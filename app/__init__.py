"""Uses what was provisioned: bootstraps, verifies and serves the session database."""
