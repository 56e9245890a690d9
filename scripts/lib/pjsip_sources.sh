# Sourced by scripts/build_pjsip: where the sources of pjproject come from.
# Debian's `asterisk` source package of the newest distributions carries a whole pjproject beside Asterisk's own tarball.
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
SUITES="sid testing experimental"
NO_SOURCES="the sources of pjproject 2.17 or newer could not be had"

debian_mirrors() { # the Debian archives that this machine's own apt uses, without its security and updates parts
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
    awk '$2 !~ /[-\/]/ && $3 == "main" && ($4 == "Debian" || $1 ~ /\/debian\/?$/) { print $1 }' | sort -u
}

private_apt() { # ROOM, then arguments: apt with lists, cache and sources of its own; the machine's are left alone
  local room=$1 tool=$2; shift 2
  "$tool" -q -o Dir::Etc::sourcelist="$room/pjsip.sources" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$room/lists" -o Dir::Cache="$room/cache" -o APT::Update::Error-Mode=any \
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"
}

fetch_from() { # ROOM MIRROR SUITE: leaves the package's files, their signature and sums verified by apt, in ROOM/got
  local room=$1
  rm -rf "$room" && mkdir -p "$room"/lists/partial "$room"/cache/archives/partial "$room/got"
  printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$2" "$3" "$KEYRING" >"$room/pjsip.sources"
  # apt fetches under an account of its own when it is root; without this it would fetch as root.
  if [ "$(id -u)" = 0 ] && id _apt >/dev/null 2>&1; then chown -R _apt "$room"; fi
  private_apt "$room" apt-get update &&
    (cd "$room/got" && private_apt "$room" apt-get source --download-only --only-source asterisk) &&
    ls "$room"/got/*pjproject*.tar.* >/dev/null
}

fetch_debian() { # WORK TARBALL
  local room mirror suite
  [ -r "$KEYRING" ] || { echo "Debian's archive keyring is missing"; return 1; }
  room=$(mktemp -d) && chmod 755 "$room"
  # shellcheck disable=SC2064
  trap "rm -rf '$room'" EXIT
  for mirror in $(debian_mirrors); do
    for suite in $SUITES; do
      if fetch_from "$room/apt" "$mirror" "$suite"; then
        cp "$room"/apt/got/*pjproject*.tar.* "$2"
        basename "$room"/apt/got/*.dsc .dsc >"$1/origin"
        return 0
      fi
    done
  done
  return 1
}

unpack() { # TARBALL-OR-FOLDER FOLDER: the folder above pjlib, wherever it is inside
  local inside top=$2.unpacked
  rm -rf "$top" "$2" && mkdir -p "$top"
  if [ -d "$1" ]; then cp -R "$1/." "$top"; else tar -xf "$1" -C "$top"; fi
  inside=$(find "$top" -maxdepth 2 -name aconfigure -printf '%h\n' -quit)
  [ -n "$inside" ] && mv "$inside" "$2" && rm -rf "$top"
}

version_of() { # FOLDER: for example 2.17
  sed -n 's/^export PJ_VERSION_M[AI][JN]OR *:= *//p' "$1/version.mak" | paste -sd.
}

get_sources() { # WORK GIVEN: a pjproject of 2.17 or newer in WORK/src, and WORK/origin naming where it came from
  local work=$1 given=$2 version
  if [ -n "$given" ]; then
    [ -e "$given" ] || fail "$NO_SOURCES: there is no $given"
    unpack "$given" "$work/src" >>"$LOG" 2>&1 || fail "$NO_SOURCES: $given is neither a folder nor a tarball of pjproject"
    basename "$given" >"$work/origin"
  else
    command -v apt-get >/dev/null || fail "$NO_SOURCES: this machine has no apt; name a tarball or folder with --source"
    printf '  looking for the sources with apt\n'
    fetch_debian "$work" "$work/pjproject.tar" >>"$LOG" 2>&1 ||
      fail "$NO_SOURCES: no Debian mirror of this machine offers them (see var/log/setup.log); name a tarball or folder with --source"
    unpack "$work/pjproject.tar" "$work/src" >>"$LOG" 2>&1 || fail "$NO_SOURCES: the Debian tarball looks different from what was expected"
  fi
  version=$(version_of "$work/src")
  [ "$(printf '2.17\n%s\n' "$version" | sort -V | head -n 1)" = 2.17 ] || fail "$NO_SOURCES: these are of ${version:-an unknown version}"
}
