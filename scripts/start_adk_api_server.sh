#!/usr/bin/env bash
# Starts the ADK API server on data/sessions/sessions.db, or on SESSION_DB_URI where that is set.
# Needs no configuration: makes the environment and the session schema where they are missing.
#
# Example: scripts/start_adk_api_server.sh --port 8080
set -euo pipefail

root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
make --silent --no-print-directory -C "$root" environment
exec "$root/.venv/bin/session-db" serve "$@"
