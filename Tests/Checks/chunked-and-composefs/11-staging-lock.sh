# SPDX-License-Identifier: Apache-2.0
# chunked-and-composefs 11: staging directories of the living stay, those of the dead go at shutdown.
# drivers: overlay
sw create-layer >/dev/null; mkdir -p "$G/overlay/staging/123/dir" "$G/overlay/staging/124/dir"; hold "$G/overlay/staging/123/staging.lock" write
sw shutdown; same "$(ls "$G/overlay/staging")" 123; release; sw layers >/dev/null; sw shutdown; same "$(ls "$G/overlay/staging" 2>/dev/null)" ""
