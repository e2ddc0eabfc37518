#!/bin/sh
# Makes the certificates of the tests anew. They are good for nothing else, and until the year 2120.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

cat >"$work/ca.conf" <<CONF
[ca]
default_ca = us
[us]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
CONF
: >"$work/index"

sign() { # file to write, extensions, options of `openssl ca`
    file=$1
    printf '%s\n' "$2" >"$work/extensions"
    shift 2
    openssl ca -batch -notext -config "$work/ca.conf" -startdate 20200101000000Z -enddate 21200101000000Z \
        -extfile "$work/extensions" -in "$work/request" -out "$file" "$@"
}

request() { # key to write, name, kind of key
    key=$1 name=$2
    shift 2
    openssl req -newkey "$@" -nodes -keyout "$key" -subj "/CN=$name" -out "$work/request"
}

elliptic='ec -pkeyopt ec_paramgen_curve:P-256'
authority='basicConstraints=critical,CA:true
keyUsage=keyCertSign,cRLSign'
server='extendedKeyUsage=serverAuth
subjectAltName='
client='extendedKeyUsage=clientAuth'
by_ca="-cert ca.pem -keyfile $work/ca-key.pem"

request "$work/ca-key.pem" 'docknet test CA' $elliptic
sign ca.pem "$authority" -selfsign -keyfile "$work/ca-key.pem"
request "$work/other-key.pem" 'docknet other CA' $elliptic
sign other-ca.pem "$authority" -selfsign -keyfile "$work/other-key.pem"

request server-key.pem localhost $elliptic
sign server.pem "${server}DNS:localhost,IP:127.0.0.1,IP:::1" $by_ca
sign elsewhere.pem "${server}DNS:elsewhere.example" $by_ca
sign expired.pem "${server}DNS:localhost" $by_ca -enddate 20200102000000Z

request key.pem client $elliptic
sign cert.pem "$client" $by_ca
openssl pkey -in key.pem -traditional -out key-sec1.pem
request stranger-key.pem stranger $elliptic
sign stranger.pem "$client" -selfsign -keyfile stranger-key.pem
request "$work/rsa.pem" client rsa:2048
sign cert-rsa.pem "$client" $by_ca
openssl pkey -in "$work/rsa.pem" -traditional -out key-pkcs1.pem
