#!/bin/sh
# Makes the user of the systemd unit, who may read the settings. Services that run go on with the old program until somebody restarts them.
set -e
if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers karchive.conf
elif ! id karchive >/dev/null 2>&1; then
  useradd --system --user-group --home-dir /var/lib/karchive --no-create-home --shell /usr/sbin/nologin karchive
fi
chown root:karchive /etc/karchive
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
