#!/bin/sh
# lite: yes
if test -n "${SINGULARITY_APPNAME:-}"; then
    export SINGULARITY_APPNAME
    if test -d "/scif/apps/${SINGULARITY_APPNAME:-}/"; then
        PATH="/scif/apps/${SINGULARITY_APPNAME:-}:$PATH"
        . "/scif/apps/${SINGULARITY_APPNAME:-}/scif/env/01-base.sh" "$@"
    else
        echo "Could not locate the container application: ${SINGULARITY_APPNAME}"
        exit 1
    fi
fi
