#!/bin/sh
# A stand-in for a script of MariaDB's official image.
exec mariadb-admin --socket=/run/mysqld/mysqld.sock ping
