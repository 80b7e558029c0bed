#!/bin/sh
# units.sh UNITS CLAIM: looks at the units as they would be installed, without a systemd that runs.
set -eu
units=$1
if ! command -v systemd-analyze >/dev/null; then
  echo "skipped: no systemd-analyze"
  exit 77
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# What the units name, in a root of its own.
case $2 in
  system_units_verify | exposure_is_low) scope=system ;;
  user_units_verify) scope=user ;;
esac
mkdir -p "$root/usr/bin" "$root/units" "$root/run"
export XDG_RUNTIME_DIR="$root/run"  # the user's manager asks for one
for unit in service socket; do
  sed "s#^ExecStart=[^ ]*/dfsd #ExecStart=$root/usr/bin/dfsd #" "$units/$scope/dfsd@.$unit" \
    >"$root/units/dfsd@.$unit"
done
printf '#!/bin/sh\n' >"$root/usr/bin/dfsd"
chmod +x "$root/usr/bin/dfsd"

case $2 in
  *_units_verify)
    said=$(systemd-analyze verify --$scope --man=no --recursive-errors=no "$root/units/dfsd@orders.service" \
      "$root/units/dfsd@orders.socket" 2>&1) || { echo "$said"; exit 1; }
    if [ -n "$said" ]; then
      echo "$said"
      exit 1
    fi
    # The same call finds what is wrong.
    sed -i 's/^UMask=.*/UMasc=7/' "$root/units/dfsd@.service"
    systemd-analyze verify --$scope --man=no --recursive-errors=no "$root/units/dfsd@orders.service" 2>&1 |
      grep -q UMasc
    ;;
  exposure_is_low)
    # --threshold is in tenths.
    systemd-analyze security --offline=true --no-pager --threshold=10 "$root/units/dfsd@.service"
    # Of what would lower it further, these would break the store.
    if grep -E '^(PrivateUsers|DynamicUser|ProcSubset)=' "$root/units/dfsd@.service"; then exit 1; fi
    ;;
esac
