# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 11 and 12: the diff of a changed layer is the reference's.
mkdir -p b/d b/keep; for f in one two three d/x keep/y; do echo $f >b/$f; done; tar -C b -cf b.tar .
sw import-layer -r --id base -f b.tar >/dev/null; sw create-layer --id child base >/dev/null
m=$(cs mount child)
rm "$m/one" "$m/two" "$m/three"; rm -r "$m/d"; mkdir "$m/d"; echo new >"$m/d/new"
echo h >"$m/h1"; ln "$m/h1" "$m/h2"; ln -s target "$m/sym"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1] + "/sock")' "$m" || (cd "$m" && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")')
echo x >"$m/attr"; setfattr -n user.x -v value "$m/attr"; setfattr -n trusted.x -v other "$m/attr"
echo c >"$m/cap"; setcap cap_net_raw+ep "$m/cap" 2>/dev/null || true
echo u >"$m/uid"; chown 70000000 "$m/uid"; touch "$m/$(printf 'n%.0s' $(seq 120))"
cs unmount child >/dev/null
# Columns, so that header details of Debian's older program do not count.
columns() { $1 diff -u child | tar -tv --full-time --numeric-owner -f - | sed -E '/\.wh\./s/ [0-9-]+ [0-9:.]+ / /' | sort -k6; }
diff <(columns cs) <(columns sw)
# Debian's changes come in the order of its directory listing.
diff <(cs changes child | sort) <(sw changes child | sort)
sw diff -u child | tar -xO -f - d/new >/dev/null
