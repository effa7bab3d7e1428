FROM python:3.13-slim-trixie
COPY postgres.sh /usr/local/bin/
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ \
 && install --directory --owner=postgres --mode=700 /var/lib/postgresql/data
USER postgres
CMD ["postgres.sh"]
