#!/bin/sh
# Makes the base image, in which this runs, a system that can only run Node.js: for the last stage of the Dockerfiles.
set -eu

# npm, Yarn and Node's headers; /usr/local/bin keeps node alone.
rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share /opt/*
find /usr/local/bin -mindepth 1 ! -name node -exec rm -rf {} +

# Licences stay.
find /usr/share/doc -type f ! -name copyright -delete
rm -rf /usr/share/man /usr/share/info /usr/share/gcc /usr/share/gdb /usr/share/locale /var/lib/apt/lists/* /var/cache/* /var/log/* /tmp/*
find /usr/share/doc -type d -empty -delete

# Nobody gains rights by running a program.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# The numbers are those that the operator gives to pods (operator/jobs/config.ts).
echo 'destillml:x:10001:10001::/tmp:/usr/sbin/nologin' >>/etc/passwd
echo 'destillml:x:10001:' >>/etc/group
