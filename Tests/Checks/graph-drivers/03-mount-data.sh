# SPDX-License-Identifier: Apache-2.0
# graph-drivers 3 and 4: what the kernel shows of the mounts of a container and of an image.
# drivers: overlay
small_stack; L=$(container_layer)
m=$(sw mount ctr); o=$(findmnt -no FS-OPTIONS "$m"); b=$(stat -c %i "$G/overlay/$L/merged")
case $o in *"upperdir=$G/overlay/$L/diff"*"workdir=$G/overlay/$L/work"*) ;; *) fail "$o" ;; esac
case $o in *"lowerdir=$G/overlay/"*|*"lowerdir+=$G/overlay/"*) ;; *) fail "$o" ;; esac
sw unmount ctr >/dev/null; same "$(stat -c %a "$G/overlay/$L/merged")" 700
m=$(sw mount -r img); o=$(findmnt -no OPTIONS "$m")
case $o in ro,*) ;; *) fail "$o" ;; esac
case $o in *upperdir*) fail "$o" ;; *"$G/overlay/child/diff"*) ;; *) fail "$o" ;; esac
sw unmount img >/dev/null
