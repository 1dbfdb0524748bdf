# SPDX-License-Identifier: Apache-2.0
# configuration-and-idmaps 14 to 18: maps with overlay.
# drivers: overlay
sw create-layer --uidmap 0:1000:10 --gidmap 0:1000:10 --json | jq -e '.uidmap == null' >/dev/null
_CONTAINERS_OVERLAY_DISABLE_IDMAP=yes sw create-layer --uidmap 0:1000:10 --gidmap 0:1000:10 --json | jq -e '.uidmap | length == 1' >/dev/null
mkdir d; echo x >d/f; chown 7:8 d/f; tar -C d -cf a.tar .; sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img base >/dev/null
sw create-container --uidmap 0:100:10:10:300:5 --gidmap 0:100:10:10:300:5 --id two img >/dev/null; before=$(sw layers -q)
refused sw create-container --uidmap 0:100:10:5:300:5 img; same "$(sw layers -q)" "$before"
sw create-container --uidmap 0:100000:65536 --gidmap 0:100000:65536 --id m img >/dev/null
p=$(sw mount m); same "$(stat -c %u:%g "$p/f")" 100007:100008; sw unmount m >/dev/null
says "shifting not enabled" env _CONTAINERS_OVERLAY_DISABLE_IDMAP=yes "$SW" mount --graph "$G" --run "$R" -s overlay m
