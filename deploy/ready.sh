#!/bin/bash
# Exit code 0 when the process in this container answers 200 on /readyz. Written for an image without curl.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${1:-9090}"
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
