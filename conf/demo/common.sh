# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# common.sh: packages and the build, for ./demo and ./check.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# ESIGN_BUILD and ESIGN_HTTPD name another build folder and another httpd. Tests of a build with
# sanitizers use them.
build=${ESIGN_BUILD:-$top/build}
# shellcheck disable=SC2034 # ./demo reads it
httpd_program=${ESIGN_HTTPD:-/usr/sbin/apache2}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Debian starts services when it installs them. While this file is there it starts none, because
# ./demo and ./check start all that they need. `made` is set if the file was not there before.
forbid_services() {
    policy=/usr/sbin/policy-rc.d made=''
    [ ! -e "$policy" ] || return 0
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    made=1
}

# Installs the packages of the lists that are missing. The lists are files beside this one. A name
# that ends with ? is installed if this Debian has the package; tests that need it are skipped
# elsewhere.
install_packages() {
    local wanted missing=() optional=()
    wanted=$(cd "$top/conf/demo" && cat "$@" | grep -v '^#')
    for package in $wanted; do
        # shellcheck disable=SC2016 # dpkg-query reads ${Status}
        dpkg-query -W -f '${Status}' "${package%\?}" 2> /dev/null | grep -q 'ok installed' &&
            continue
        # Node.js from elsewhere brings an npm, and Debian's npm cannot be installed beside it.
        [ "$package" = npm ] && command -v npm > /dev/null && continue
        case $package in
            *\?) optional+=("${package%\?}") ;;
            *) missing+=("$package") ;;
        esac
    done
    if [ ${#missing[@]} -eq 0 ]; then
        [ ${#optional[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] || return 0
    fi
    [ "$(id -u)" -eq 0 ] || fail "these packages are missing: ${missing[*]};" \
        "install them as root: apt-get install ${missing[*]}"
    echo "Installing: ${missing[*]} ${optional[*]}"
    local policy made log status=0
    forbid_services
    # Postfix without a configuration does not run, now or after a restart of the machine. An
    # answer that was given to debconf before stays.
    case " ${missing[*]} " in
        *" postfix "*)
            echo "postfix postfix/main_mailer_type select No configuration" |
                debconf-set-selections ;;
    esac
    log=$(mktemp)
    apt-get update -q > "$log" 2>&1 || status=$?
    for package in "${optional[@]}"; do
        apt-cache show "$package" > /dev/null 2>&1 && missing+=("$package")
    done
    if [ $status -eq 0 ] && [ ${#missing[@]} -gt 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            "${missing[@]}" >> "$log" 2>&1 || status=$?
    fi
    [ -z "$made" ] || rm -f "$policy"
    if [ $status -ne 0 ]; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "the packages could not be installed: ${missing[*]}"
    fi
    rm -f "$log"
}

# Builds in $build, one caller at a time. The arguments are configure's.
build_all() {
    local log=$build/build.log
    if ! mkdir -p "$build" 2> /dev/null || [ ! -w "$build" ]; then
        # A finished build of another user is used as it is.
        [ $# -eq 0 ] && [ -x "$build/esignctl" ] && [ -r "$build/.libs/mod_esign.so" ] && return
        fail "$build cannot be written and holds no finished build:" \
            "build once as a user who may write it"
    fi
    (
        flock 9
        exec > "$log" 2>&1
        cd "$top"
        # autoreconf finds out itself whether it has work, but two runs at once break each other.
        if [ ! -x configure ] || [ ! configure -nt configure.ac ] ||
            [ ! Makefile.in -nt Makefile.am ]; then
            autoreconf -i || exit 1
        fi
        cd "$build"
        # Without arguments an earlier configuration stays: make runs configure when it is newer.
        if [ ! -f Makefile ] || [ $# -gt 0 ]; then
            "$top/configure" "$@" || exit 1
        fi
        make -j"$(nproc)" all
    ) 9> "$build/lock" || {
        tail -n 25 "$log" >&2
        fail "the build failed; the whole of it: $log"
    }
}
