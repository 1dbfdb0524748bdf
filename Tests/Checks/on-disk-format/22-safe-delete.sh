# SPDX-License-Identifier: Apache-2.0
# on-disk-format 22: a parent is not deleted, however it is named.
P=$(sw create-layer -n name | first); sw create-layer "$P" >/dev/null
for x in name "$P" "${P:0:20}"; do says "layer has children" sw delete-layer "$x"; done
test -d "$G/$(layer_home)/$P"
