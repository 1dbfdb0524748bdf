# SPDX-License-Identifier: Apache-2.0
# on-disk-format 3: 64 bytes mark a write, a shorter file grows, a longer one keeps its end.
L=$(sw create-layer | first); lock=$G/$DRIVER-layers/layers.lock
before=$(xxd -p "$lock"); sw set-metadata -m x "$L"
same "$(stat -c %s "$lock")" 64; [ "$before" != "$(xxd -p "$lock")" ] || fail "no new mark"
python3 - "$lock" <<'PY'
import struct, sys, time
mark = open(sys.argv[1], "rb").read()
# The reference writes 8 bytes of Unix nanoseconds, little endian, then process number, counter and random bytes.
moment = struct.unpack("<Q", mark[:8])[0]
assert abs(moment - time.time_ns()) < 2_000_000_000, moment
PY
printf 12345 >"$lock"; sw set-metadata -m y "$L"; same "$(stat -c %s "$lock")" 64
head -c 100 /dev/zero | tr '\0' z >"$lock"; sw set-metadata -m x "$L"
same "$(stat -c %s "$lock")" 100; same "$(tail -c 36 "$lock")" "$(printf 'z%.0s' $(seq 36))"
