#!/bin/sh
# Starts the fleet: docker compose up with this folder's files, after it has made the keys and passwords that
# infra/compose/.env lacks. Arguments go to `docker compose`; without any: up --build --wait.
set -eu
cd "$(dirname "$0")"

# 32 bytes from the system's random source, in letters and digits.
secret() { od -An -vtx1 -N32 /dev/urandom | tr -d ' \n'; }

umask 077
touch .env
# Sets $1 to $2 unless it is set, in the file or outside.
ensure() {
  if ! grep -q "^$1=." .env && [ -z "$(printenv "$1" || true)" ]; then
    printf '%s=%s\n' "$1" "$2" >> .env
    made="${made:-}${made:+, }$1"
  fi
}

ensure EPD_API_KEYS "default:$(secret)"
ensure EPD_ADMIN_KEY "$(secret)"
ensure EPD_REDIS_PASSWORD "$(secret)"
ensure EPD_S3_ACCESS_KEY_ID "epd-$(secret | cut -c1-12)"
ensure EPD_S3_SECRET_ACCESS_KEY "$(secret)"
ensure EPD_GRAFANA_PASSWORD "$(secret)"
[ -z "${made:-}" ] || echo "Made in $(pwd)/.env: $made"

[ "${1:-}" != "--keys" ] || exit 0
[ "$#" -gt 0 ] || set -- up --build --wait
exec docker compose -f compose.yaml "$@"
