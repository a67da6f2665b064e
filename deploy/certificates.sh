#!/bin/bash
# Makes an authority and a certificate for every service in DIR, once: authority.pem, and NAME.pem with NAME.key for each.
# For one machine or a private network; where there is a certificate manager, use that instead.
set -euo pipefail
folder="${1:?usage: certificates.sh DIR [DAYS]}"
days="${2:-825}"
mkdir -p "$folder"
cd "$folder"
umask 077
if [ ! -s authority.pem ]; then
    openssl ecparam -name prime256v1 -genkey -noout -out authority.key
    openssl req -x509 -new -key authority.key -sha256 -days 3650 -subj "/CN=Karibu authority" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -out authority.pem
fi
for name in gateway organization profile ticketing feedback loyalty; do
    [ -s "$name.pem" ] && continue
    openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA authority.pem -CAkey authority.key -CAcreateserial -sha256 -days "$days" \
        -extfile "$name.ext" -out "$name.pem"
    rm -f "$name.csr" "$name.ext"
done
