# Debian in the place of the base image; pip finds the locked packages in /wheels, as there is no network.
FROM debian-root
COPY wheels /wheels
RUN printf '[global]\nno-index = true\nfind-links = /wheels\n' >/etc/pip.conf
