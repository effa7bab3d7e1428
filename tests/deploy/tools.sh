#!/usr/bin/env bash
# Brings what the tests of deploy/ need: Docker and Compose, and in .deploy/root.tar a Debian that stands in for the
# base images and for a machine with systemd. Nothing is started.
set -euo pipefail
cd "$(dirname "$0")/../.."

PACKAGES=(docker.io docker-compose iproute2 mmdebstrap)
# In the Debian: what the base images have, a machine's services, and the tools that look at our files.
INSIDE=python-is-python3,python3-venv,ca-certificates,postgresql,procps,systemd,rsyslog
# Two log daemons cannot be installed side by side, and the tools need no more than their programs.
UNPACKED="syslog-ng-core prometheus mtail kubernetes-client"
INSIDE+=,libivykis0,libnet1,libpcre3,libjson-c5,libwrap0,libglib2.0-0

main() {
  local missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  if [ "${#missing[@]}" != 0 ]; then install "${missing[@]}"; fi
  if [ ! -e .deploy/root.tar ]; then make_root; fi
}

install() {
  if [ "$(id -u)" != 0 ]; then
    echo "Only root can install $*: do it by hand, then run this again." >&2
    exit 1
  fi
  echo "Installing $* ..."
  apt-get update -qq
  # Debian starts a service that is installed, unless this says no.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@" >/dev/null
}

make_root() {
  echo "Making .deploy/root.tar ..."
  mkdir -p .deploy
  local unpack="cd /tmp && apt-get download -qq $UNPACKED
    for deb in *.deb; do dpkg-deb --extract \$deb /opt/unpacked; done
    rm -f /opt/unpacked/usr/bin/prometheus
    cp -a /opt/unpacked/usr/. /usr/ && cp -a /opt/unpacked/etc/syslog-ng /etc/
    rm -rf /opt/unpacked /tmp/*.deb"
  # A database without LLVM does without compiling its queries.
  # In memory: a third of the time would go to the disk.
  unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt && TMPDIR=/mnt exec "$@"' sh \
    mmdebstrap --quiet --variant=minbase --include="$INSIDE" \
    --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --dpkgopt='path-exclude=*/libLLVM*' --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
    --customize-hook="chroot \"\$1\" sh -ec '$unpack'" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" .deploy/new.tar
  mv .deploy/new.tar .deploy/root.tar
}

main
