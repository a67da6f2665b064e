#!/bin/bash
# Makes the keys of an installation, once: the master key that keys of customers are wrapped by, DIR/master-keys, and
# the Ed25519 key with which the gateway and the services sign internal tokens, once: DIR/internal.pem and DIR/internal.pub.pem.
set -euo pipefail
folder="${1:?usage: internal-key.sh DIR}"
if [ ! -s "$folder/master-keys" ]; then
    (umask 077 && printf 'first:%s\n' "$(openssl rand -base64 32)" > "$folder/master-keys")
fi
if [ ! -s "$folder/internal.pub.pem" ]; then
    umask 077
    openssl genpkey -algorithm ed25519 -out "$folder/internal.pem"
    openssl pkey -in "$folder/internal.pem" -pubout -out "$folder/internal.pub.pem"
fi
