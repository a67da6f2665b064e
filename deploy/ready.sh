#!/bin/bash
# Exit code 0 when the process in this container answers 200 on /readyz. Written for an image without curl.
set -euo pipefail
port="${1:-9090}"
request='GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n'
if [ -n "${KARIBU_TLS_CERTIFICATE:-}" ]; then
    # Asked from inside of the container, so nobody is between: the certificate is not checked.
    # shellcheck disable=SC2059
    read -r _ status _ < <(printf "$request" | openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null)
else
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    # shellcheck disable=SC2059
    printf "$request" >&3
    read -r _ status _ <&3
fi
[ "$status" = 200 ]
