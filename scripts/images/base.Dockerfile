# Debian 12 with Node.js 24 and npm, in place of the public Node.js image. scripts/images.sh gathers what it is made of.
FROM scratch
ADD debian.tar /
ADD npm.tgz /usr/local/lib/node_modules/
COPY node /usr/local/bin/node
RUN mv /usr/local/lib/node_modules/package /usr/local/lib/node_modules/npm && \
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
