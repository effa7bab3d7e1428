# A machine with systemd, and a site in /srv/site; what is installed on it is in deploy/.
FROM media-auditor
USER root
RUN useradd --no-create-home site && ln -s /app /srv/site && chown -R site /app/media \
 && sed --in-place 's/^port = .*/port = 5432/' /etc/postgresql/*/main/postgresql.conf \
 && systemctl mask systemd-logind.service getty.target apt-daily.timer apt-daily-upgrade.timer
COPY systemd/media-auditor-watcher.service systemd/media-auditor-cleanup.service systemd/media-auditor-cleanup.timer /etc/systemd/system/
COPY systemd/media-auditor-.service.d /etc/systemd/system/media-auditor-.service.d
COPY systemd/60-media-auditor.conf /etc/sysctl.d/
COPY logs /etc/media-auditor-logs
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
