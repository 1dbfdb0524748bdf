# SPDX-License-Identifier: Apache-2.0
# changes-1.64 11: a parent is not deleted by name or prefix.
sw create-layer --id parent -n name >/dev/null; sw create-layer --id child parent >/dev/null
for x in name pare; do says "$x: used by layer child: layer has children" sw delete-layer $x; done
