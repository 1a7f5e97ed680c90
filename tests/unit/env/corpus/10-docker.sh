#!/bin/sh
# lite: yes
DOCKERVAR="from 10-docker"
PATH="/opt/conda/bin:/usr/bin"
export DOCKERVAR PATH
