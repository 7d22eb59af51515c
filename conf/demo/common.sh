# SPDX-License-Identifier: Apache-2.0
# common.sh: what ./demo and ./check share: packages and the build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Another build and another way to start httpd: for tests of a build with sanitizers.
build=${ESIGN_BUILD:-$top/build}
httpd_program=${ESIGN_HTTPD:-/usr/sbin/apache2}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Installs what is missing of the lists named, files beside this one; what has a ? behind it where this Debian has it, and its tests are skipped elsewhere. Debian starts services with their packages: they are kept from it, for ours need none of them.
install_packages() {
    local wanted missing=() spare=() guard=/usr/sbin/policy-rc.d made=
    wanted=$(cd "$top/conf/demo" && cat "$@" | grep -v '^#')
    for package in $wanted; do
        dpkg-query -W -f '${Status}' "${package%\?}" 2>/dev/null | grep -q 'ok installed' && continue
        # Who has Node.js from elsewhere has npm with it, and Debian's would not go beside that.
        [ "$package" = npm ] && command -v npm > /dev/null && continue
        case $package in *\?) spare+=("${package%\?}") ;; *) missing+=("$package") ;; esac
    done
    [ ${#missing[@]} -eq 0 ] && { [ ${#spare[@]} -eq 0 ] || [ "$(id -u)" -ne 0 ]; } && return
    [ "$(id -u)" -eq 0 ] || fail "these packages are missing: ${missing[*]}; install them as root: apt-get install ${missing[*]}"
    echo "Installing: ${missing[*]} ${spare[*]}"
    if [ ! -e $guard ]; then
        printf '#!/bin/sh\nexit 101\n' > $guard
        chmod 755 $guard
        made=1
    fi
    # Postfix without a configuration does not run, now or after the next start of the machine; what it has been told already stands.
    case " ${missing[*]} " in *" postfix "*) echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections ;; esac
    local log status=0
    log=$(mktemp)
    apt-get update -q > "$log" 2>&1 || status=$?
    for package in "${spare[@]}"; do
        apt-cache show "$package" > /dev/null 2>&1 && missing+=("$package")
    done
    [ $status -ne 0 ] || [ ${#missing[@]} -eq 0 ] ||
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >> "$log" 2>&1 || status=$?
    [ -z "$made" ] || rm -f $guard
    if [ $status -ne 0 ]; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "the packages could not be installed: ${missing[*]}"
    fi
    rm -f "$log"
}

# Builds into $build, one at a time; arguments go to configure.
build_all() {
    local log=$build/build.log
    if ! mkdir -p "$build" 2> /dev/null || [ ! -w "$build" ]; then
        # What somebody else has built serves as it is.
        [ $# -eq 0 ] && [ -x "$build/esignctl" ] && [ -r "$build/.libs/mod_esign.so" ] && return
        fail "$build cannot be written and holds no finished build: build once as a user who may write it"
    fi
    (
        flock 9
        exec > "$log" 2>&1
        cd "$top"
        # autoreconf is right when it has nothing to do; two runs of it at once are not.
        [ -x configure ] && [ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] || autoreconf -i || exit 1
        cd "$build"
        # What configure was told before holds: make runs it again when it is newer.
        [ -f Makefile ] && [ $# -eq 0 ] || "$top/configure" "$@" || exit 1
        make -j"$(nproc)" all
    ) 9> "$build/lock" || { tail -n 25 "$log" >&2; fail "the build failed; the whole of it: $log"; }
}
