// SPDX-License-Identifier: Apache-2.0

/// A number of bytes as people read it: `812 B`, `1.2 kB`, `34.5 MB`. Units are powers of 1000.
func bytesText(_ bytes: Int64) -> String {
  let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
  var tenths = bytes * 10
  if bytes < 1000 { return "\(bytes) B" }
  for unit in units {
    tenths = (tenths + 500) / 1000
    if tenths < 10_000 || unit == units.last { return "\(tenths / 10).\(tenths % 10) \(unit)" }
  }
  return "\(bytes) B"
}
